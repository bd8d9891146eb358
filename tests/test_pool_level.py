"""What staff and operators see of the pool: its level, how long it lasts, who got which card, and what became of it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cards.models import Card
from loyalty import bulk
from loyalty.scopes import Scope
from tests.conftest import Api, Outbox, Printed, at_once, csv_file, ended, holding, new_client, register
from wechat import following, level, pool, tasks
from wechat.models import Batch, Departure, PoolCard, PoolDay, PoolLevel


@pytest.fixture
def wechat(api: Api, settings: Settings) -> Api:
    """A client that draws, and a pool of forty cards."""
    rows = "\n".join(f"61{number:04},{number:04}" for number in range(40))
    load(api, rows)
    settings.POOL_LOW_CARDS = 10
    return holding(api, Scope.WECHAT)


def load(api: Api, rows: str) -> None:
    loader = holding(api, Scope.WECHAT_LOAD)
    ended(loader.form("Wechats/uploadCard", {"fileName": csv_file(f"msrCard,pin\n{rows}\n")}).json()["batchId"])


def draw(wechat: Api, count: int) -> list[str]:
    return [wechat.get("Wechats/getCard").json()["msrCard"] for _ in range(count)]


def measured(**later: float) -> PoolLevel:
    with time_machine.travel(timezone.now() + timedelta(**later)):
        tasks.measure_pool()
    found = level.current()
    assert found
    return found


def scraped() -> dict[str, float]:
    lines = Client().get("/metrics").content.decode().splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("loyalty_pool")}


def test_the_level_is_what_came_in_less_what_left(wechat: Api, api: Api) -> None:
    assert measured().cards == 40
    draw(wechat, 3)
    assert measured().cards == 37
    assert measured(minutes=6).cards == 37
    assert PoolDay.objects.get().departures == 3
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        draw(wechat, 2)
    load(api, "6199,1111")
    assert [measured(minutes=minutes).cards for minutes in (10, 11, 16, 17)] == [36] * 4


def test_cards_that_leave_otherwise_are_no_stock_either(wechat: Api) -> None:
    Card.objects.filter(number="610000").update(status="Abolished")
    PoolCard.objects.filter(number="610001").update(pin=PoolCard.objects.get(number="610002").pin)
    draw(wechat, 1)
    with transaction.atomic():
        pool.claim_replacement("r1")
    left = dict(Departure.objects.values_list("way", "card__number"))
    assert left == {"set aside": "610000", "unreadable": "610001", "getCard": "610002", "replacement": "610003"}
    assert measured().cards == 36


def test_four_who_measure_at_once_count_each_card_once(wechat: Api) -> None:
    draw(wechat, 5)
    later = timezone.now() + timedelta(minutes=10)
    at_once(4, lambda n: level.measure(later))
    assert (measured(minutes=11).cards, PoolDay.objects.get().departures) == (35, 5)


def test_the_forecast_goes_by_the_last_seven_days(wechat: Api) -> None:
    assert measured().days_left is None
    draw(wechat, 10)
    assert measured().days_left == 3
    assert measured(days=4).days_left == 15
    assert measured(days=8).days_left is None


def test_a_low_pool_shows_in_metrics_and_in_the_admin(wechat: Api, caplog: pytest.LogCaptureFixture) -> None:
    staff = Client()
    staff.force_login(get_user_model().objects.create_superuser("chief"))
    measured()
    assert scraped() == {"loyalty_pool_cards": 40, "loyalty_pool_low": 0}
    assert "The pool is low" not in staff.get("/admin/wechat/poolcard/").content.decode()
    draw(wechat, 31)
    for _ in range(2):
        measured()
    assert scraped() == {"loyalty_pool_cards": 9, "loyalty_pool_low": 1, "loyalty_pool_days_left": 9 / 31}
    assert caplog.text.count("pool_is_low") == 1
    shown = staff.get("/admin/wechat/poolcard/").content.decode()
    assert "The pool is low: 9 cards, 0 days." in shown
    assert "In the pool: 9 cards, 0 days" in shown


def test_each_card_handed_out_leaves_a_row_that_nobody_changes(api: Api, wechat: Api) -> None:
    client, key = new_client(Scope.WECHAT)
    number = api.with_headers(x_api_key=key, x_request_id="wx-17").get("Wechats/getCard").json()["msrCard"]
    row = Departure.objects.get()
    assert (row.card.number, row.way, row.client, row.request_id) == (number, "getCard", client, "wx-17")
    assert timezone.now() - row.at < timedelta(seconds=30)
    with pytest.raises(DatabaseError), transaction.atomic():
        Departure.objects.update(request_id="another")
    with pytest.raises(DatabaseError), transaction.atomic():
        Departure.objects.create(card=row.card, way="getCard")


def test_cards_left_unregistered_are_found(api: Api, wechat: Api, sms_outbox: Outbox) -> None:
    first, second = draw(wechat, 2)
    assert register(api, Printed(first, first[-4:], ""), sms_outbox).status_code == 200
    staff = Client()
    staff.force_login(get_user_model().objects.create_superuser("chief"))

    def left(days: int) -> list[str]:
        answer: Any = staff.get(f"/admin/wechat/poolcard/?unregistered={days}")
        return [card.number for card in answer.context["cl"].result_list]

    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert following.follow(timezone.now()) == 2
        assert following.follow(timezone.now()) == 0
        staff.force_login(get_user_model().objects.get())
        assert (left(1), left(7), left(30)) == ([second], [second], [])
    assert dict(PoolCard.objects.filter(status="Issued").values_list("number", "crm_status")) == {
        first: "Registered",
        second: "Active",
    }


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's planner")
@pytest.mark.parametrize("is_analyzed", [True, False])
def test_the_next_card_is_found_without_a_walk_over_those_handed_out(database: None, is_analyzed: bool) -> None:
    batch = Batch.objects.create(file_name="x.csv")
    rows = ((f"61{number:06}", "x", "1-A", batch.pk) for number in range(20_000))
    bulk.insert(PoolCard, ["number", "pin", "customer_id", "batch_id"], rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE wechat_poolcard")
        PoolCard.objects.filter(number__lt="61018000").update(
            status="Issued", pin="", issued_at=timezone.now(), left_at=timezone.now()
        )
        if is_analyzed:
            cursor.execute("ANALYZE wechat_poolcard")
        sql, parameters = pool._pooled().exclude(end_date__lt=timezone.localdate()).query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql} LIMIT 20", parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using pool_card_next" in plan
    assert "Sort" not in plan
