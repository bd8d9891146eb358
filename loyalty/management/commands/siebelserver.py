import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from loyalty.siebel_server.credentials import Credentials
from loyalty.siebel_server.http import SiebelServer


class Command(BaseCommand):
    help = "A Siebel over HTTP on a database of its own, which fails as it is told (docs/siebel.md). For development."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8200)
        parser.add_argument("--control-port", type=int, default=8201, help="On loopback alone: faults, calls.")
        parser.add_argument("--user", default=settings.SIEBEL_USER or "SADMIN")
        parser.add_argument("--password", default=settings.SIEBEL_PASSWORD or "demo")
        parser.add_argument("--token-seconds", type=int, default=3600, help="How long an OAuth token is good for.")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("This Siebel fails on demand: it is not for production.")
        own = {"DATABASE_URL": settings.SIEBELSERVER_DATABASE_URL, "SIEBEL_TRANSPORT": "embedded"}
        if any(os.environ.get(name) != value for name, value in own.items()):
            os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **own})  # noqa: S606 (ourselves)
        call_command("migrate", verbosity=0, interactive=False)
        credentials = Credentials(
            user=options["user"], password=options["password"], token_seconds=options["token_seconds"]
        )
        server = SiebelServer(options["host"], options["port"], options["control_port"], credentials)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        self.stdout.write(f"SIEBEL_URL=http://{options['host']}:{options['port']}")
        self.stdout.write(f"Faults to http://127.0.0.1:{options['control_port']}/faults, what was called: …/calls")
        self.stdout.flush()
        server.run()
