"""Whether every member's kept total is what his entries in the star ledger add up to."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from customers.models import Member
from orders.models import StarEntry

AT_ONCE = 1000


@dataclass(frozen=True)
class Difference:
    customer_id: str
    kept: int
    entered: int


def differences() -> Iterator[Difference]:
    """Every member whose total differs; a thousand members a query, so that nobody waits for it."""
    entered = (
        StarEntry.objects.filter(member_id=OuterRef("pk")).order_by().values("member_id").annotate(all=Sum("points"))
    )
    members = Member.objects.order_by("pk").annotate(
        entered=Coalesce(Subquery(entered.values("all"), output_field=IntegerField()), 0)
    )
    after = ""
    while chunk := list(members.filter(pk__gt=after).values_list("pk", "star_balance", "entered")[:AT_ONCE]):
        yield from (Difference(*row) for row in chunk if row[1] != row[2])
        after = chunk[-1][0]
