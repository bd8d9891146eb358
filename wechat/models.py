"""The card pool and the batches that fill it. These rows are ours, whatever CRM stands behind."""

import math
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Batch(models.Model):
    """One card file on its way into the pool."""

    class State(models.TextChoices):
        QUEUED = "queued"
        IMPORTING = "importing"
        DONE = "done"
        FAILED = "failed"

    file_name = models.CharField(max_length=120, help_text="Its name on the file server.")
    sent_as = models.CharField(max_length=255, blank=True, help_text="What the file was called where it came from.")
    spooled = models.BooleanField(default=False, help_text="It came over HTTP and waits in the spool folder.")
    from_inbox = models.BooleanField(default=False, help_text="A partner left it in the file server's inbox.")
    stored = models.BooleanField(default=False, help_text="What came over HTTP is on the file server, too.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the content that is imported.")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    problem = models.CharField(max_length=200, blank=True, help_text="Why it failed as a whole, or what it waits for.")
    bytes_total = models.PositiveBigIntegerField(default=0)
    bytes_read = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0, help_text="Rows read so far, the header and blank lines left out.")
    imported = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0, help_text="Cards that the pool had already.")
    rejected = models.PositiveIntegerField(default=0)
    line = models.PositiveIntegerField(default=1, help_text="The last line that has been dealt with.")
    client = models.ForeignKey("loyalty.ApiClient", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    published_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Starts since the last progress.")
    leased_until = models.DateTimeField(null=True, blank=True, help_text="A worker is at it until then.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When the worker took it that is at it now.")
    started_rows = models.PositiveIntegerField(default=0, help_text="Rows that were read before that.")
    started_bytes = models.PositiveBigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "batches"
        indexes = (
            models.Index(fields=("id",), condition=Q(state__in=("queued", "importing")), name="batch_unfinished"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("sha256",),
                condition=Q(from_inbox=True) & ~Q(sha256="") & ~Q(state="failed"),
                name="batch_inbox_content_once",
            ),
        )

    def __str__(self) -> str:
        return f"batch {self.pk} ({self.file_name})"

    @property
    def has_ended(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)

    def rows_per_second(self, now: datetime) -> float:
        """Since the present worker took it; 0 where nobody is at it."""
        return (self.rows - self.started_rows) / self._seconds_at_it(now)

    def seconds_left(self, now: datetime) -> float | None:
        """At the pace of the present worker; None where there is none yet."""
        pace = (self.bytes_read - self.started_bytes) / self._seconds_at_it(now)
        return (self.bytes_total - self.bytes_read) / pace if pace else None

    def _seconds_at_it(self, now: datetime) -> float:
        if self.state != self.State.IMPORTING or self.started_at is None:
            return math.inf
        return max((now - self.started_at).total_seconds(), 0.001)

    @property
    def percent(self) -> int:
        if self.state == self.State.DONE:
            return 100
        return min(100, self.bytes_read * 100 // self.bytes_total) if self.bytes_total else 0


class RejectedRow(models.Model):
    """A line that was not taken, and why; never its PIN."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="rejected_rows")
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ("batch", "line")
        constraints = (models.UniqueConstraint(fields=("batch", "line"), name="rejected_row_once_a_line"),)

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class InboxFile(models.Model):
    """A file of the inbox as it was last seen; `batch` once it has stopped growing and is imported."""

    name = models.CharField(max_length=255, unique=True)
    size = models.PositiveBigIntegerField()
    modified = models.BigIntegerField(help_text="Seconds of the file server's clock.")
    seen_at = models.DateTimeField(help_text="Since when it has looked like this.")
    batch = models.OneToOneField(Batch, on_delete=models.SET_NULL, null=True, blank=True, related_name="inbox_file")

    def __str__(self) -> str:
        return self.name


class PoolCard(models.Model):
    """A card to be handed out, once, ever."""

    class Status(models.TextChoices):
        POOLED = "Pooled"
        ISSUED = "Issued"
        UNREADABLE = "Unreadable", "Unreadable: its PIN can't be decrypted; kept out of the pool"
        SET_ASIDE = "SetAside", "Set aside: no longer free when its turn came"

    number = models.CharField(max_length=30, unique=True)
    pin = models.CharField(max_length=300, blank=True, help_text="Encrypted; forgotten once the card is handed out.")
    customer_id = models.CharField(max_length=15)
    end_date = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.POOLED)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="cards")
    issued_at = models.DateTimeField(null=True, blank=True)
    issued_to = models.ForeignKey(
        "loyalty.ApiClient", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    request_id = models.CharField(max_length=64, blank=True, help_text="Of the request that it was handed out to.")
    problem = models.CharField(max_length=60, blank=True, help_text="Why it was set aside.")
    way = models.CharField(max_length=11, blank=True, help_text="How it left the pool.")
    left_at = models.DateTimeField(null=True, blank=True)
    crm_status = models.CharField(max_length=10, blank=True, help_text="What the CRM called it when it was last asked.")
    asked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=("batch", "id"), condition=Q(status="Pooled"), name="pool_card_next"),
            models.Index(fields=("-issued_at",), condition=Q(status="Issued"), name="pool_card_issued"),
            models.Index(
                fields=("asked_at",), condition=Q(status="Issued", crm_status="Active"), name="pool_card_unregistered"
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status="Pooled", issued_at=None) & ~Q(pin="")
                | Q(status="Issued", issued_at__isnull=False, pin="")
                | Q(status="Unreadable", issued_at=None)
                | Q(status="SetAside", issued_at=None, pin=""),
                name="pool_card_issued_has_a_time_and_no_pin",
            ),
        )

    def __str__(self) -> str:
        return f"…{self.number[-4:]}"


class Departure(models.Model):
    """A card that left the pool, how, when, and for whom: one row a card, ever, that nobody changes.

    The database writes it by itself when a card's status is no longer Pooled.
    """

    class Way(models.TextChoices):
        GET_CARD = "getCard", "Handed out by getCard"
        REPLACEMENT = "replacement", "Sent to replace a lost card"
        SET_ASIDE = "set aside", "Set aside"
        UNREADABLE = "unreadable", "Kept back: its PIN does not open"

    card = models.OneToOneField(PoolCard, on_delete=models.PROTECT, primary_key=True, related_name="departure")
    way = models.CharField(max_length=11, choices=Way)
    client = models.ForeignKey("loyalty.ApiClient", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.get_way_display()}: {self.card_id}"


class PoolDay(models.Model):
    """How many cards left the pool on a day, as far as they have been counted."""

    day = models.DateField(primary_key=True)
    departures = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-day",)

    def __str__(self) -> str:
        return f"{self.day}: {self.departures}"


class PoolLevel(models.Model):
    """How full the pool is: one row, written each minute, so that nobody counts the pool to know."""

    ONLY = 1

    cards = models.PositiveIntegerField(default=0, help_text="Pooled cards.")
    days_left = models.FloatField(null=True, help_text="At the pace of the last seven days; empty where none left.")
    is_low = models.BooleanField(default=False)
    counted_until = models.DateTimeField(help_text="Departures before that are in the counts by day.")
    at = models.DateTimeField()

    def __str__(self) -> str:
        left = "" if self.days_left is None else f", {self.days_left:.0f} days"
        return f"{self.cards:,} cards{left}"
