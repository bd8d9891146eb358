import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers import personal_data
from loyalty import errors


class Command(BaseCommand):
    help = "Write everything that is held on a customer, as JSON, to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer_id")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = personal_data.export(customer_id=options["customer_id"])
        except errors.InvalidMemberID:
            raise CommandError("There is no such customer.") from None
        self.stdout.write(json.dumps(found, ensure_ascii=False, indent=2))
