"""The card pool in the admin: what came in, how far each file has got, which lines were not taken, who drew what."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from loyalty.admin_site import ReadOnlyAdmin
from wechat import level, verdicts
from wechat.models import Batch, Departure, InboxFile, PoolCard, PoolDay, PoolLevel, RejectedRow


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    REJECTED_SHOWN = 100

    list_display = (
        "id",
        "file_name",
        "state",
        "progress",
        "pace",
        "rows",
        "imported",
        "duplicates",
        "rejected",
        "created_at",
        "client",
    )
    list_display_links = ("id", "file_name")
    list_filter = ("state", "created_at", "client")
    list_select_related = ("client",)
    search_fields = ("id__exact", "file_name__startswith", "sent_as__startswith")
    search_help_text = "A batch id, or the beginning of a file name."
    fieldsets = (
        (None, {"fields": ("file_name", "sent_as", "state", "progress", "pace", "problem", "client", "request_id")}),
        ("Rows", {"fields": ("rows", "imported", "duplicates", "rejected", "cards", "rejected_lines")}),
        ("Import", {"fields": ("spooled", "bytes_total", "bytes_read", "line", "attempts", "sha256")}),
        ("Times", {"fields": ("created_at", "published_at", "started_at", "leased_until", "finished_at")}),
    )

    @admin.display(description="progress")
    def progress(self, batch: Batch) -> str:
        return format_html('<progress max="100" value="{0}"></progress>&nbsp;{0}&nbsp;%', batch.percent)

    @admin.display(description="pool cards")
    def cards(self, batch: Batch) -> str:
        url = reverse("admin:wechat_poolcard_changelist")
        return format_html('<a href="{}?batch__id__exact={}">The cards of this batch</a>', url, batch.pk)

    @admin.display(description="rejected lines")
    def rejected_lines(self, batch: Batch) -> str:
        shown = list(batch.rejected_rows.order_by("line").values_list("line", "reason")[: self.REJECTED_SHOWN])
        if not shown:
            return "-"
        return format_html(
            '<table><tr><th>Line</th><th>Reason</th></tr>{}</table><a href="{}">All rejected lines as CSV</a>',
            format_html_join("", "<tr><td>{}</td><td>{}</td></tr>", shown),
            reverse("admin:wechat_batch_verdicts", args=[batch.pk]),
        )

    @admin.display(description="pace")
    def pace(self, batch: Batch) -> str:
        now = timezone.now()
        left = batch.seconds_left(now)
        if left is None:
            return "-"
        return f"{batch.rows_per_second(now):,.0f} rows a second, {timedelta(seconds=round(left))} left"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.verdicts)
        return [path("<int:batch_id>/verdicts.csv", view, name="wechat_batch_verdicts"), *super().get_urls()]

    def verdicts(self, request: HttpRequest, batch_id: int) -> StreamingHttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(Batch, pk=batch_id)
        rejected = batch.rejected_rows.order_by("line").values_list("line", "reason").iterator(chunk_size=2000)
        return StreamingHttpResponse(
            verdicts.as_csv(rejected),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="batch-{batch.pk:08}-rejected.csv"'},
        )


@admin.register(InboxFile)
class InboxFileAdmin(ReadOnlyAdmin):
    """What lies in the file server's inbox."""

    list_display = ("name", "size", "seen_at", "batch")
    list_select_related = ("batch",)
    ordering = ("name",)
    search_fields = ("name__startswith",)
    fields = ("name", "size", "seen_at", "batch")


@admin.register(RejectedRow)
class RejectedRowAdmin(ReadOnlyAdmin):
    list_display = ("line", "reason", "batch")
    list_select_related = ("batch",)
    ordering = ("-batch_id", "line")
    search_fields = ("batch__file_name__startswith",)
    search_help_text = "The beginning of a file name."
    fields = ("batch", "line", "reason")


class LeftUnregistered(admin.SimpleListFilter):
    title = "left unregistered"
    parameter_name = "unregistered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(days), f"handed out over {days} days ago") for days in (1, 7, 30)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PoolCard]) -> QuerySet[PoolCard]:
        """As the CRM last said, see following.py."""
        if self.value() is None:
            return queryset
        before = timezone.now() - timedelta(days=int(self.value() or 0))
        return queryset.filter(status=PoolCard.Status.ISSUED, crm_status="Active", issued_at__lt=before)


@admin.register(PoolCard)
class PoolCardAdmin(ReadOnlyAdmin):
    masked = ("number",)
    list_display = ("number", "status", "problem", "batch", "issued_to", "issued_at", "crm_status")
    list_filter = ("status", LeftUnregistered, "issued_at", "issued_to")
    list_select_related = ("batch", "issued_to")
    search_fields = ("number__startswith",)
    search_help_text = "A card number or its beginning."
    fieldsets = (
        (None, {"fields": ("number", "status", "problem", "customer_id", "end_date", "batch")}),
        ("Handed out", {"fields": ("issued_to", "issued_at", "request_id", "crm_status", "asked_at")}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With the level of the pool above the list."""
        now = level.current()
        if now and now.is_low:
            messages.warning(request, f"The pool is low: {now}.")
        return super().changelist_view(request, {**(extra_context or {}), "subtitle": now and f"In the pool: {now}"})


@admin.register(Departure)
class DepartureAdmin(ReadOnlyAdmin):
    """Which card went to whom, by which request."""

    list_display = ("card", "way", "at", "client", "request_id")
    list_filter = ("way", "at", "client")
    list_select_related = ("card", "client")
    search_fields = ("card__number__exact", "request_id__exact")
    search_help_text = "A card number, or the id of a request."
    fields = ("card", "way", "at", "client", "request_id")


@admin.register(PoolDay)
class PoolDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "departures")
    list_display_links = None
    fields = ("day", "departures")


@admin.register(PoolLevel)
class PoolLevelAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "is_low", "at")
    fields = ("cards", "days_left", "is_low", "at")
