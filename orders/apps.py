from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from customers import svc
        from orders import partner_service

        svc.offer(partner_service.svc_balance_of)
