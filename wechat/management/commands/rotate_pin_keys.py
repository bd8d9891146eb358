"""`manage.py rotate_pin_keys`: once a new key stands first in PIN_KEYS everywhere, seal all pool PINs under it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyalty import encryption
from wechat import pin_keys


class Command(BaseCommand):
    help = "Seal pool PINs under the first of PIN_KEYS. It may run under traffic, be killed, and be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        self.done = 0
        try:
            unreadable = pin_keys.rotate(self._report)
        except encryption.UnknownKey as missing:
            raise CommandError(f"PINs are sealed under the key {missing}, which is not in PIN_KEYS.") from None
        self.stdout.write(f"{self.done} PINs sealed again, {unreadable} can't be read.")
        if pin_keys.left_under_other_keys():
            raise CommandError("Some are left under former keys: run it again.")
        self.stdout.write("No pooled card needs a former key any more.")

    def _report(self, changed: int) -> None:
        self.done += changed
        if self.stdout.isatty():
            self.stdout.write(f"\r{self.done:,} ", ending="")
            self.stdout.flush()
