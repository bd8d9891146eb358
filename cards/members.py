"""What a card must know of members, whose rows belong to `customers` above: their status, by id."""

from typing import Any

from django.db import models

from cards.models import ATTACHED, Card
from loyalty import errors


class MemberStatus(models.TextChoices):
    OPEN = "Open", "Open: pre-created with a card, nobody's yet"
    ACTIVE = "Active", "Active: a customer"
    INACTIVE = "Inactive", "Inactive: blocked by staff"
    CLOSED = "Closed", "Closed"


def status_of(member_id: str) -> str | None:
    """The member's status, or nothing for an unknown id."""
    status: str | None = _rows(member_id).values_list("status", flat=True).first()
    return status


def is_active_customer(member_id: str) -> bool:
    return status_of(member_id) == MemberStatus.ACTIVE


def holder_of(card_number: str) -> str:
    """The customer whose card it is now, or nothing for one that is attached to nobody. Raises CardNotFound."""
    card = Card.objects.filter(number=card_number).values_list("customer_id", "status").first()
    if card is None:
        raise errors.CardNotFound
    customer_id, status = card
    return customer_id if customer_id and status in ATTACHED else ""


def lock_customer(member_id: str) -> None:
    """Hold an active customer's row to the end of the transaction. Raises InvalidMemberID."""
    locked = _rows(member_id).select_for_update().values_list("status", flat=True).first()
    if locked != MemberStatus.ACTIVE:
        raise errors.InvalidMemberID


def _rows(member_id: str) -> Any:
    member = Card._meta.get_field("member").related_model
    return member._default_manager.filter(pk=member_id)
