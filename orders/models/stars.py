"""The star ledger, and what staff want entered in it."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

MOST_POINTS = 9_999_999


class StarEntry(models.Model):
    """One line of the star ledger; nobody changes or deletes it, the database sees to that.

    A member's entries are numbered from 1; each balance is the one before it plus its points.
    """

    class Kind(models.TextChoices):
        EARN = "earn"
        REDEEM = "redeem"
        EXPIRE = "expire"
        ADJUST = "adjust"

    member = models.ForeignKey("customers.Member", on_delete=models.PROTECT, related_name="star_entries")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    points = models.IntegerField()
    balance = models.PositiveIntegerField(help_text="After it.")
    source = models.CharField(max_length=80, help_text="Where it comes from.")
    key = models.CharField(max_length=120, unique=True, help_text="What it stands for; entered once.")
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=80)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "star entries"
        constraints = (
            models.UniqueConstraint(fields=("member", "position"), name="star_entry_numbered_a_member"),
            models.CheckConstraint(
                condition=Q(kind="earn", points__gt=0)
                | Q(kind__in=("redeem", "expire"), points__lt=0)
                | Q(kind="adjust") & ~Q(points=0),
                name="star_entry_has_the_sign_of_its_kind",
            ),
        )

    def __str__(self) -> str:
        return f"{self.member_id} {self.points:+}"


class StarAdjustment(models.Model):
    """Stars that staff give or take: one asks, with a reason, and another one decides."""

    class Kind(models.TextChoices):
        ADJUST = "adjust"
        EXPIRE = "expire"

    class State(models.TextChoices):
        REQUESTED = "requested"
        APPROVED = "approved"
        REJECTED = "rejected"

    member = models.ForeignKey("customers.Member", on_delete=models.PROTECT, related_name="star_adjustments")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ADJUST)
    points = models.IntegerField(
        validators=[MinValueValidator(-MOST_POINTS), MaxValueValidator(MOST_POINTS)],
        help_text="Below zero: taken. What expires is below zero.",
    )
    reason = models.CharField(max_length=200)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        permissions = (("approve_staradjustment", "Can approve or reject another's star adjustment"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="adjust") & ~Q(points=0) | Q(kind="expire", points__lt=0),
                name="star_adjustment_has_the_sign_of_its_kind",
                violation_error_message="Points are not zero; what expires is below zero.",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="star_adjustment_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state="requested", decided_by=None, decided_at=None)
                | Q(state__in=("approved", "rejected"), decided_by__isnull=False, decided_at__isnull=False),
                name="star_adjustment_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                name="star_adjustment_decided_by_another",
            ),
        )

    def __str__(self) -> str:
        return f"adjustment {self.pk}: {self.points:+} for {self.member_id}"
