"""The embedded CRM's side of orders and rewards: the business services "Loyalty Order" and "Loyalty Reward"."""

from collections.abc import Iterator
from datetime import date, datetime, time

from django.db.models import QuerySet
from django.utils import timezone

from cards import members
from loyalty import errors
from loyalty.business_services import business_service
from loyalty.dates import from_wire, wire_date, wire_moment
from loyalty.siebel import Reply
from orders.models import Order, OrderDay, OrderItem, Reward

COUNTED = 10_000  # rewards of one customer


@business_service("Loyalty Order", "List")
def list_orders(
    *, member_number: str, page_num: str, page_size: str, start_date: str = "", end_date: str = ""
) -> Reply:
    """A page of a customer's orders, the newest first, and how many there are. Raises InvalidMemberID.

    The days' counts tell on which day the page begins, so no page is found by walking over those before it.
    """
    _demand_customer(member_number)
    first, last, size = from_wire(start_date), from_wire(end_date), int(page_size)
    counts = _of_days(OrderDay.objects.filter(member_id=member_number, orders__gt=0), first, last)
    days = list(counts.order_by("-day").values_list("day", "orders"))
    day, skip = _where(iter(days), (int(page_num) - 1) * size)
    orders = _between(Order.objects.filter(member_id=member_number), "ordered_at", first, day or last)
    page = _page(orders, skip, size).select_related("store") if day else []
    return {
        "TotalCount": str(sum(count for _, count in days)),
        "Orders": [
            {
                "OrderId": order.pk,
                "OrderDate": wire_moment(order.ordered_at),
                "StoreNumber": order.store.number,
                "StoreName": order.store.name,
                "TotalAmount": f"{order.total_amount:.2f}",
                "CurrencyCode": order.currency,
                "Points": str(order.stars),
                "ItemCount": str(order.item_count),
            }
            for order in page
        ],
    }


@business_service("Loyalty Order", "ListItems")
def list_items(*, order_id: str, member_number: str = "") -> Reply:
    """What was sold with an order; for a member his own order alone. Raises InvalidMemberID, OrderNotFound."""
    if member_number:
        _demand_customer(member_number)
    owner = Order.objects.filter(pk=order_id).values_list("member_id", flat=True).first()
    if owner is None or member_number not in ("", owner):
        raise errors.OrderNotFound
    return {
        "Items": [
            {
                "ItemId": str(item.pk),
                "ProductCode": item.product_code,
                "ProductName": item.product_name,
                "Quantity": str(item.quantity),
                "UnitPrice": f"{item.unit_price:.2f}",
                "Amount": f"{item.amount:.2f}",
            }
            for item in OrderItem.objects.filter(order_id=order_id)
        ]
    }


@business_service("Loyalty Reward", "List")
def list_rewards(
    *, member_number: str, status: str, page_num: str, page_size: str, start_date: str = "", end_date: str = ""
) -> Reply:
    """A page of a customer's rewards by the day of issue, the newest first; at most COUNTED. Raises InvalidMemberID."""
    _demand_customer(member_number)
    rewards = _between(
        Reward.objects.filter(member_id=member_number), "issued_at", from_wire(start_date), from_wire(end_date)
    )
    if status != "All":
        rewards = rewards.filter(status=status)
    total, size = rewards.order_by()[:COUNTED].count(), int(page_size)
    skip = (int(page_num) - 1) * size
    page = _page(rewards, skip, min(size, total - skip)) if skip < total else []
    return {
        "TotalCount": str(total),
        "Rewards": [
            {
                "RewardId": reward.pk,
                "Code": reward.code,
                "Name": reward.name,
                "Description": reward.description,
                "Status": reward.status,
                "IssuedDate": wire_moment(reward.issued_at),
                "ExpirationDate": wire_date(reward.expiry_date),
                "UsedDate": wire_moment(reward.used_at),
            }
            for reward in page
        ],
    }


def _demand_customer(member_number: str) -> None:
    if not members.is_active_customer(member_number):
        raise errors.InvalidMemberID


def _of_days(counts: QuerySet[OrderDay], first: date | None, last: date | None) -> QuerySet[OrderDay]:
    if first:
        counts = counts.filter(day__gte=first)
    return counts.filter(day__lte=last) if last else counts


def _where(days: Iterator[tuple[date, int]], skip: int) -> tuple[date | None, int]:
    """The day on which the row behind `skip` others stands, and how many of that day come before it."""
    for day, count in days:
        if skip < count:
            return day, skip
        skip -= count
    return None, 0


def _between(rows: QuerySet, column: str, first: date | None, last: date | None) -> QuerySet:
    """Those of the days from `first` to `last`, both included."""
    if first:
        rows = rows.filter(**{f"{column}__gte": _moment(first, time.min)})
    return rows.filter(**{f"{column}__lte": _moment(last, time.max)}) if last else rows


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=timezone.get_current_timezone())


def _page(rows: QuerySet, skip: int, size: int) -> QuerySet:
    """What is skipped is skipped in the index; the rows of the page alone are read."""
    page: QuerySet = rows.model._default_manager.filter(pk__in=rows.values("pk")[skip : skip + size])
    return page
