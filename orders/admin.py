"""Orders and rewards in the admin."""

from django.contrib import admin

from loyalty.admin_site import ReadOnlyAdmin, ReadOnlyInline
from orders import adjustment_admin, import_admin, ledger_admin  # noqa: F401 (they register themselves)
from orders.models import Order, OrderDay, OrderItem, Reward


class OrderItemInline(ReadOnlyInline):
    model = OrderItem
    fields = ("product_code", "product_name", "quantity", "unit_price", "amount")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ("number", "member", "store", "ordered_at", "total_amount", "currency", "stars", "item_count")
    list_filter = ("ordered_at", "store")
    list_select_related = ("member", "store")
    search_fields = ("number__startswith", "order_id__exact", "member__customer_id__exact")
    search_help_text = "An order number or its beginning, an order id or a customer id."
    fields = ("order_id", *list_display)
    inlines = (OrderItemInline,)


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnlyAdmin):
    list_display = ("id", "order", "product_code", "product_name", "quantity", "amount")
    list_select_related = ("order",)
    ordering = ("-id",)
    search_fields = ("order__number__exact",)
    fields = ("order", *OrderItemInline.fields)


@admin.register(Reward)
class RewardAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "status", "member", "issued_at", "expiry_date", "used_at")
    list_filter = ("status", "issued_at", "expiry_date")
    list_select_related = ("member",)
    search_fields = ("code__startswith", "reward_id__exact", "member__customer_id__exact")
    search_help_text = "A code or its beginning, a reward id or a customer id."
    fields = ("reward_id", "code", "name", "description", "status", "member", "issued_at", "expiry_date", "used_at")


@admin.register(OrderDay)
class OrderDayAdmin(ReadOnlyAdmin):
    """How many orders a customer has of each day; the lists' totals are their sums."""

    list_display = ("id", "member", "day", "orders")
    list_select_related = ("member",)
    ordering = ("-id",)
    search_fields = ("member__customer_id__exact",)
    fields = ("member", "day", "orders")
