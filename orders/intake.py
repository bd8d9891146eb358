"""Taking orders and rewards in: each once, by its number or code; what is known already is left as it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from customers import members
from loyalty.dates import day_begins
from loyalty.models import Store
from orders import file_forms
from orders.file_rows import Layout, Row
from orders.models import Order, OrderItem, Reward

ADDED, UPDATED, KNOWN, REJECTED = "added", "updated", "known", "rejected"
# What a reward may become: what was reported later wins, a used one stays used.
RANK: dict[str, int] = {Reward.Status.UNUSED: 0, Reward.Status.EXPIRED: 1, Reward.Status.USED: 2}


@dataclass(frozen=True)
class Verdict:
    """What became of a row."""

    line: int
    name: str
    result: str
    reason: str = ""


@dataclass(frozen=True)
class Kind:
    layout: Layout
    take_in: Callable[[Sequence[Row]], list[Verdict]]


def take_orders_in(rows: Sequence[Row]) -> list[Verdict]:
    """Inside a transaction; raises IntegrityError where another one adds the same order."""
    numbers = [row.said["number"] for row in rows]
    known = {order.number: order for order in Order.objects.filter(number__in=numbers)}
    there = members.existing([row.said["customer_id"] for row in rows])
    stores = dict(
        Store.objects.filter(number__in={row.said["store_number"] for row in rows}).values_list("number", "pk")
    )
    verdicts, items, new = [], [], []
    for row in rows:
        said = row.said
        store_id = stores.get(said["store_number"])
        if said["customer_id"] not in there:
            verdicts.append(_rejected(row, "The customer is unknown."))
            continue
        if store_id is None:
            verdicts.append(_rejected(row, "The store is unknown."))
            continue
        order = _order(said, store_id)
        if first := known.get(order.number):
            same = _content(first) == _content(order)
            verdicts.append(_verdict(row, KNOWN) if same else _rejected(row, "The number is known with other content."))
        else:
            known[order.number] = order
            new.append(order)
            items += [OrderItem(order=order, **item) for item in said["items"]]
            verdicts.append(_verdict(row, ADDED))
    Order.objects.bulk_create(sorted(new, key=lambda order: order.number))
    OrderItem.objects.bulk_create(items)
    return verdicts


def take_rewards_in(rows: Sequence[Row]) -> list[Verdict]:
    """Inside a transaction; raises IntegrityError where another one adds the same reward."""
    codes = [row.said["code"] for row in rows]
    known = {row.code: row for row in Reward.objects.select_for_update().filter(code__in=codes).order_by("code")}
    there = members.existing([row.said["customer_id"] for row in rows])
    verdicts, new, changed = [], {}, {}
    for row in rows:
        reward = _reward(row.said)
        first = known.get(reward.code)
        if reward.member_id not in there:
            verdicts.append(_rejected(row, "The customer is unknown."))
        elif first is None:
            known[reward.code] = new[reward.code] = reward
            verdicts.append(_verdict(row, ADDED))
        elif first.member_id != reward.member_id:
            verdicts.append(_rejected(row, "The code is another customer's."))
        elif RANK[reward.status] > RANK[first.status]:
            first.status, first.used_at = reward.status, reward.used_at
            if first.code not in new:
                changed[first.code] = first
            verdicts.append(_verdict(row, UPDATED))
        else:
            verdicts.append(_verdict(row, KNOWN))
    Reward.objects.bulk_create(new[code] for code in sorted(new))
    Reward.objects.bulk_update(changed.values(), ["status", "used_at"])
    return verdicts


def expire_rewards(today: date) -> int:
    """Unused rewards whose last day has passed; answers how many, a thousand a transaction."""
    due = Reward.objects.filter(status=Reward.Status.UNUSED, expiry_date__lt=today)
    expired = 0
    while ids := list(due.order_by("expiry_date").values_list("pk", flat=True)[:1000]):
        with transaction.atomic():
            expired += due.filter(pk__in=ids).update(status=Reward.Status.EXPIRED)
    return expired


def _order(said: dict[str, Any], store_id: int) -> Order:
    columns = ("number", "ordered_at", "total_amount", "currency", "stars")
    return Order(
        **{name: said[name] for name in columns},
        member_id=said["customer_id"],
        store_id=store_id,
        item_count=len(said["items"]),
    )


def _content(order: Order) -> tuple[Any, ...]:
    names = ("member_id", "store_id", "ordered_at", "total_amount", "currency", "stars", "item_count")
    return tuple(getattr(order, name) for name in names)


def _reward(said: dict[str, Any]) -> Reward:
    columns = ("code", "name", "description", "status", "expiry_date")
    return Reward(
        **{name: said[name] for name in columns},
        member_id=said["customer_id"],
        issued_at=day_begins(said["issued_date"]),
        used_at=day_begins(said["used_date"]) if said["used_date"] else None,
    )


def _verdict(row: Row, result: str, reason: str = "") -> Verdict:
    return Verdict(row.line, str(row.said.get("number") or row.said.get("code") or ""), result, reason)


def _rejected(row: Row, reason: str) -> Verdict:
    return _verdict(row, REJECTED, reason)


KINDS = {
    "orders": Kind(file_forms.ORDERS, take_orders_in),
    "rewards": Kind(file_forms.REWARDS, take_rewards_in),
}
