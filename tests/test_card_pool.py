"""What the pool hands out: cards that their owner can use, today; whatever else lies in it is set aside."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import Settings

from cards.models import Card, CardStatus
from customers.models import Member
from loyalty import business_services, errors
from loyalty.dates import format_date
from loyalty.scopes import Scope
from tests.conftest import MEI, Api, Outbox, Printed, code_of, csv_file, ended, holding, register
from wechat import pool
from wechat.models import PoolCard

THREE = "msrCard,pin\n6101,1111\n6102,2222\n6103,3333\n"


@pytest.fixture
def wechat(api: Api) -> Api:
    return holding(api, Scope.WECHAT)


def load(api: Api, text: str) -> Any:
    loader = holding(api, Scope.WECHAT_LOAD)
    return ended(loader.form("Wechats/uploadCard", {"fileName": csv_file(text)}).json()["batchId"])


def draw(wechat: Api) -> Any:
    return wechat.get("Wechats/getCard")


def set_aside() -> dict[str, str]:
    return dict(PoolCard.objects.filter(status="SetAside", pin="").values_list("number", "problem"))


def day(offset: int) -> str:
    return format_date(timezone.localdate() + timedelta(days=offset))


def redis_knows() -> None:
    pool.refill()


def redis_is_empty() -> None:
    get_redis_connection("default").flushdb()


EITHER_WAY = pytest.mark.parametrize("redis", [redis_knows, redis_is_empty])


def test_a_card_whose_end_date_has_passed_is_not_taken_in(api: Api, wechat: Api) -> None:
    batch = load(api, f"msrCard,pin,endDate\n6101,1111,{day(-1)}\n6102,2222,{day(0)}\n")
    assert list(batch.rejected_rows.values_list("line", "reason")) == [(2, "endDate has passed.")]
    assert draw(wechat).json()["msrCard"] == "6102"


@pytest.mark.embedded
def test_a_card_that_the_crm_calls_ended_is_not_taken_in(api: Api) -> None:
    load(api, f"msrCard,pin,endDate\n6101,1111,{day(1)}\n")
    PoolCard.objects.all().delete()
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        batch = load(api, "msrCard,pin\n6101,1111\n")
    assert list(batch.rejected_rows.values_list("line", "reason")) == [(2, "The card's end date has passed.")]


@EITHER_WAY
def test_a_card_that_ended_in_the_pool_is_not_handed_out(api: Api, wechat: Api, redis: Callable[[], None]) -> None:
    load(api, f"msrCard,pin,endDate\n6101,1111,{day(1)}\n6102,2222,{day(2)}\n6103,3333,\n")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        redis()
        assert {draw(wechat).json()["msrCard"] for _ in range(2)} == {"6102", "6103"}
        assert code_of(draw(wechat)) == 4001


def test_a_card_that_ended_in_the_pool_replaces_none(api: Api) -> None:
    load(api, f"msrCard,pin,endDate\n6101,1111,{day(1)}\n6102,2222,{day(2)}\n")
    with time_machine.travel(timezone.now() + timedelta(days=2)), transaction.atomic():
        assert [pool.claim_replacement("r"), pool.claim_replacement("r")] == ["6102", None]


@EITHER_WAY
def test_a_card_that_was_registered_out_of_the_pool_is_not_handed_out(
    api: Api, wechat: Api, sms_outbox: Outbox, redis: Callable[[], None]
) -> None:
    load(api, THREE)
    joined = register(api, Printed("6101", "1111", ""), sms_outbox)
    assert joined.status_code == 200
    redis()
    drawn = [draw(wechat).json() for _ in range(2)]
    assert {card["msrCard"] for card in drawn} == {"6102", "6103"}
    assert joined.json()["customerId"] not in {card["customerId"] for card in drawn}
    assert code_of(draw(wechat)) == 4001
    assert set_aside() == {"6101": "The card is Registered."}
    assert api.log_in(MEI["userName"], MEI["password"])


@pytest.mark.parametrize("status", [CardStatus.INACTIVE, CardStatus.EXPIRED, CardStatus.ABOLISHED])
def test_a_card_that_is_otherwise_not_active_is_not_handed_out(api: Api, wechat: Api, status: str) -> None:
    load(api, THREE)
    Card.objects.filter(number="6101").update(status=status)
    assert draw(wechat).json()["msrCard"] == "6102"
    assert set_aside() == {"6101": f"The card is {status}."}


def test_a_card_that_nobody_can_register_is_not_handed_out(api: Api, wechat: Api) -> None:
    load(api, THREE)
    Member.objects.filter(pk=Card.objects.get(number="6101").member_id).update(status="Inactive")
    Card.objects.get(number="6102").delete()
    assert draw(wechat).json()["msrCard"] == "6103"
    assert set_aside() == {"6101": "The card is Active.", "6102": "The card is NotFound."}


@pytest.mark.embedded
@pytest.mark.parametrize(("transport", "status", "code"), [("away", 503, 5030), ("slow", 504, 5040)])
def test_with_siebel_away_nothing_is_handed_out(
    api: Api, wechat: Api, settings: Settings, transport: str, status: int, code: int
) -> None:
    load(api, THREE)
    settings.SIEBEL_TRANSPORTS = {"embedded": f"{__name__}.{transport}"}
    for _ in range(5):
        assert code_of(draw(wechat), status) == code
    settings.SIEBEL_TRANSPORTS = {"embedded": "loyalty.business_services.call"}
    assert {draw(wechat).json()["msrCard"] for _ in range(3)} == {"6101", "6102", "6103"}


def away(*_: Any) -> Any:
    raise errors.SiebelUnavailable


def slow(*_: Any) -> Any:
    raise errors.SiebelTimeout


def forgetful(service: str, method: str, arguments: Any) -> Any:
    """A Siebel whose answer leaves cards out."""
    return {**business_services.call(service, method, arguments), "Cards": []}


@pytest.mark.embedded
def test_an_answer_that_leaves_the_card_out_is_no_answer(api: Api, wechat: Api, settings: Settings) -> None:
    load(api, THREE)
    settings.SIEBEL_TRANSPORTS = {"embedded": f"{__name__}.forgetful"}
    assert code_of(draw(wechat), 503) == 5030
    assert PoolCard.objects.filter(status="Pooled").count() == 3
