import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sms.reference_gateway import ReferenceGateway
from sms.reference_server import ReferenceServer


class Command(BaseCommand):
    help = "An SMS gateway that speaks docs/sms-gateway.md, sends nothing, and fails as it is told. For development."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8100)
        parser.add_argument("--access-key", default=settings.SMS_ACCESS_KEY or "demo")
        parser.add_argument("--secret-key", default=settings.SMS_SECRET_KEY or "demo")
        parser.add_argument("--receipts", default="", help="Where to post a receipt of each message.")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The reference gateway sends nothing: it is not for production.")
        gateway = ReferenceGateway(
            access_key=options["access_key"], secret_key=options["secret_key"], receipts=options["receipts"]
        )
        server = ReferenceServer(gateway, options["port"])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        self.stdout.write(f"Send to http://127.0.0.1:{options['port']}/send, faults to …/faults, what it has: …/sent")
        self.stdout.flush()
        server.run()
