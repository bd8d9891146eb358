"""What partners reported: taken, refused, and told back to them day by day."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from loyalty.ids import new_row_id


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
