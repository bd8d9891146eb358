"""The rewards card, with the rules that the database itself keeps."""

from datetime import date

from django.db import models
from django.db.models import Q
from django.utils import timezone

from loyalty import digests


class CardStatus(models.TextChoices):
    INACTIVE = "Inactive"
    ACTIVE = "Active", "Active: sold or pooled, not registered"
    REGISTERED = "Registered", "Registered: attached and live"
    DORMANT = "Dormant", "Dormant: attached, not live"
    IN_TRANSIT = "InTransit", "InTransit: a replacement on its way"
    OBSOLETE = "Obsolete", "Obsolete: lost, stolen or damaged"
    EXPIRED = "Expired"
    CANCELLED = "Cancelled"
    RETURNED = "Returned"
    ABOLISHED = "Abolished"


ATTACHED = (CardStatus.REGISTERED, CardStatus.DORMANT, CardStatus.IN_TRANSIT)
UNATTACHED = (CardStatus.INACTIVE, CardStatus.ACTIVE, CardStatus.EXPIRED, CardStatus.RETURNED, CardStatus.ABOLISHED)


def pin_digest(number: str, pin: str) -> str:
    """A card PIN as it is kept: it can be compared, not read."""
    return digests.keyed("card-pin", number, pin)


class Card(models.Model):
    """A pre-printed card. `member` was created with it; `customer` is who has it now."""

    number = models.CharField(max_length=30, unique=True)
    pin_digest = models.CharField(max_length=64, editable=False)
    status = models.CharField(max_length=10, choices=CardStatus, default=CardStatus.ACTIVE)
    end_date = models.DateField(null=True, blank=True, help_text="Its last day.")
    member = models.OneToOneField("customers.Member", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    customer = models.ForeignKey(
        "customers.Member", on_delete=models.PROTECT, null=True, blank=True, related_name="cards"
    )
    registered_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaces")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("status", "-id"), name="card_by_status"),)
        constraints = (
            models.UniqueConstraint(
                fields=("customer",), condition=Q(status=CardStatus.REGISTERED), name="card_one_registered_a_customer"
            ),
            models.CheckConstraint(condition=Q(status__in=CardStatus.values), name="card_status_is_known"),
            models.CheckConstraint(
                condition=~Q(status__in=ATTACHED) | Q(customer__isnull=False), name="card_attached_has_a_customer"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=UNATTACHED) | Q(customer__isnull=True), name="card_unattached_has_no_customer"
            ),
        )

    def __str__(self) -> str:
        return f"…{self.number[-4:]}"

    def has_pin(self, pin: str) -> bool:
        return digests.matches(self.pin_digest, "card-pin", self.number, pin)

    def has_ended(self, today: date) -> bool:
        return self.end_date is not None and self.end_date < today


class CardEvent(models.Model):
    """One step of a card's life. `actor` is who let it happen, `request_id` the request that asked for it."""

    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="events")
    event = models.CharField(max_length=20)
    source = models.CharField(max_length=10)
    target = models.CharField(max_length=10)
    customer_id = models.CharField(max_length=15, blank=True)
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("customer_id", "-id"), name="card_event_of_a_customer"),)

    def __str__(self) -> str:
        return f"{self.event}: {self.source} → {self.target}"
