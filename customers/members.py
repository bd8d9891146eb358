"""Members before they are customers: pre-created with their cards."""

from collections.abc import Iterable, Sequence

from cards.members import MemberStatus
from customers.models import Member
from loyalty import bulk


def pre_create(customer_ids: Iterable[str]) -> None:
    """Open members of these ids, in one statement."""
    bulk.insert(Member, ["customer_id"], ((customer_id,) for customer_id in customer_ids))


def existing(customer_ids: Sequence[str]) -> set[str]:
    return set(Member.objects.filter(pk__in=bulk.among(customer_ids)).values_list("pk", flat=True))


def is_open(member: Member) -> bool:
    return member.status == MemberStatus.OPEN
