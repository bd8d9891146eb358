"""Forms and answers of orders, rewards and partners, under the seed's names."""

from typing import Any

from rest_framework import serializers

from loyalty.fields import Choice, Day, Exact, Text
from loyalty.pages import PageQuery
from orders.fields import Amount, Code, Moment, Whole, WithDefault


def optional_text(max_length: int, source: str | None = None) -> Text:
    """Left out, null or empty, it is nothing."""
    return Text(source=source, max_length=max_length, default="", allow_null=True, allow_blank=True)


class PartnerTransactionForm(serializers.Serializer[Any]):
    memIdentityNumber = Exact(
        source="member_identity_number", pattern=r"[0-9A-Za-z-]{1,30}", help_text="Customer id or card number."
    )
    partnerCode = Code(source="partner_code")
    externalIdentity = WithDefault(
        source="external_identity",
        pattern=r"[0-9A-Za-z][0-9A-Za-z._-]*",
        max_length=60,
        help_text="The SVC card whose balance is the amount.",
    )
    memIdentityType = Choice(["CRMMemberID", "CardNumber"], source="member_identity_type")
    typeCode = Choice(["Product"], source="type_code")
    quantity = Whole(digits=6, signed=False, default="1")
    receiptNumber = Exact(
        source="receipt_number", pattern=r"[0-9A-Za-z][0-9A-Za-z._:/#-]*", max_length=60, help_text="Once a sourceCode."
    )
    productCode = Code(source="product_code", max_length=60)
    points = Whole(digits=7, signed=True, default="0", help_text="Stars earned; below zero: redeemed.")
    amount = Amount(help_text="With externalIdentity: the balance of that SVC card.")
    txnDate = Moment(source="txn_at")
    operator = optional_text(60)
    sourceCode = Code(source="source_code")
    storeNumber = optional_text(30, "store_number")
    reserve1 = optional_text(200)
    reserve2 = optional_text(200)
    reserve3 = optional_text(200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Null is nothing, as an empty text is."""
        return {name: "" if value is None else value for name, value in attrs.items()}


class PartnerTransactionSerializer(serializers.Serializer[Any]):
    transactionId = serializers.CharField(source="transaction_id")
    receiptNumber = serializers.CharField(source="receipt_number")
    customerId = serializers.CharField(source="customer_id")
    starBalance = serializers.IntegerField(source="star_balance")
    svcBalance = serializers.CharField(source="svc_balance", allow_null=True)
    status = serializers.CharField()


class RewardQuery(PageQuery):
    status = Choice(["All", "Unused", "Used"], default="All")


class OrderSerializer(serializers.Serializer[Any]):
    """`totalAmount` is a decimal as text."""

    orderId = serializers.CharField(source="order_id")
    orderDate = Day(source="order_date")
    storeNumber = serializers.CharField(source="store_number")
    storeName = serializers.CharField(source="store_name")
    totalAmount = serializers.CharField(source="total_amount")
    currency = serializers.CharField()
    stars = serializers.IntegerField()
    itemCount = serializers.IntegerField(source="item_count")


class OrderItemSerializer(serializers.Serializer[Any]):
    itemId = serializers.CharField(source="item_id")
    productCode = serializers.CharField(source="product_code")
    productName = serializers.CharField(source="product_name")
    quantity = serializers.IntegerField()
    unitPrice = serializers.CharField(source="unit_price")
    amount = serializers.CharField()


class RewardSerializer(serializers.Serializer[Any]):
    """`status`: Unused, Used or Expired."""

    rewardId = serializers.CharField(source="reward_id")
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    status = serializers.CharField()
    issuedDate = Day(source="issued_date")
    expiryDate = Day(source="expiry_date", allow_null=True)
    usedDate = Day(source="used_date", allow_null=True)
