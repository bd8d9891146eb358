"""The admin's site: who gets in, and what every page of it shows."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest
from django.template.response import TemplateResponse

from staff import home
from staff.log_in import TotpForm


class Workplace(AdminSite):
    site_header = site_title = index_title = "Loyalty"

    @property
    def login_form(self) -> type[AdminAuthenticationForm]:  # type: ignore[override]
        return TotpForm if settings.STAFF_TOTP else AdminAuthenticationForm

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        shown = home.panels(request)
        alarms = [alarm for _, content in shown for alarm in content.alarms]
        return super().index(request, {**(extra_context or {}), "panels": shown, "alarms": alarms})

    def has_permission(self, request: HttpRequest) -> bool:
        """With STAFF_TOTP a session counts only if a code opened it, however it came about."""
        user: Any = request.user
        return super().has_permission(request) and (not settings.STAFF_TOTP or user.is_verified())
