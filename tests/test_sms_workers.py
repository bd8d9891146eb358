"""Messages through a real relay, a real worker and a real gateway, while one of them fails: each ends as it should, and
goes out once wherever the gateway can tell.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from sms import outbox, settlement
from sms.models import Line, Message
from tests.conftest import Api, code_of, print_card
from tests.sms_gateway import GatewayProcess, gateway_process
from tests.sms_workers import Broker, Workers, workers

State = Message.State
FAST = {"SMS_GATEWAY_SECONDS": "1", "SMS_RETRY_SECONDS": "0.2", "SMS_GATEWAY_PAUSE_SECONDS": "1.5"}


@dataclass
class Shop:
    gateway: GatewayProcess
    broker: Broker
    workers: Workers

    def ask(self, phone: str = "") -> tuple[str, Any]:
        """Ask for a PIN to a phone that nobody else has."""
        phone = phone or f"139{random.randrange(10**8):08}"
        card = print_card().credentials
        return phone, Api().post(
            "Customers/sms/sendRegisterPin", {"phoneNumber": phone, "template": "create-en", **card}
        )


@pytest.fixture(scope="module")
def started(_database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with gateway_process() as gateway:
        folder = tmp_path_factory.mktemp("workers")
        with workers(folder, {**FAST, **gateway.environment}) as (broker, at_work):
            yield Shop(gateway, broker, at_work)


@pytest.fixture
def shop(database: None, started: Shop) -> Shop:
    started.gateway.arm(times=0)
    return started


def await_(what: Callable[[], Any], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not what():
        rows = list(Message.objects.values("state", "attempts", "handed_over_at", "due_at", "published_at"))
        assert time.monotonic() < until, rows
        time.sleep(0.05)


def row(phone: str) -> Message:
    return Message.objects.get(recipient=phone)


def end_of(phone: str) -> Message:
    await_(lambda: row(phone).state not in (State.QUEUED, State.SENDING))
    return row(phone)


def test_a_pin_goes_out_and_nothing_of_it_stays(shop: Shop) -> None:
    phone, reply = shop.ask()
    assert reply.status_code == 200
    message = end_of(phone)
    assert (message.state, message.attempts, message.text, message.variables) == ("sent", 1, "", "")
    assert message.provider_id
    assert "registration code" in shop.gateway.sent(phone)[0]


@pytest.mark.parametrize("code", [10001, 10003, 20001, 20002])
def test_a_refusal_is_the_answer(shop: Shop, code: int) -> None:
    shop.gateway.arm("refuse", code=code)
    phone, reply = shop.ask()
    assert code_of(reply) == code
    message = end_of(phone)
    assert (message.state, message.code, message.reason, message.attempts) == ("failed", code, str(code), 1)


def test_what_the_gateway_did_not_take_is_tried_again(shop: Shop) -> None:
    shop.gateway.arm("500", times=2)
    phone, reply = shop.ask()
    assert reply.status_code == 200
    message = end_of(phone)
    assert (message.state, message.attempts) == ("sent", 3)
    assert len(shop.gateway.sent(phone)) == 1


@pytest.mark.parametrize(
    ("fault", "sent"), [("hang", 1), ("drip", 1), ("garbage", 1), ("huge", 1), ("cut-after", 1), ("cut-before", 0)]
)
def test_what_may_have_gone_out_is_not_sent_again(shop: Shop, fault: str, sent: int) -> None:
    shop.gateway.arm(fault, seconds=2)
    phone, reply = shop.ask()
    assert reply.status_code == 200
    message = end_of(phone)
    assert (message.state, message.attempts, message.text) == ("unknown", 1, "")
    assert len(shop.gateway.sent(phone)) == sent


def test_a_gateway_that_is_down_for_a_while_gets_everything_once_it_is_back(shop: Shop, settings: Settings) -> None:
    settings.SMS_WAIT_SECONDS = 0
    shop.gateway.arm("down", seconds=3)
    time.sleep(0.3)
    phones = [phone for phone, reply in (shop.ask() for _ in range(6)) if reply.status_code == 200]
    assert len(phones) == 6
    await_(lambda: Line.objects.filter(failures__gte=3).exists())
    assert [end_of(phone).state for phone in phones] == ["sent"] * 6
    assert [len(shop.gateway.sent(phone)) for phone in phones] == [1] * 6
    assert Line.objects.get().failures == 0


def test_a_dead_gateway_is_probed_and_not_stormed(shop: Shop, settings: Settings) -> None:
    settings.SMS_WAIT_SECONDS = 0
    shop.gateway.arm("500", times=10**6)
    before = shop.gateway.state()["calls"]
    for _ in range(12):
        shop.ask()
    await_(lambda: Line.objects.filter(failures__gte=3).exists())
    time.sleep(3)
    calls = shop.gateway.state()["calls"] - before
    assert 3 <= calls <= 3 + 1 + 3  # until it is left alone; what was under way then; a probe each 1.5 s
    starts = Message.objects.values_list("attempts", flat=True)
    assert sum(starts) <= calls  # waiting for the gateway is no try


def test_a_worker_killed_in_the_call_sends_nothing_twice(shop: Shop, settings: Settings) -> None:
    settings.SMS_WAIT_SECONDS = 0
    shop.gateway.arm("hang", seconds=3)
    phone, _ = shop.ask()
    await_(lambda: shop.gateway.sent(phone))
    shop.workers.kill_children()
    other, _ = shop.ask()
    assert end_of(other).state == State.SENT
    assert row(phone).state == State.SENDING
    with time_machine.travel(timezone.now() + settlement.ABANDONED_AFTER + timedelta(seconds=1)):
        outbox.claim_due()
    message = row(phone)
    assert (message.state, message.text) == ("unknown", "")
    settlement.of_receipts({str(message.reference): None})
    assert row(phone).state == State.DELIVERED
    assert len(shop.gateway.sent(phone)) == 1


def test_with_the_broker_down_requests_are_answered_and_messages_wait(shop: Shop, settings: Settings) -> None:
    settings.SMS_WAIT_SECONDS = 0.2
    shop.broker.stop()
    try:
        started = time.monotonic()
        phones = [phone for phone, reply in (shop.ask() for _ in range(5)) if reply.status_code == 200]
        assert time.monotonic() - started < 5
        assert {row(phone).state for phone in phones} == {"queued"}
    finally:
        shop.broker.start()
    assert [end_of(phone).state for phone in phones] == ["sent"] * 5
    assert [len(shop.gateway.sent(phone)) for phone in phones] == [1] * 5
