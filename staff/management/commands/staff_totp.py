from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from staff import log_in


class Command(BaseCommand):
    help = "Make a new secret for somebody's authenticator, and show it once; a former one is worth nothing any more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_staff=True).first()
        if user is None:
            raise CommandError("There is no such member of staff.")
        device = log_in.renew(user)
        log_in.drawing(device).print_ascii(out=self.stdout)
        self.stdout.write(device.config_url)
