import signal
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand

from loyalty import relay


class Command(BaseCommand):
    help = "Hand rows that wait (messages, card files) to Celery, until SIGTERM or SIGINT."

    def handle(self, *args: Any, **options: Any) -> None:
        current_app.loader.import_default_modules()
        stopping: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda signum, _: stopping.append(signum))
        relay.run(lambda: bool(stopping))
