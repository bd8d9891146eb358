"""Star adjustments in the admin: whoever may add asks, whoever may approve decides, never both for one."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext

from loyalty import errors
from loyalty.admin_site import QuickListAdmin
from orders import adjustments
from orders.models import StarAdjustment


@admin.register(StarAdjustment)
class StarAdjustmentAdmin(QuickListAdmin):
    ASKED = ("member", "kind", "points", "reason")

    list_display = ("id", *ASKED, "state", "requested_by", "requested_at", "decided_by", "decided_at")
    list_filter = ("state", "kind", "requested_at")
    list_select_related = ("member", "requested_by", "decided_by")
    search_fields = ("member__customer_id__exact",)
    search_help_text = "A customer id."
    raw_id_fields = ("member",)
    actions = ("approve", "reject")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.ASKED if obj is None else self.list_display[1:]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.approve_staradjustment")

    def save_model(self, request: HttpRequest, obj: StarAdjustment, form: Any, change: bool) -> None:
        """A new request is whoever's who is logged in."""
        obj.requested_by_id = request.user.pk  # type: ignore[assignment]  # nobody is here without a log-in
        super().save_model(request, obj, form, change)

    @admin.action(description="Approve: enter it in the ledger", permissions=("approve",))
    def approve(self, request: HttpRequest, queryset: QuerySet[StarAdjustment]) -> None:
        self._decide(request, queryset, adjustments.approve, gettext("Approved"))

    @admin.action(description="Reject", permissions=("approve",))
    def reject(self, request: HttpRequest, queryset: QuerySet[StarAdjustment]) -> None:
        self._decide(request, queryset, adjustments.reject, gettext("Rejected"))

    def _decide(self, request: HttpRequest, asked: QuerySet[Any], decide: Callable[..., None], done: str) -> None:
        for adjustment in asked.order_by("pk"):
            try:
                decide(adjustment_id=adjustment.pk, by=request.user)
            except (adjustments.Undecidable, errors.Refusal) as refused:
                text = gettext(refused.message if isinstance(refused, errors.Refusal) else str(refused))
                self.message_user(request, f"{adjustment}: {text}", messages.ERROR)
            else:
                self.log_change(request, adjustment, f"{done}.")
                self.message_user(request, f"{done}: {adjustment}")
