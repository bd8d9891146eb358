"""What orders and partners ask of Siebel, in our words. Siebel's field names stop here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from loyalty import siebel
from loyalty.callers import Caller
from loyalty.dates import from_wire, wire_date, wire_moment


@dataclass(frozen=True)
class PartnerTransaction:
    transaction_id: str
    receipt_number: str
    customer_id: str
    star_balance: int
    svc_balance: str | None
    status: str


def record_transaction(
    *,
    caller: Caller,
    member_identity_type: str,
    member_identity_number: str,
    partner_code: str,
    source_code: str,
    receipt_number: str,
    type_code: str,
    product_code: str,
    quantity: int,
    points: int,
    amount: Decimal,
    txn_at: datetime,
    external_identity: str,
    operator: str,
    store_number: str,
    reserve1: str,
    reserve2: str,
    reserve3: str,
) -> PartnerTransaction:
    """Report a partner's transaction; once a receipt. Raises partner_service.record_transaction's refusals."""
    reply = siebel.call(
        "Loyalty Partner",
        "RecordTransaction",
        {
            **siebel.write(caller.actor, caller.request_id),
            "MemberIdentityType": member_identity_type,
            "MemberIdentityNumber": member_identity_number,
            "PartnerCode": partner_code,
            "SourceCode": source_code,
            "ReceiptNumber": receipt_number,
            "TypeCode": type_code,
            "ProductCode": product_code,
            "Quantity": str(quantity),
            "Points": str(points),
            "Amount": f"{amount:.2f}",
            "TxnDate": wire_moment(txn_at),
            "ExternalIdentity": external_identity,
            "Operator": operator,
            "StoreNumber": store_number,
            "Reserve1": reserve1,
            "Reserve2": reserve2,
            "Reserve3": reserve3,
        },
    )
    return _transaction(reply)


@siebel.readable
def _transaction(reply: Mapping[str, str]) -> PartnerTransaction:
    return PartnerTransaction(
        transaction_id=reply["TransactionId"],
        receipt_number=reply["ReceiptNumber"],
        customer_id=reply["MemberNumber"],
        star_balance=int(reply["AvailablePoints"]),
        svc_balance=reply.get("SvcBalance") or None,
        status=reply["TransactionStatus"],
    )


@dataclass(frozen=True)
class Order:
    order_id: str
    order_date: date | None
    store_number: str
    store_name: str
    total_amount: str
    currency: str
    stars: int
    item_count: int


@dataclass(frozen=True)
class OrderItem:
    item_id: str
    product_code: str
    product_name: str
    quantity: int
    unit_price: str
    amount: str


@dataclass(frozen=True)
class Reward:
    reward_id: str
    code: str
    name: str
    description: str
    status: str
    issued_date: date | None
    expiry_date: date | None
    used_date: date | None


def list_orders(*, customer_id: str, **asked: Any) -> tuple[list[Order], int]:
    """A page of a customer's orders, and how many there are. Raises InvalidMemberID."""
    reply = siebel.call("Loyalty Order", "List", {"MemberNumber": customer_id, **_page(**asked)})
    return [_order(row) for row in reply.get("Orders") or []], _total(reply)


@siebel.readable
def _order(row: Mapping[str, str]) -> Order:
    return Order(
        order_id=row["OrderId"],
        order_date=from_wire(row["OrderDate"]),
        store_number=row["StoreNumber"],
        store_name=row["StoreName"],
        total_amount=row["TotalAmount"],
        currency=row["CurrencyCode"],
        stars=int(row["Points"]),
        item_count=int(row["ItemCount"]),
    )


@siebel.readable
def _total(reply: Mapping[str, str]) -> int:
    return int(reply["TotalCount"])


def list_items(*, order_id: str, customer_id: str) -> list[OrderItem]:
    """What was sold with an order; without a customer, of anybody's. Raises OrderNotFound, InvalidMemberID."""
    owner = {"MemberNumber": customer_id} if customer_id else {}
    reply = siebel.call("Loyalty Order", "ListItems", {"OrderId": order_id, **owner})
    return [_item(row) for row in reply.get("Items") or []]


@siebel.readable
def _item(row: Mapping[str, str]) -> OrderItem:
    return OrderItem(
        item_id=row["ItemId"],
        product_code=row["ProductCode"],
        product_name=row["ProductName"],
        quantity=int(row["Quantity"]),
        unit_price=row["UnitPrice"],
        amount=row["Amount"],
    )


def list_rewards(*, customer_id: str, status: str, **asked: Any) -> tuple[list[Reward], int]:
    """A page of a customer's rewards, and how many there are. Raises InvalidMemberID."""
    reply = siebel.call("Loyalty Reward", "List", {"MemberNumber": customer_id, "Status": status, **_page(**asked)})
    return [_reward(row) for row in reply.get("Rewards") or []], _total(reply)


@siebel.readable
def _reward(row: Mapping[str, str]) -> Reward:
    return Reward(
        reward_id=row["RewardId"],
        code=row["Code"],
        name=row["Name"],
        description=row.get("Description") or "",
        status=row["Status"],
        issued_date=from_wire(row["IssuedDate"]),
        expiry_date=from_wire(row.get("ExpirationDate")),
        used_date=from_wire(row.get("UsedDate")),
    )


def _page(*, page_num: int, page_size: int, start_date: date | None, end_date: date | None) -> dict[str, str]:
    days = {"StartDate": wire_date(start_date), "EndDate": wire_date(end_date)}
    return {"PageNum": str(page_num), "PageSize": str(page_size), **{name: day for name, day in days.items() if day}}
