"""One message and its worker: killed, late, or never given a chance. The local gateway's file tells what went out."""

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from sms import delivery, line, outbox, settlement
from sms.models import Line, Message, Template
from tests.conftest import PHONE, Outbox, at_once
from tests.sms_gateway import provider
from tests.test_killed import dying, killed

State = Message.State
pytestmark = pytest.mark.usefixtures("sms_outbox")


def queued(**columns: object) -> Message:
    message = outbox.queue(recipient=PHONE, template="welcome-en")
    Message.objects.filter(pk=message.pk).update(**columns)
    return Message.objects.get(pk=message.pk)


def after(wait: timedelta, what: Callable[[], object]) -> None:
    with time_machine.travel(timezone.now() + wait + timedelta(seconds=1)):
        what()


def relay_and_deliver() -> None:
    for pk in outbox.claim_due():
        delivery.deliver(pk)


def end_of(message: Message) -> tuple[str, int]:
    message.refresh_from_db()
    return message.state, message.attempts


def test_killed_before_the_gateway_was_called_it_goes_out_after_all(sms_outbox: Outbox) -> None:
    message = queued()
    killed("sms.settlement:hand_over:before:1", {"deliver": message.pk})
    relay_and_deliver()
    assert end_of(message) == ("sending", 1)
    after(settlement.CLAIM_LEASE, relay_and_deliver)
    assert end_of(message) == ("sent", 2)
    assert len(sms_outbox.messages()) == 1


def test_killed_once_the_gateway_may_have_been_called_it_is_unknown(sms_outbox: Outbox) -> None:
    message = queued()
    killed("sms.settlement:hand_over:after:1", {"deliver": message.pk})
    after(settlement.CLAIM_LEASE, relay_and_deliver)
    assert end_of(message) == ("sending", 1)
    after(settlement.ABANDONED_AFTER, relay_and_deliver)
    assert end_of(message) == ("unknown", 1)
    assert message.text == message.variables == ""
    assert sms_outbox.messages() == []


def test_a_worker_that_slept_past_its_claim_sends_nothing(sms_outbox: Outbox) -> None:
    message = queued()
    with dying("sms.delivery:_opened:stall:1", {"deliver": message.pk}, linger=1.5, ends=0):
        after(settlement.CLAIM_LEASE, relay_and_deliver)
        assert end_of(message) == ("sent", 2)
    assert end_of(message) == ("sent", 2)
    assert len(sms_outbox.messages()) == 1


def test_a_verdict_that_comes_late_settles_what_was_unknown(sms_outbox: Outbox) -> None:
    message = queued()
    with dying("sms.settlement:hand_over:stall:1", {"deliver": message.pk}, linger=1.5, ends=0):
        after(settlement.ABANDONED_AFTER, relay_and_deliver)
        assert end_of(message) == ("unknown", 1)
    assert end_of(message) == ("sent", 1)
    assert len(sms_outbox.messages()) == 1


def test_what_kills_its_worker_is_given_up_and_holds_nobody_up(sms_outbox: Outbox) -> None:
    poison, others = queued(attempts=settlement.MAX_STARTS - 1), [queued() for _ in range(3)]
    killed("sms.delivery:_opened:before:1", {"deliver": poison.pk})
    relay_and_deliver()
    assert [end_of(other) for other in others] == [("sent", 1)] * 3
    after(settlement.CLAIM_LEASE, relay_and_deliver)
    assert end_of(poison) == ("failed", settlement.MAX_STARTS)
    assert (poison.code, poison.reason, poison.text) == (20002, "Its worker died 5 times.", "")
    assert len(sms_outbox.messages()) == 3


def test_a_pin_that_has_expired_is_not_sent(sms_outbox: Outbox) -> None:
    waiting, published = queued(expires_at=timezone.now()), queued(expires_at=timezone.now())
    delivery.deliver(published.pk)
    assert end_of(published) == ("expired", 1)
    relay_and_deliver()
    assert end_of(waiting) == ("expired", 0)
    assert waiting.text == published.text == ""
    assert sms_outbox.messages() == []


def test_no_try_is_made_that_would_come_too_late(settings: Settings) -> None:
    settings.SMS_GATEWAY, settings.SMS_URL = "http", "http://127.0.0.1:9/send"
    message = queued(expires_at=timezone.now() + timedelta(seconds=0.9))
    relay_and_deliver()
    assert end_of(message) == ("failed", 1)
    assert (message.code, message.text) == (20002, "")


def test_four_tries_are_made_each_after_a_longer_wait(settings: Settings) -> None:
    settings.SMS_GATEWAY, settings.SMS_URL, settings.SMS_GATEWAY_PAUSE_SECONDS = "http", "http://127.0.0.1:9/send", 0
    message = queued()
    waits = []
    for _ in range(4):
        with time_machine.travel(message.due_at + timedelta(seconds=0.1)):
            started = timezone.now()
            relay_and_deliver()
            message.refresh_from_db()
            waits.append((message.due_at - started).total_seconds())
    assert end_of(message) == ("failed", 4)
    for wait, least in zip(waits[:3], (2, 6, 18), strict=True):
        assert least * 0.5 <= wait <= least * 1.5 + 0.1


def test_a_text_that_nobody_can_read_is_not_tried_again(settings: Settings) -> None:
    message = queued(text="00000000:x")
    relay_and_deliver()
    assert end_of(message) == ("failed", 1)
    assert message.reason == "Its text can't be decrypted."


@pytest.mark.parametrize("gateway", ["aliyun", "tencent"])
def test_without_a_template_of_the_provider_it_is_not_asked(settings: Settings, gateway: str) -> None:
    settings.SMS_GATEWAY, settings.SMS_URL = gateway, "http://127.0.0.1:9/"
    message = queued()
    relay_and_deliver()
    assert end_of(message) == ("failed", 1)
    assert (message.code, message.reason) == (10004, "The template has no provider code.")
    assert message.handed_over_at is None
    assert not Line.objects.exists()


def test_a_template_is_filled_for_the_provider(settings: Settings) -> None:
    settings.SMS_GATEWAY = "aliyun"
    template = Template.objects.filter(channel="sms", key="welcome-en")
    template.update(provider_code="SMS_7", provider_variables="shop=brand, pin")
    try:
        with provider() as told:
            settings.SMS_URL, told.answer = told.url, {"Code": "OK", "BizId": "biz\x00 1"}
            message = outbox.queue(recipient=PHONE, template="welcome-en", pin="012345")
            relay_and_deliver()
    finally:
        template.update(provider_code="", provider_variables="")
    assert end_of(message) == ("sent", 1)
    assert message.provider_id == "biz 1"
    asked = dict(parse_qsl(told.path.partition("?")[2]))
    assert (asked["TemplateCode"], asked["OutId"]) == ("SMS_7", str(message.reference))
    assert json.loads(asked["TemplateParam"]) == {"shop": settings.BRAND_NAME, "pin": "012345"}


def test_what_waits_is_not_to_be_read(sms_outbox: Outbox) -> None:
    message = outbox.queue(recipient=PHONE, template="create-en", pin="918273", minutes=10)
    stored = str(Message.objects.filter(pk=message.pk).values().get())
    assert "918273" not in stored
    assert "registration" not in stored


def test_a_provider_that_is_busy_is_asked_again_and_not_left_alone(settings: Settings) -> None:
    settings.SMS_GATEWAY, settings.SMS_RETRY_SECONDS = "tencent", 0
    Template.objects.filter(channel="sms", key="welcome-en").update(provider_code="7")
    try:
        with provider() as told:
            settings.SMS_URL = told.url
            told.answer = {"Response": {"Error": {"Code": "RequestLimitExceeded"}}}
            message = queued()
            for _ in range(3):
                relay_and_deliver()
            assert end_of(message) == ("queued", 3)
            told.answer = {"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "5000:1"}]}}
            relay_and_deliver()
    finally:
        Template.objects.filter(channel="sms", key="welcome-en").update(provider_code="")
    assert end_of(message) == ("sent", 4)
    assert not Line.objects.exists()


def test_of_all_who_wait_for_a_dead_gateway_one_tries_it() -> None:
    for _ in range(line.FAILURES):
        assert line.seconds_to_wait("http") == 0
        line.note("http", alive=False)
    assert 29 < line.seconds_to_wait("http") <= 30
    Line.objects.update(closed_until=timezone.now())
    waits = at_once(8, lambda _: line.seconds_to_wait("http"))
    assert sorted(waits)[0] == 0
    assert all(29 < wait <= 30 for wait in sorted(waits)[1:])
    at_once(8, lambda _: line.note("http", alive=False))
    assert Line.objects.get().failures == line.FAILURES + 8
    line.note("http", alive=True)
    assert line.seconds_to_wait("http") == 0
