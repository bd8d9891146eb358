from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        from customers import business_service, contact_service, password_service  # noqa: F401 (they register themselves)
