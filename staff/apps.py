from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.module_loading import autodiscover_modules


class StaffConfig(AppConfig):
    name = "staff"


class WorkplaceConfig(AdminConfig):
    """Django's admin, on our own site."""

    default_site = "staff.site.Workplace"

    def ready(self) -> None:
        """Beside each app's admin.py, what it shows on a customer's page and at home."""
        super().ready()
        autodiscover_modules("customer_page", "home")
        from staff import names

        names.translate()
