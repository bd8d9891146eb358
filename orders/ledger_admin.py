"""Stars and partners in the admin: what was entered, what partners reported, what was refused."""

from django.contrib import admin

from loyalty.admin_site import ReadOnlyAdmin
from orders.models import PartnerTransaction, RefusedTransaction, StarEntry


@admin.register(StarEntry)
class StarEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "member", "position", "kind", "points", "balance", "source", "reason", "actor")
    list_filter = ("kind", "at")
    list_select_related = ("member",)
    search_fields = ("member__customer_id__exact", "key__exact")
    search_help_text = "A customer id, or a key such as “receipt AMS 4711”."
    fields = (*list_display, "key", "request_id")


@admin.register(PartnerTransaction)
class PartnerTransactionAdmin(ReadOnlyAdmin):
    list_display = (
        "receipt_number",
        "source_code",
        "partner_code",
        "member",
        "points",
        "amount",
        "external_identity",
        "txn_at",
        "created_at",
    )
    list_filter = ("created_at",)
    list_select_related = ("member",)
    search_fields = (
        "receipt_number__exact",
        "transaction_id__exact",
        "member__customer_id__exact",
        "external_identity__exact",
    )
    search_help_text = "A receipt number, transaction id, customer id or SVC card number."
    fields = (
        "transaction_id",
        *list_display,
        "card_number",
        "type_code",
        "product_code",
        "quantity",
        "store",
        "operator",
        "reserve1",
        "reserve2",
        "reserve3",
        "star_balance",
        "actor",
        "request_id",
    )


@admin.register(RefusedTransaction)
class RefusedTransactionAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "partner_code",
        "source_code",
        "receipt_number",
        "customer_id",
        "points",
        "amount",
        "reason",
    )
    list_filter = ("created_at",)
    search_fields = ("receipt_number__exact",)
    search_help_text = "A receipt number."
    fields = (*list_display, "actor", "request_id")
