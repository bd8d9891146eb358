"""What each operation on customers, cards and addresses costs the database: a fixed number of statements."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.conftest import MEI, Api, Outbox, Printed, print_card, register

STATEMENTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@pytest.fixture
def mei(api: Api, card: Printed, sms_outbox: Outbox, settings: Settings) -> Api:
    settings.SMS_PHONE_COOLDOWN_SECONDS = 0
    assert register(api, card, sms_outbox).status_code == 200
    return api.log_in(MEI["userName"], MEI["password"])


def statements(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        reply = act()
    assert reply.status_code == 200, reply.content
    return sum(entry["sql"].lstrip("(").startswith(STATEMENTS) for entry in captured.captured_queries)


def test_every_operation_has_its_price(mei: Api, api: Api, card: Printed, settings: Settings) -> None:
    settings.CARD_ADDS_PER_CUSTOMER_DAY = settings.WRITES_PER_CUSTOMER_MINUTE = 1000
    second, third = print_card(), print_card()
    address = mei.post("Customers/addresses/add", {"address": "1 Nanjing Road"}).json()["addressId"]

    def card_body(which: Printed, **more: str) -> dict[str, str]:
        return {"cardNumber": which.number, **more}

    profile = {name: value for name, value in MEI.items() if name != "password"}
    acts: dict[str, Callable[[], Any]] = {
        "detail": lambda: mei.get("Customers/detail"),
        "cards/list": lambda: mei.get("Customers/cards/list"),
        "addresses/list": lambda: mei.get("Customers/addresses/list"),
        "validate": lambda: api.post("Cards/validate", card_body(third, pin=third.pin)),
        "cards/add": lambda: mei.post("Customers/cards/add", card_body(second, pin=second.pin)),
        "cards/wake": lambda: mei.post("Customers/cards/wake", card_body(second)),
        "cards/delete": lambda: mei.post("Customers/cards/delete", card_body(card, reason="old")),
        "cards/lost": lambda: mei.post("Customers/cards/lost", card_body(second, reasonCode="Lost")),
        "addresses/add": lambda: mei.post("Customers/addresses/add", {"address": "2 Nanjing Road"}),
        "addresses/update": lambda: mei.post(f"Customers/addresses/update/{address}", {"address": "3 Nanjing Road"}),
        "update": lambda: mei.post("Customers/update", profile),
        "update/patch": lambda: mei.post("Customers/update/patch", {"hobbies": "tea"}),
        "updateOpt": lambda: mei.post("Customers/updateOpt", {"communicationType": "1"}),
        "disable": lambda: mei.post("Customers/disable", {"reason": "moving away"}),
    }
    assert {name: statements(act) for name, act in acts.items()} == {
        "detail": 4,
        "cards/list": 3,
        "addresses/list": 3,
        "validate": 9,
        "cards/add": 22,
        "cards/wake": 17,
        "cards/delete": 12,
        "cards/lost": 28,
        "addresses/add": 7,
        "addresses/update": 7,
        "update": 11,
        "update/patch": 11,
        "updateOpt": 8,
        "disable": 28,
    }
