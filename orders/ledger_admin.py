"""Stars and partners in the admin: what was entered, what partners reported, what was refused."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from loyalty.admin_site import ReadOnlyAdmin
from orders import reconciliation
from orders.models import PartnerTransaction, ReconciliationFile, RefusedTransaction, StarEntry


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
    masked = ("external_identity", "card_number")
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


@admin.register(ReconciliationFile)
class ReconciliationFileAdmin(ReadOnlyAdmin):
    list_display = ("day", "partner_code", "accepted", "refused", "made_at", "download")
    list_filter = ("day",)
    search_fields = ("partner_code__exact",)
    search_help_text = "A partner code."
    fields = list_display

    @admin.display(description="file")
    def download(self, row: ReconciliationFile) -> str:
        url = reverse("admin:orders_reconciliationfile_download", args=(row.pk,))
        return format_html('<a href="{}">{}</a>', url, row)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.send)
        return [path("<int:row_id>/file/", view, name="orders_reconciliationfile_download"), *super().get_urls()]

    def send(self, request: HttpRequest, row_id: int) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(ReconciliationFile, pk=row_id)
        try:
            file = reconciliation.path_of(row.partner_code, row.day).open("rb")
        except OSError:
            raise Http404 from None
        return FileResponse(file, as_attachment=True, filename=str(row), content_type="text/csv; charset=utf-8")
