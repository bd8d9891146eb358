"""Stars that staff give or take: a request with a reason, and the decision of a second person."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from orders import ledger
from orders.ledger import Cause
from orders.models import StarAdjustment

State = StarAdjustment.State


class Undecidable(Exception):
    """Why this person can't decide it now."""


def request(*, member_id: str, kind: str, points: int, reason: str, by: AbstractBaseUser) -> StarAdjustment:
    """Ask for an adjustment; nothing moves before somebody else approves. Raises ValidationError."""
    asked = StarAdjustment(member_id=member_id, kind=kind, points=points, reason=reason.strip(), requested_by_id=by.pk)
    asked.full_clean()
    asked.save()
    return asked


def approve(*, adjustment_id: int, by: AbstractBaseUser) -> None:
    """Enter it in the ledger, once. Raises Undecidable, StarBalanceOutOfRange."""
    with transaction.atomic():
        asked = _decide(adjustment_id, State.APPROVED, by)
        cause = Cause(
            source="staff",
            key=f"adjustment {asked.pk}",
            actor=f"{asked.requested_by}, {by}"[:80],
            reason=asked.reason,
        )
        ledger.post(member_id=asked.member_id, kind=asked.kind, points=asked.points, cause=cause)


def reject(*, adjustment_id: int, by: AbstractBaseUser) -> None:
    """Raises Undecidable."""
    with transaction.atomic():
        _decide(adjustment_id, State.REJECTED, by)


def _decide(adjustment_id: int, state: str, by: AbstractBaseUser) -> StarAdjustment:
    asked = StarAdjustment.objects.select_for_update(of=("self",)).select_related("requested_by").get(pk=adjustment_id)
    if asked.state != State.REQUESTED:
        raise Undecidable(f"{asked} is {asked.state} already.")
    if asked.requested_by_id == by.pk:
        raise Undecidable(f"{asked} is your own request: another person decides it.")
    asked.state, asked.decided_by_id, asked.decided_at = state, by.pk, timezone.now()
    asked.save(update_fields=["state", "decided_by", "decided_at"])
    return asked
