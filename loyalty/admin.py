"""The core in the admin: stores, REST clients and their keys, and what the product keeps count of."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.db.models import Count, JSONField, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from loyalty import authentication, staff_admin  # noqa: F401 (it registers itself)
from loyalty.admin_site import QuickListAdmin, ReadOnlyAdmin
from loyalty.models import (
    ApiClient,
    ApiKey,
    Budget,
    CustomerToken,
    IdempotencyKey,
    SiebelRequest,
    SiebelWrite,
    Store,
)
from loyalty.scopes import Scope


@admin.register(Store)
class StoreAdmin(QuickListAdmin):
    list_display = ("number", "name", "kind", "is_open")
    list_filter = ("kind", "is_open")
    search_fields = ("number__startswith", "name__icontains")


class ScopesField(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[(scope.value, f"{scope.value}: {gettext(scope.label)}") for scope in Scope], **kwargs)


class LinesField(forms.CharField):
    """A list of texts, typed one a line."""

    widget = AdminTextareaWidget(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return _lines(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _lines(data or "") != (initial or [])


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@admin.register(ApiClient)
class ApiClientAdmin(QuickListAdmin):
    list_display = ("name", "may", "is_active", "is_gateway", "live_keys", "expires_at")
    list_filter = ("is_active", "is_gateway", "expires_at")
    search_fields = ("name__icontains",)
    fields = (
        "name",
        "is_active",
        "expires_at",
        "scopes",
        "networks",
        "is_gateway",
        "source_codes",
        "partner_codes",
    )

    @admin.display(description="scopes")
    def may(self, client: ApiClient) -> str:
        return ", ".join(client.scopes)

    @admin.display(description="live keys")
    def live_keys(self, client: Any) -> int:
        return int(client.live)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        live = Count("keys", filter=Q(keys__revoked_at=None))
        clients: QuerySet[Any] = super().get_queryset(request).annotate(live=live)
        return clients

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if not isinstance(db_field, JSONField):
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        form_class = ScopesField if db_field.name == "scopes" else LinesField
        return form_class(required=False, label=capfirst(db_field.verbose_name), help_text=db_field.help_text)

    def response_add(self, request: HttpRequest, obj: ApiClient, post_url_continue: str | None = None) -> HttpResponse:
        self._issue_key(request, obj)
        return super().response_add(request, obj, post_url_continue)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], Any]:
        """A client's keys go with it, though nobody may delete a key alone."""
        doomed, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return doomed, counts, lacking - {str(ApiKey._meta.verbose_name)}, protected

    def get_urls(self) -> list[URLPattern]:
        """Below a client: its keys. The forms that post there are in its change_form.html."""
        view, info = self.admin_site.admin_view, "loyalty_apiclient"
        keys = [
            path("<int:client_id>/keys/new/", view(require_POST(self.new_key)), name=f"{info}_new_key"),
            path(
                "<int:client_id>/keys/<int:key_id>/revoke/",
                view(require_POST(self.revoke_key)),
                name=f"{info}_revoke_key",
            ),
        ]
        return keys + super().get_urls()

    def new_key(self, request: HttpRequest, client_id: int) -> HttpResponse:
        client = self._changeable(request, client_id)
        try:
            self._issue_key(request, client)
        except ValueError as refused:
            messages.error(request, str(refused))
        return redirect("admin:loyalty_apiclient_change", client.pk)

    def revoke_key(self, request: HttpRequest, client_id: int, key_id: int) -> HttpResponse:
        client = self._changeable(request, client_id)
        key = get_object_or_404(client.keys, pk=key_id)
        if key.revoked_at is None:
            authentication.revoke_key(key)
            self.log_change(request, client, gettext("Revoked the key %s") % key)
        messages.success(request, gettext("The key %s is revoked.") % key)
        return redirect("admin:loyalty_apiclient_change", client.pk)

    def _changeable(self, request: HttpRequest, client_id: int) -> ApiClient:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return get_object_or_404(ApiClient, pk=client_id)

    def _issue_key(self, request: HttpRequest, client: ApiClient) -> None:
        """Make a key and show it, this once. Raises ValueError where there are two live ones."""
        row, key = authentication.issue_key(client)
        self.log_change(request, client, gettext("Made the key %s") % row)
        said = gettext("The key of %(client)s, shown this once:") % {"client": client}
        messages.success(request, format_html('{} <code style="user-select: all">{}</code>', said, key))


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """To find whose a key is by its first characters; it is made and revoked on its client's page."""

    list_display = ("__str__", "client", "created_at", "revoked_at")
    list_filter = ("created_at", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("client",)
    search_fields = ("prefix__startswith", "client__name__icontains")
    fields = ("prefix", "client", "created_at", "revoked_at")


@admin.register(CustomerToken)
class CustomerTokenAdmin(ReadOnlyAdmin):
    list_display = ("id", "customer_id", "created_at", "expires_at", "revoked_at")
    list_filter = ("created_at", "expires_at", ("revoked_at", admin.EmptyFieldListFilter))
    ordering = ("-id",)
    search_fields = ("customer_id__exact",)
    fields = ("customer_id", "created_at", "expires_at", "revoked_at")


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin):
    """A list alone: a page of one would have the key in its address."""

    list_display = ("updated_at", "attempts", "total", "locks")
    list_display_links = None
    list_filter = ("updated_at", "locks")
    ordering = ("-updated_at",)
    fields = ("updated_at", "total", "locks")

    @admin.display(description="attempts that count")
    def attempts(self, budget: Budget) -> int:
        return len(budget.hits)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_view_permission(request)


@admin.register(SiebelRequest)
class SiebelRequestAdmin(ReadOnlyAdmin):
    list_display = ("request_id", "service", "method", "created_at")
    list_filter = ("created_at",)
    ordering = ("-created_at",)
    search_fields = ("request_id__exact",)
    fields = ("request_id", "service", "method", "created_at")


@admin.register(SiebelWrite)
class SiebelWriteAdmin(ReadOnlyAdmin):
    """What is unknown after several asks could not be settled: somebody looks into Siebel."""

    list_display = ("sent_at", "service", "method", "state", "asks", "settled_at", "trace_id")
    list_filter = ("state", "sent_at")
    search_fields = ("request_id__exact", "trace_id__exact")
    search_help_text = "A RequestId, or the request id of an answer."
    fields = ("request_id", "service", "method", "trace_id", "state", "sent_at", "settled_at", "asks", "ask_at")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("operation", "caller", "created_at", "runs", "is_answered")
    list_filter = ("created_at", "operation")
    search_fields = ("caller__exact",)
    fields = ("operation", "caller", "created_at", "runs", "leased_until", "has_written", "is_answered")

    @admin.display(description="answered", boolean=True)
    def is_answered(self, key: IdempotencyKey) -> bool:
        return bool(key.answer)
