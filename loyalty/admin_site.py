"""What our admin pages have in common: lists that stay quick with a million rows, and rows that staff only look at."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property


class CappedPaginator(Paginator):
    """Counts, and shows, the first 10,000 rows at most: whoever looks further searches or filters."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.most].count())


class QuickListAdmin(admin.ModelAdmin):
    """Never counts a whole table."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER


class ReadOnlyAdmin(QuickListAdmin):
    """Rows that the product writes itself. A page shows what `fields` or `fieldsets` name: no secret gets in by itself.

    An action with `permissions=("act",)` is for staff who hold the change permission.
    """

    MOST_SELECTED = 1000

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The rows of an action, or none of them, with a message, where *select all* would take too many."""
        rows = list(queryset[: self.MOST_SELECTED + 1])
        if len(rows) > self.MOST_SELECTED:
            self.message_user(request, f"Select {self.MOST_SELECTED} rows at most.", messages.ERROR)
            return []
        return rows


class ReadOnlyInline(admin.TabularInline):
    """The same for rows on another row's page; they too name their `fields`."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"size": 80}))


class ReasonedAdmin(ReadOnlyAdmin):
    """Actions that can't be taken back lightly: a page asks for the reason, and whether it is meant."""

    def reason_for(self, request: HttpRequest, queryset: QuerySet[Any], *, warning: str) -> str | HttpResponse:
        """The reason that was given, or the page that asks for it. `warning` says what will happen."""
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            return str(form.cleaned_data["reason"])
        action = request.POST["action"]
        return TemplateResponse(
            request,
            "admin/reason.html",
            {
                **self.admin_site.each_context(request),
                "title": dict(self.get_action_choices(request))[action],
                "opts": self.opts,
                "rows": list(queryset),
                "action": action,
                "warning": warning,
                "form": form,
            },
        )
