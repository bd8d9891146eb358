"""What our admin pages have in common: lists that stay quick with a million rows, and rows that staff only look at."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staff import audit, masks


class CappedPaginator(Paginator):
    """Counts, and shows, the first 10,000 rows at most: whoever looks further searches or filters."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.most].count())


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200, widget=forms.TextInput(attrs={"size": 60}))


class QuickListAdmin(masks.MaskedColumns, audit.AuditedAdmin, admin.ModelAdmin):
    """Never counts a whole table; masks what is in `masked`; every change is in the audit."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """By columns that the list shows or filters by, or as it searches: no other is guessed letter by letter."""
        root = lookup.partition("__")[0]
        entries: Any = self.get_list_filter(request)
        filters = [
            entry[0] if isinstance(entry, tuple) else getattr(entry, "parameter_name", entry) for entry in entries
        ]
        hidden = [] if request.user.has_perm(masks.VIEW) else self.masked
        shown = {"pk", self.opts.pk.attname, *self.list_display, *filters} - set(hidden)
        if root not in shown and lookup not in self.get_search_fields(request):
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view(self.unmask), f"{self.opts.app_label}_{self.opts.model_name}_unmask"
        return [path("<path:object_id>/unmask/", view, name=name), *super().get_urls()]

    def unmask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One row's personal data in full, once, for a reason that the audit keeps."""
        row = self.get_object(request, object_id)
        if row is None or not self.masked or not self.has_view_permission(request, row):
            raise PermissionDenied
        if not request.user.has_perm(masks.UNMASK):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        shown: list[tuple[str, str]] = []
        if request.method == "POST" and form.is_valid():
            audit.note(request, audit.Kind.LOOK, row, changes={}, reason=form.cleaned_data["reason"])
            names = [name for name in self.masked if "__" not in name]
            shown = [(str(label_for_field(name, self.model)), getattr(row, name)) for name in names]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Show in full"),
            "opts": self.opts,
            "row": row,
            "form": form,
            "shown": shown,
        }
        return TemplateResponse(request, "admin/unmask.html", context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row, may = kwargs.get("obj"), request.user.has_perm(masks.UNMASK) and not request.user.has_perm(masks.VIEW)
        if row is not None and self.masked and may:
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_unmask"
            context["unmask_url"] = reverse(name, args=[row.pk])
        return super().render_change_form(request, context, *args, **kwargs)


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
            self.message_user(
                request, _("Select %(most)d rows at most.") % {"most": self.MOST_SELECTED}, messages.ERROR
            )
            return []
        return rows


class ReadOnlyInline(masks.MaskedColumns, admin.TabularInline):
    """The same for rows on another row's page; they too name their `fields`."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
