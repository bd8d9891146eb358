from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        from customers import (  # noqa: F401 (services register themselves)
            blocking_service,
            business_service,
            contact_service,
            holdings,
            password_service,
            privacy_service,
        )

        holdings.register()
