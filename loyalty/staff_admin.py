"""Staff in the admin: accounts, roles, and what each of them did."""

from axes import utils as axes
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from loyalty.admin_site import ReadOnlyAdmin
from staff import log_in
from staff.audit import AuditedAdmin
from staff.models import StaffAction

admin.site.unregister((User, Group, TOTPDevice))  # the last one shows secrets


@admin.register(User)
class StaffAdmin(AuditedAdmin, UserAdmin):
    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    actions = ("unlock",)
    change_form_template = "admin/staff_member.html"

    @admin.action(description=_("Forget wrong passwords (unlock)"), permissions=("change",))
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            axes.reset(username=user.get_username())
            self.log_change(request, user, gettext("Forgot wrong passwords."))
        self.message_user(request, gettext("They may try again."))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.authenticator)
        return [path("<int:user_id>/authenticator/", view, name="auth_user_authenticator"), *super().get_urls()]

    def authenticator(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Make a new secret, and show it this once to whoever hands it over."""
        user = get_object_or_404(User, pk=user_id)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("New authenticator"),
            "opts": self.opts,
            "row": user,
        }
        if request.method == "POST":
            device = log_in.renew(user)
            self.log_change(request, user, gettext("Made a secret for an authenticator."))
            context |= {"device": device, "picture": log_in.picture(device)}
        return TemplateResponse(request, "admin/authenticator.html", context)


@admin.register(Group)
class RoleAdmin(AuditedAdmin, GroupAdmin):
    pass


@admin.register(StaffAction)
class StaffActionAdmin(ReadOnlyAdmin):
    """The audit."""

    list_display = ("at", "staff", "kind", "subject", "object_text", "message", "reason", "request_id")
    list_filter = ("kind", "at")
    search_fields = ("staff__exact", "subject__exact", "object_id__exact", "request_id__exact")
    search_help_text = "A staff user name, a kind of row, a row's id such as a customer id, or a request id, whole."
    fields = (
        "at",
        "staff",
        "kind",
        "subject",
        "object_id",
        "object_text",
        "message",
        "changes",
        "reason",
        "request_id",
    )
