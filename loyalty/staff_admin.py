"""Staff in the admin: accounts, roles, and what each of them did."""

from typing import Any

from axes import utils as axes
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
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


class PermissionsField(forms.ModelMultipleChoiceField):
    """In the reader's language, and of what there are pages for."""

    VERBS = {
        "view": _("%(name)s: view"),
        "add": _("%(name)s: add"),
        "change": _("%(name)s: change"),
        "delete": _("%(name)s: delete"),
    }

    def label_from_instance(self, obj: Any) -> str:
        verb = self.VERBS.get(obj.codename.partition("_")[0])
        if verb is None or not obj.name.startswith("Can "):
            return gettext(obj.name)
        return verb % {"name": obj.content_type.name}


def permissions_field(db_field: Any, form_field: Any) -> Any:
    """Of a user's or a role's form; any other field as it is."""
    if db_field.related_model is not Permission:
        return form_field
    labels = {model._meta.app_label for model in admin.site._registry}
    of_pages = Permission.objects.filter(content_type__app_label__in=labels).select_related("content_type")
    field = PermissionsField(of_pages, required=False, label=form_field.label, help_text=form_field.help_text)
    field.widget = form_field.widget
    field.widget.choices = field.choices
    return field


@admin.register(User)
class StaffAdmin(AuditedAdmin, UserAdmin):
    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    actions = ("unlock",)
    change_form_template = "admin/staff_member.html"

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        return permissions_field(db_field, super().formfield_for_manytomany(db_field, request, **kwargs))

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
    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        return permissions_field(db_field, super().formfield_for_manytomany(db_field, request, **kwargs))


@admin.register(StaffAction)
class StaffActionAdmin(ReadOnlyAdmin):
    """The audit."""

    list_display = ("at", "staff", "kind", "subject", "object_text", "message", "reason", "request_id")
    list_filter = ("kind", "at")
    search_fields = ("staff__exact", "object_id__exact", "request_id__exact")
    search_help_text = "A staff user name, a row's id such as a customer id, or a request id, whole."
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
