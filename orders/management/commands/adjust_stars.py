from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders import adjustments
from orders.models import StarAdjustment


class Command(BaseCommand):
    help = "Ask for stars to be given or taken; a second member of staff approves it in the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help="The customer's id.")
        parser.add_argument("points", type=int, help="Below zero: taken (write -- before it).")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--by", required=True, metavar="USERNAME", help="The member of staff who asks.")
        parser.add_argument("--kind", choices=StarAdjustment.Kind.values, default=StarAdjustment.Kind.ADJUST)

    def handle(self, *args: Any, **options: Any) -> None:
        staff = get_user_model().objects.filter(username=options["by"], is_staff=True, is_active=True).first()
        if staff is None:
            raise CommandError(f"{options['by']} is no active member of staff.")
        try:
            asked = adjustments.request(
                member_id=options["customer"],
                kind=options["kind"],
                points=options["points"],
                reason=options["reason"],
                by=staff,
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self.stdout.write(f"{asked} waits for a second member of staff, in the admin.")
