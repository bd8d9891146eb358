"""The kept total of a member's stars. The ledger above this app moves it; the database refuses one that differs."""

from customers.models import Member
from loyalty import errors


def lock(member_id: str) -> None:
    """Hold a member's row to the end of the transaction, whatever his status. Raises InvalidMemberID."""
    if not Member.objects.select_for_update().filter(pk=member_id).values_list("pk", flat=True).first():
        raise errors.InvalidMemberID


def keep(member_id: str, balance: int) -> None:
    """What a locked member's ledger adds up to from now on."""
    Member.objects.filter(pk=member_id).update(star_balance=balance)
