"""What customers bought and what they were given for it."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from loyalty.ids import new_row_id

MOST_POINTS = 9_999_999


class Order(models.Model):
    """A purchase, as the shop's system reported it."""

    order_id = models.CharField(max_length=15, primary_key=True, default=new_row_id, editable=False)
    number = models.CharField(max_length=60, unique=True, help_text="The shop's own number.")
    member = models.ForeignKey("customers.Member", on_delete=models.PROTECT, related_name="orders")
    store = models.ForeignKey("loyalty.Store", on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField()
    total_amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3, default="CNY")
    stars = models.IntegerField(default=0)
    item_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-ordered_at", "-order_id")
        indexes = (models.Index(fields=("member", "-ordered_at", "-order_id"), name="order_newest_of_a_member"),)

    def __str__(self) -> str:
        return self.number


class OrderItem(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    product_code = models.CharField(max_length=60)
    product_name = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField(default=1)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_name}"


class Reward(models.Model):
    """A voucher: given, then used or expired."""

    class Status(models.TextChoices):
        UNUSED = "Unused"
        USED = "Used"
        EXPIRED = "Expired"

    reward_id = models.CharField(max_length=15, primary_key=True, default=new_row_id, editable=False)
    member = models.ForeignKey("customers.Member", on_delete=models.PROTECT, related_name="rewards")
    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.UNUSED)
    issued_at = models.DateTimeField(default=timezone.now)
    expiry_date = models.DateField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-issued_at", "-reward_id")
        indexes = (
            models.Index(fields=("member", "-issued_at", "-reward_id"), name="reward_newest_of_a_member"),
            models.Index(fields=("expiry_date",), condition=Q(status="Unused"), name="reward_unused_by_last_day"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status="Used", used_at__isnull=False) | (~Q(status="Used") & Q(used_at=None)),
                name="reward_used_has_a_time",
            ),
        )

    def __str__(self) -> str:
        return self.code


class PartnerTransaction(models.Model):
    """What a partner reported, once a receipt. With an external identity its amount is that SVC card's balance."""

    transaction_id = models.CharField(max_length=15, primary_key=True, default=new_row_id, editable=False)
    source_code = models.CharField(max_length=30)
    receipt_number = models.CharField(max_length=60, db_index=True)
    fingerprint = models.CharField(max_length=64, editable=False, help_text="Of the whole content.")
    partner_code = models.CharField(max_length=30)
    member = models.ForeignKey("customers.Member", on_delete=models.PROTECT, related_name="partner_transactions")
    card_number = models.CharField(max_length=30, blank=True, help_text="The card that named the customer.")
    external_identity = models.CharField("SVC card", max_length=60, blank=True)
    type_code = models.CharField(max_length=20)
    product_code = models.CharField(max_length=60)
    quantity = models.PositiveIntegerField()
    points = models.IntegerField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    txn_at = models.DateTimeField("transaction time")
    operator = models.CharField(max_length=60, blank=True)
    store = models.ForeignKey("loyalty.Store", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reserve1 = models.CharField(max_length=200, blank=True)
    reserve2 = models.CharField(max_length=200, blank=True)
    reserve3 = models.CharField(max_length=200, blank=True)
    star_balance = models.IntegerField(help_text="After it.")
    effective_at = models.DateTimeField(help_text="The transaction's time, never later than its arrival.")
    actor = models.CharField(max_length=80)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-created_at", "-transaction_id")
        indexes = (
            models.Index(fields=("-created_at", "-transaction_id"), name="partner_txn_newest"),
            models.Index(fields=("partner_code", "created_at"), name="partner_txn_of_a_partner"),
            models.Index(
                fields=("member", "-effective_at", "-created_at"),
                condition=~Q(external_identity=""),
                name="partner_txn_svc_of_a_member",
            ),
            models.Index(fields=("external_identity", "-effective_at"), name="partner_txn_of_an_svc_card"),
        )
        constraints = (
            models.UniqueConstraint(fields=("source_code", "receipt_number"), name="partner_txn_once_a_receipt"),
        )

    def __str__(self) -> str:
        return f"{self.source_code} {self.receipt_number}"


class RefusedTransaction(models.Model):
    """What a partner reported in vain, for the partner's reconciliation; kept for a while."""

    partner_code = models.CharField(max_length=30)
    source_code = models.CharField(max_length=30)
    receipt_number = models.CharField(max_length=60, db_index=True)
    customer_id = models.CharField(max_length=30, blank=True, help_text="As the partner named it.")
    points = models.IntegerField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reason = models.CharField(max_length=60)
    actor = models.CharField(max_length=80)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("partner_code", "created_at"), name="refused_txn_of_a_partner"),)

    def __str__(self) -> str:
        return f"{self.source_code} {self.receipt_number}: {self.reason}"


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


class OrderDay(models.Model):
    """How many orders a member has of one day in Asia/Shanghai; the database itself keeps count."""

    member = models.ForeignKey("customers.Member", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    orders = models.IntegerField()

    class Meta:
        ordering = ("member", "-day")
        constraints = (models.UniqueConstraint(fields=("member", "day"), name="order_day_once_a_member"),)

    def __str__(self) -> str:
        return f"{self.member_id} {self.day}: {self.orders}"


class FileImport(models.Model):
    """A file of orders or rewards on its way in."""

    class State(models.TextChoices):
        IMPORTING = "importing"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=10, choices=[("orders", "orders"), ("rewards", "rewards")])
    file_name = models.CharField(max_length=200)
    working_name = models.CharField(max_length=220, null=True, blank=True, unique=True, help_text="In the inbox.")
    state = models.CharField(max_length=10, choices=State, default=State.IMPORTING)
    problem = models.CharField(max_length=300, blank=True, help_text="Why it failed as a whole.")
    bytes_total = models.PositiveBigIntegerField(default=0)
    bytes_read = models.PositiveBigIntegerField(default=0)
    line = models.PositiveIntegerField(default=0, help_text="The last line that has been dealt with.")
    rows = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0, help_text="Rows that changed nothing.")
    rejected = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Starts since the last progress.")
    leased_until = models.DateTimeField(null=True, blank=True, help_text="Somebody is at it until then.")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"

    @property
    def percent(self) -> int:
        if self.state == self.State.DONE:
            return 100
        return min(100, self.bytes_read * 100 // self.bytes_total) if self.bytes_total else 0


class RejectedLine(models.Model):
    """A row of a file that was not taken, and why."""

    file_import = models.ForeignKey(FileImport, on_delete=models.CASCADE, related_name="rejected_lines")
    line = models.PositiveIntegerField()
    name = models.CharField("number or code", max_length=60, blank=True)
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ("file_import", "line")
        constraints = (models.UniqueConstraint(fields=("file_import", "line"), name="rejected_line_once"),)

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


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


class ReconciliationFile(models.Model):
    """What a partner reported in one day, receipt by receipt; the file lies in RECONCILIATION_DIR."""

    partner_code = models.CharField(max_length=30)
    day = models.DateField()
    accepted = models.PositiveIntegerField()
    refused = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-day", "partner_code")
        constraints = (models.UniqueConstraint(fields=("partner_code", "day"), name="reconciliation_once_a_day"),)

    def __str__(self) -> str:
        return f"{self.partner_code}-{self.day:%Y-%m-%d}.csv"
