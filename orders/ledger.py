"""The star ledger: a balance changes by an entry alone, under its member's lock; the kept total moves with it."""

from dataclasses import dataclass

from customers import stars
from loyalty import errors
from orders.models import StarEntry

HIGHEST = 2_000_000_000


@dataclass(frozen=True)
class Cause:
    """Where an entry comes from; `key` is what it stands for and enters once."""

    source: str
    key: str
    actor: str
    request_id: str = ""
    reason: str = ""


def balance_of(member_id: str) -> int:
    """What a member's entries add up to: the last one says it."""
    last = _last(member_id)
    return last.balance if last else 0


def post(*, member_id: str, kind: str, points: int, cause: Cause) -> StarEntry:
    """Enter points inside the caller's transaction.

    Raises InvalidMemberID, StarBalanceOutOfRange, or IntegrityError for a key that was entered before.
    """
    stars.lock(member_id)
    last = _last(member_id)
    balance = (last.balance if last else 0) + points
    if not 0 <= balance <= HIGHEST:
        raise errors.StarBalanceOutOfRange
    entry = StarEntry.objects.create(
        member_id=member_id,
        position=last.position + 1 if last else 1,
        kind=kind,
        points=points,
        balance=balance,
        source=cause.source,
        key=cause.key,
        reason=cause.reason,
        actor=cause.actor,
        request_id=cause.request_id,
    )
    stars.keep(member_id, balance)
    return entry


def _last(member_id: str) -> StarEntry | None:
    return StarEntry.objects.filter(member_id=member_id).order_by("-position").first()
