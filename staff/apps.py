from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StaffConfig(AppConfig):
    name = "staff"


class WorkplaceConfig(AdminConfig):
    """Django's admin, on our own site."""

    default_site = "staff.site.Workplace"
