"""What a card must know of members, whose rows belong to `customers` above: their status, by id."""

from django.db import models

from cards.models import Card


class MemberStatus(models.TextChoices):
    OPEN = "Open", "Open: pre-created with a card, nobody's yet"
    ACTIVE = "Active", "Active: a customer"
    INACTIVE = "Inactive", "Inactive: blocked by staff"
    CLOSED = "Closed", "Closed"


def status_of(member_id: str) -> str | None:
    """The member's status, or nothing for an unknown id."""
    member = Card._meta.get_field("member").related_model
    return member._default_manager.filter(pk=member_id).values_list("status", flat=True).first()


def is_active_customer(member_id: str) -> bool:
    return status_of(member_id) == MemberStatus.ACTIVE
