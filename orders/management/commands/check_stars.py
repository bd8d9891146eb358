from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders import totals


class Command(BaseCommand):
    help = "Compare every customer's star balance with the ledger; fails, naming them, where some differ."

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for difference in totals.differences():
            found += 1
            self.stdout.write(f"{difference.customer_id}: kept {difference.kept}, entered {difference.entered}")
        if found:
            raise CommandError(f"{found} balances differ from the ledger.")
        self.stdout.write("Every balance is what the ledger adds up to.")
