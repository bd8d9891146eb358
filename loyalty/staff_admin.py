"""Staff in the admin: accounts, roles, and what each of them did."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from loyalty.admin_site import ReadOnlyAdmin
from staff.audit import AuditedAdmin
from staff.models import StaffAction

admin.site.unregister((User, Group))


@admin.register(User)
class StaffAdmin(AuditedAdmin, UserAdmin):
    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")


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
