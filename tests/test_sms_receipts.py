"""Delivery receipts: they close what was sent and settle what nobody knew, once, and only from the gateway."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django import Settings

from sms import outbox, settlement
from sms.models import Message
from tests.conftest import at_once

KEY = "k7Zt0Qb2Yw9sXh4Vn6Lm1Rj8Pd3Fc5Ga"
State = Message.State


@pytest.fixture(autouse=True)
def route(database: None, settings: Settings) -> None:
    settings.SMS_RECEIPT_KEY, settings.SMS_RECEIPT_NETWORKS = KEY, ["127.0.0.0/8"]
    return


def message(state: str) -> Message:
    made = outbox.queue(recipient="13812345678", template="welcome-en")
    Message.objects.filter(pk=made.pk).update(state=state, ended_at=timezone.now())
    return made


def post(receipts: Any, gateway: str = "http", key: str = KEY, **extra: Any) -> Any:
    body = receipts if isinstance(receipts, str) else json.dumps(receipts)
    return Client(enforce_csrf_checks=True).post(
        f"/sms/receipts/{key}/{gateway}", body, content_type="application/json", **extra
    )


def receipt(message: Message, *, delivered: bool = True, reason: str = "DELIVERED") -> dict[str, Any]:
    return {"reference": str(message.reference), "messageId": "1", "delivered": delivered, "reason": reason}


def ends(*messages: Message) -> list[tuple[str, int | None, str]]:
    rows = {row.pk: row for row in Message.objects.all()}
    return [(rows[entry.pk].state, rows[entry.pk].code, rows[entry.pk].reason) for entry in messages]


def test_receipts_close_rows_once_and_for_all() -> None:
    sent, unknown, lost = message(State.SENT), message(State.UNKNOWN), message(State.SENT)
    told = [receipt(sent), receipt(unknown), receipt(lost, delivered=False, reason="ABSENT")]
    closed = [("delivered", None, ""), ("delivered", None, ""), ("failed", 20002, "ABSENT")]
    for _ in range(2):
        answer = post(told)
        assert (answer.status_code, answer.json()["code"]) == (200, 0)
        assert ends(sent, unknown, lost) == closed
    post([receipt(sent, delivered=False, reason="LATE"), receipt(lost)])
    assert ends(sent, unknown, lost) == closed


def test_the_same_receipt_from_everywhere_at_once_settles_it_once() -> None:
    sent = message(State.SENT)
    assert sum(at_once(8, lambda _: settlement.of_receipts({str(sent.reference): None}))) == 1


def test_a_receipt_before_the_answer_keeps_the_message_from_going_out_again() -> None:
    waiting = message(State.QUEUED)
    post([receipt(waiting)])
    assert outbox.claim_due() == []
    waiting.refresh_from_db()
    assert (waiting.state, waiting.text, waiting.variables) == ("delivered", "", "")


def test_aliyuns_receipts_are_understood_and_answered_as_it_wants() -> None:
    sent, lost = message(State.UNKNOWN), message(State.SENT)
    common = {"phone_number": "13812345678", "send_time": "2026-11-24 10:00:00", "report_time": "2026-11-24 10:00:03"}
    told = [
        {**common, "success": True, "err_code": "DELIVERED", "sms_size": "1", "out_id": str(sent.reference)},
        {**common, "success": False, "err_code": "MK:0001", "sms_size": "1", "out_id": str(lost.reference)},
    ]
    assert post(told, "aliyun").json() == {"code": 0, "msg": "OK"}
    assert ends(sent, lost) == [("delivered", None, ""), ("failed", 20002, "MK:0001")]


def test_what_is_no_receipt_is_passed_over() -> None:
    sent = message(State.SENT)
    unknown = {"reference": str(uuid.uuid4()), "delivered": True}
    odd: list[Any] = [unknown, {}, 1, None, {"reference": "x", "delivered": True}, {"reference": 7, "delivered": True}]
    odd += [{"reference": str(sent.reference), "delivered": "yes"}, {"out_id": str(sent.reference), "success": True}]
    assert post(odd).json()["code"] == 0
    assert ends(sent) == [("sent", None, "")]
    assert post([receipt(sent, delivered=False, reason="A\x00B" + "C" * 200)]).status_code == 200
    assert ends(sent) == [("failed", 20002, "AB" + "C" * 98)]


@pytest.mark.parametrize("body", ["", "{", "{}", "1", "[" * 100_000, json.dumps([{}] * 1001)])
def test_what_is_no_array_is_refused(body: str) -> None:
    assert post(body).status_code == 400


def test_strangers_find_nothing(settings: Settings) -> None:
    sent = message(State.SENT)
    assert post([receipt(sent)], key="guess").status_code == 404
    assert post([receipt(sent)], key="é").status_code == 404
    assert post([receipt(sent)], gateway="tencent").status_code == 404
    assert post([receipt(sent)], REMOTE_ADDR="8.8.8.8").status_code == 403
    assert post([receipt(sent)], HTTP_X_FORWARDED_FOR="127.0.0.1", REMOTE_ADDR="8.8.8.8").status_code == 403
    assert Client().get(f"/sms/receipts/{KEY}/http").status_code == 405
    settings.SMS_RECEIPT_KEY = ""
    assert post([receipt(sent)], key="x").status_code == 404
    assert ends(sent) == [("sent", None, "")]


def measured(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"channel": "sms", **labels} if labels else {}) or 0


def test_the_route_is_no_part_of_the_api() -> None:
    assert "receipts" not in Client().get("/api/schema").content.decode()


def test_a_message_is_paid_for_once(settings: Settings) -> None:
    settings.SMS_PRICE = 0.05
    before, sent_before = measured("loyalty_sms_cost_total"), measured("loyalty_messages_total", state="sent")
    sent, unknown = message(State.SENT), message(State.UNKNOWN)
    post([receipt(sent), receipt(unknown)])
    post([receipt(sent), receipt(unknown)])
    assert measured("loyalty_sms_cost_total") - before == pytest.approx(0.05)
    assert measured("loyalty_messages_total", state="sent") - sent_before == 1  # the other one was counted when it was
