import getpass
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers import personal_data
from loyalty import errors
from loyalty.callers import Caller


class Command(BaseCommand):
    help = "Erase a customer for good: the profile, addresses, messages and log-ins go; the books stay, without a name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer_id")
        parser.add_argument("--reason", required=True, help="Kept with the proof; a case number, say, and no names.")
        parser.add_argument("--yes", action="store_true", help="Don't ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        customer_id = options["customer_id"]
        if not options["yes"] and input(f"This can't be undone. Type {customer_id} to go on: ") != customer_id:
            raise CommandError("Nothing was erased.")
        caller = Caller("", uuid.uuid4().hex, customer_id=customer_id, staff=getpass.getuser())
        try:
            proof = personal_data.erase(reason=options["reason"], caller=caller)
        except errors.InvalidMemberID:
            raise CommandError("There is no such customer.") from None
        self.stdout.write(f"Erased; proof {proof.pk}: {sum(proof.rows.values())} rows.")
