"""The forms of a row in a file of orders or rewards, and the columns of such files as CSV."""

from typing import Any

from rest_framework import serializers

from loyalty.fields import Choice, Day, Exact, Number, Text
from loyalty.ids import PATTERN
from orders.fields import Code, Moment, Price
from orders.file_rows import Layout
from orders.models import Reward


def customer_id() -> Exact:
    return Exact(source="customer_id", pattern=PATTERN.pattern, max_length=15)


class ItemRow(serializers.Serializer[Any]):
    productCode = Code(source="product_code", max_length=60)
    productName = Text(source="product_name", max_length=200)
    quantity = Number(min_value=1, max_value=100_000)
    unitPrice = Price(source="unit_price")
    amount = Price()


class OrderRow(serializers.Serializer[Any]):
    number = Exact(pattern=r"[!-~]+", max_length=60)
    customerId = customer_id()
    storeNumber = Text(source="store_number", max_length=30)
    orderDate = Moment(source="ordered_at")
    totalAmount = Price(source="total_amount")
    currency = Exact(pattern=r"[A-Z]{3}", max_length=3)
    stars = Number(min_value=-1_000_000, max_value=1_000_000)
    items = ItemRow(many=True, allow_empty=False)


class OptionalDay(Day):
    """Left out, null or empty, there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default=None, allow_null=True, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(None if data == "" else data)


class RewardRow(serializers.Serializer[Any]):
    code = Exact(pattern=r"[!-~]+", max_length=60)
    customerId = customer_id()
    name = Text(max_length=200)
    description = Text(max_length=500, default="", allow_blank=True)
    status = Choice(Reward.Status.values)
    issuedDate = Day(source="issued_date")
    expiryDate = OptionalDay(source="expiry_date")
    usedDate = OptionalDay(source="used_date")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["status"] == Reward.Status.USED) != (attrs["used_date"] is not None):
            raise serializers.ValidationError({"usedDate": ["Used rewards have one, others have none."]})
        return attrs


ORDERS = Layout(
    key="number",
    columns=("number", "customerId", "storeNumber", "orderDate", "totalAmount", "currency", "stars"),
    items=("productCode", "productName", "quantity", "unitPrice", "amount"),
    form=OrderRow,
)
REWARDS = Layout(
    key="code",
    columns=("code", "customerId", "name", "description", "status", "issuedDate", "expiryDate", "usedDate"),
    items=(),
    form=RewardRow,
)
