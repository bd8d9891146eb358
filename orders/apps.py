from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from customers import svc
        from orders import (
            business_service,  # noqa: F401 (registers itself)
            holdings,
            partner_service,
        )

        svc.offer(partner_service.svc_balance_of)
        holdings.register()
