"""A customer looks at his orders, what they were made of, and his rewards."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.models import Member
from loyalty import authentication, pages
from loyalty.models import Store
from loyalty.scopes import Scope
from orders import business_service
from orders.models import Order, OrderDay, OrderItem, Reward
from tests.conftest import Api, code_of, holding

LIST, REWARDS = "Customers/orders/list", "Customers/rewards"
NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)  # in Shanghai


def customer(name: str, status: str = "Active") -> Member:
    member = Member(status=status)
    member.set_login(name, f"{name}@example.com")
    member.save()
    return member


@pytest.fixture
def store(database: None) -> Store:
    return Store.objects.create(number="1001", name="Nanjing Road")


@pytest.fixture
def mei(store: Store) -> Member:
    return customer("mei")


def token_of(member: Member) -> Api:
    return Api({"authorization": f"Bearer {authentication.issue_token(member.pk)[0]}"})


def bought(member: Member, *times: datetime, **columns: Any) -> list[Order]:
    store = Store.objects.get(number="1001")
    return Order.objects.bulk_create(
        Order(
            member=member,
            store=store,
            ordered_at=at,
            **{"number": f"{member.pk} {number} {at}", "total_amount": "32.00", **columns},
        )
        for number, at in enumerate(times)
    )


def ids(reply: Any, name: str = "orderId") -> list[str]:
    assert reply.status_code == 200, reply.content
    return [row[name] for row in reply.json()]


def test_an_order_is_shown_with_its_items(mei: Member) -> None:
    [order] = bought(mei, NOON, number="N-1", total_amount="82.50", stars=8, item_count=2)
    for code, price in (("LATTE", "32.00"), ("MUFFIN", "18.50")):
        item = OrderItem(order=order, product_code=code, product_name=code.title(), quantity=1, unit_price=price)
        item.amount = item.unit_price
        item.save()
    shown = token_of(mei).get(LIST, {"pageNum": 1})
    assert shown.json() == [
        {
            "orderId": order.pk,
            "orderDate": "11/24/2026",
            "storeNumber": "1001",
            "storeName": "Nanjing Road",
            "totalAmount": "82.50",
            "currency": "CNY",
            "stars": 8,
            "itemCount": 2,
        }
    ]
    for reader in (token_of(mei), holding(Api(), Scope.ORDERS)):
        items = reader.get(f"Orders/{order.pk}/items").json()
        assert [item.pop("itemId") for item in items] == [str(item.pk) for item in OrderItem.objects.all()]
        assert items[1] == {
            "productCode": "MUFFIN",
            "productName": "Muffin",
            "quantity": 1,
            "unitPrice": "18.50",
            "amount": "18.50",
        }


def test_every_page_together_is_every_order_once_the_newest_first(mei: Member) -> None:
    bought(mei, *[NOON - timedelta(hours=7 * number % 200) for number in range(60)], *[NOON] * 5)
    bought(customer("tom"), NOON)
    reader = token_of(mei)
    seen = [row for page in range(1, 11) for row in ids(reader.get(LIST, {"pageNum": page, "pageSize": 7}))]
    assert seen == list(Order.objects.filter(member=mei).values_list("pk", flat=True))
    assert len(set(seen)) == 65
    assert reader.get(LIST, {"pageNum": "11", "pageSize": "7"}).json() == []
    assert ids(reader.get(LIST, {"pageNum": "1.0", "pageSize": "50.0"})) == seen[:50]
    assert ids(reader.get(LIST, {"pageNum": 1})) == seen[:50]
    assert reader.get(LIST, {"pageNum": "999999999", "pageSize": 200}).json() == []


def links(reply: Any) -> dict[str, str]:
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', reply.headers["Link"])
    return {name: target for target, name in found}


def test_headers_say_how_many_there_are_and_where_the_other_pages_stand(mei: Member) -> None:
    bought(mei, *[NOON] * 25)
    reader = token_of(mei)
    reply = reader.get(LIST, {"pageNum": 2, "pageSize": 10, "startDate": "11/01/2026"})
    assert reply.headers["X-Total-Count"] == "25"
    assert links(reply).keys() == {"first", "prev", "next", "last"}
    for name, number, rows in (("first", 1, 10), ("prev", 1, 10), ("next", 3, 5), ("last", 3, 5)):
        target = links(reply)[name]
        assert target == f"/api/{LIST}?pageSize=10&startDate=11%2F01%2F2026&pageNum={number}"
        assert len(reader.request("GET", target).json()) == rows
    assert links(reader.get(LIST, {"pageNum": 3, "pageSize": 10})).keys() == {"first", "prev", "last"}
    beyond = reader.get(LIST, {"pageNum": 9, "pageSize": 10})
    assert links(beyond)["prev"].endswith("pageNum=3")
    nothing = reader.get(LIST, {"pageNum": 1, "startDate": "11/25/2026"})
    assert (nothing.json(), nothing.headers["X-Total-Count"]) == ([], "0")
    assert links(nothing).keys() == {"first", "last"}


def test_days_are_shanghais_from_the_first_to_the_last_inclusive(mei: Member) -> None:
    midnight = datetime(2026, 11, 23, 16, tzinfo=UTC)
    second = timedelta(seconds=1)
    late, first, last, next_ = bought(
        mei, midnight - second, midnight, midnight + timedelta(1) - second, midnight + timedelta(1)
    )
    asked = {"pageNum": 1, "startDate": "11/24/2026", "endDate": "11/24/2026"}
    reply = token_of(mei).get(LIST, asked)
    assert ids(reply) == [last.pk, first.pk]
    assert [row["orderDate"] for row in reply.json()] == ["11/24/2026"] * 2
    assert reply.headers["X-Total-Count"] == "2"
    assert ids(token_of(mei).get(LIST, {"pageNum": 1, "endDate": "11/23/2026"})) == [late.pk]
    assert ids(token_of(mei).get(LIST, {"pageNum": 1, "startDate": "11/25/2026"})) == [next_.pk]
    assert ids(token_of(mei).get(LIST, {**asked, "startDate": "11/25/2026"})) == []
    assert len(ids(token_of(mei).get(LIST, {**asked, "startDate": "01/01/1900", "endDate": "12/31/9999"}))) == 4
    for empty in ("startDate", "endDate"):
        assert ids(token_of(mei).get(LIST, {"pageNum": 1, empty: ""})) == [next_.pk, last.pk, first.pk, late.pk]


def counts() -> dict[tuple[str, date], int]:
    return {(row.member_id, row.day): row.orders for row in OrderDay.objects.filter(orders__gt=0)}


def counted_anew() -> dict[tuple[str, date], int]:
    shanghai = timedelta(hours=8)
    days = [(order.member_id, (order.ordered_at + shanghai).date()) for order in Order.objects.all()]
    return {day: days.count(day) for day in days}


def test_the_database_keeps_count_whoever_writes(mei: Member) -> None:
    tom = customer("tom")
    orders = bought(mei, *[NOON - timedelta(hours=5 * number, microseconds=1) for number in range(20)])
    assert counts() == counted_anew()
    Order.objects.filter(pk__in=[order.pk for order in orders[:5]]).update(member=tom)
    assert counts() == counted_anew()
    Order.objects.filter(member=tom).update(ordered_at=NOON + timedelta(hours=11, minutes=59))
    assert counts() == counted_anew()
    Order.objects.filter(pk__in=[order.pk for order in orders[3:9]]).delete()
    assert counts() == counted_anew()
    with transaction.atomic():
        bought(tom, NOON)
        transaction.set_rollback(True)
    assert counts() == counted_anew()
    orders[12].save()
    assert counts() == counted_anew()


def given(member: Member, **columns: Any) -> Reward:
    code = f"R{Reward.objects.count()}"
    return Reward.objects.create(**{"member": member, "code": code, "name": "Tea", "issued_at": NOON, **columns})


def test_rewards_are_listed_by_status(mei: Member) -> None:
    used = given(mei, status="Used", used_at=NOON, description="Any size", expiry_date=date(2026, 12, 31))
    expired = given(mei, status="Expired", expiry_date=date(2026, 1, 1), issued_at=NOON - timedelta(1))
    unused = given(mei, issued_at=NOON - timedelta(2))
    given(customer("tom"))
    reader = token_of(mei)
    for query in ({}, {"status": "All"}, {"status": ""}):
        reply = reader.get(REWARDS, {"pageNum": 1, **query})
        assert ids(reply, "rewardId") == [used.pk, expired.pk, unused.pk]
    assert reply.json()[0] == {
        "rewardId": used.pk,
        "code": "R0",
        "name": "Tea",
        "description": "Any size",
        "status": "Used",
        "issuedDate": "11/24/2026",
        "expiryDate": "12/31/2026",
        "usedDate": "11/24/2026",
    }
    assert ids(reader.get(REWARDS, {"pageNum": 1, "status": "Unused"}), "rewardId") == [unused.pk]
    assert reader.get(REWARDS, {"pageNum": 1, "status": "Unused"}).json()[0]["expiryDate"] is None
    assert ids(reader.get(REWARDS, {"pageNum": 1, "status": "Used"}), "rewardId") == [used.pk]
    asked = {"pageNum": 2, "pageSize": 1, "status": "All", "endDate": "11/23/2026"}
    reply = reader.get(REWARDS, asked)
    assert (ids(reply, "rewardId"), reply.headers["X-Total-Count"]) == ([unused.pk], "2")
    assert links(reply)["prev"] == f"/api/{REWARDS}?status=All&pageSize=1&endDate=11%2F23%2F2026&pageNum=1"


@pytest.mark.embedded
def test_rewards_are_counted_no_further_than_they_are_listed(mei: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(business_service, "COUNTED", 5)
    for _ in range(7):
        given(mei)
    reply = token_of(mei).get(REWARDS, {"pageNum": 2, "pageSize": 3})
    assert (len(reply.json()), reply.headers["X-Total-Count"]) == (2, "5")
    assert token_of(mei).get(REWARDS, {"pageNum": 3, "pageSize": 3}).json() == []


# Refusals


@pytest.mark.parametrize("path", [LIST, REWARDS])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("pageNum", value) for value in (None, "", "0", "-1", "1.5", "1e3", "１", "one", "10000000000", " 1")),
        *(("pageSize", value) for value in ("0", str(pages.LARGEST + 1), "-5", "NaN", "50.5")),
        *(
            (name, value)
            for name in ("startDate", "endDate")
            for value in ("2026-11-24", "02/30/2026", "1/1/2026", "x")
        ),
    ],
)
def test_a_query_out_of_pattern_is_refused(mei: Member, path: str, name: str, value: str | None) -> None:
    query = {"pageNum": "1", name: value}
    reply = token_of(mei).get(path, {key: text for key, text in query.items() if text is not None})
    assert code_of(reply) == 422
    assert list(reply.json()["error"]["details"]) == [name]


def test_a_query_is_read_strictly(mei: Member) -> None:
    reader = token_of(mei)
    assert code_of(reader.request("GET", f"/api/{LIST}?pageNum=1&pageNum=2")) == 422
    for status in ("Expired", "unused", "Used,Unused"):
        assert code_of(reader.get(REWARDS, {"pageNum": 1, "status": status})) == 422
    assert reader.get(LIST, {"pageNum": 1, "httpCtx": "{}"}).status_code == 200


@pytest.mark.parametrize("path", [LIST, REWARDS])
def test_a_list_is_an_active_customers_own(mei: Member, path: str) -> None:
    gateway = holding(Api(), Scope.CUSTOMERS, networks=["127.0.0.1"])
    for customer_id in ("1-NOBODY0000", Member.objects.create().pk, customer("tom", "Closed").pk):
        reply = gateway.get(path, {"pageNum": 1}, headers={"x-customer-id": customer_id})
        assert code_of(reply) == 402


def test_anothers_order_is_refused_as_an_unknown_one_is(mei: Member) -> None:
    tom = customer("tom")
    [order] = bought(tom, NOON)
    answers = [token_of(mei).get(f"Orders/{order_id}/items") for order_id in (order.pk, "1-NONE", "1-%0A", "x" * 300)]
    assert [code_of(reply) for reply in answers] == [3201] * 4
    assert {reply.json()["error"]["reason"] for reply in answers} == {"OrderNotFound"}
    assert code_of(holding(Api(), Scope.ORDERS).get("Orders/1-NONE/items")) == 3201
    reader = token_of(tom)
    assert reader.get(f"Orders/{order.pk}/items").json() == []
    Member.objects.filter(pk=tom.pk).update(status="Inactive")
    assert code_of(reader.get(f"Orders/{order.pk}/items")) == 402


# What it costs


def queries(reader: Api, path: str, query: dict[str, Any] | None = None) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert reader.get(path, query).status_code == 200
    return [entry["sql"] for entry in caught.captured_queries]


@pytest.mark.embedded
def test_the_number_of_queries_does_not_grow_with_the_rows(mei: Member) -> None:
    reader = token_of(mei)
    [order] = bought(mei, NOON)
    rows = [(order, "A"), (order, "B")]
    few = [queries(reader, LIST, {"pageNum": 1}), queries(reader, REWARDS, {"pageNum": 1})]
    bought(mei, *[NOON - timedelta(hours=number) for number in range(1, 300)])
    for _ in range(20):
        given(mei)
    OrderItem.objects.bulk_create(
        OrderItem(order=bill, product_code=code, product_name=code, unit_price=1, amount=1) for bill, code in rows * 50
    )
    many = [queries(reader, LIST, {"pageNum": 2, "pageSize": 100}), queries(reader, REWARDS, {"pageNum": 1})]
    credential, member = 1, 1
    assert [len(asked) for asked in few] == [credential + member + 2, credential + member + 1]
    assert [len(asked) for asked in many] == [credential + member + 2, credential + member + 2]
    assert len(queries(reader, f"Orders/{order.pk}/items")) == credential + member + 2


@pytest.mark.embedded
def test_a_far_page_skips_no_more_rows_than_its_day_has(mei: Member) -> None:
    bought(mei, *[NOON - timedelta(days=number // 3) for number in range(90)])
    reader = token_of(mei)
    [page] = [sql for sql in queries(reader, LIST, {"pageNum": 9, "pageSize": 10}) if "ordered_at" in sql]
    assert int((re.findall(r"OFFSET (\d+)", page) or ["0"])[0]) < 3
    assert len(reader.get(LIST, {"pageNum": 9, "pageSize": 10}).json()) == 10
