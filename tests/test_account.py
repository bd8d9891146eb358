"""What a customer decides about his account: what may be sent to him, and its end."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from cards.models import Card, CardEvent, CardStatus
from customers.models import ConsentChange, Member
from loyalty.scopes import Scope
from tests.conftest import Api, Outbox, code_of, holding, print_card, register
from tests.test_card_life import as_customer, new_customer, own


@pytest.fixture
def mei(database: None) -> Member:
    return new_customer()


@pytest.fixture
def hers(api: Api, mei: Member) -> Api:
    return as_customer(api, mei)


def opt(caller: Api, **fields: Any) -> Any:
    return caller.post("Customers/updateOpt", fields)


def disable(caller: Api, reason: str = "moving away") -> Any:
    return caller.post("Customers/disable", {"reason": reason})


def test_each_consent_is_kept_with_its_reason(hers: Api, mei: Member) -> None:
    said = [
        {"communicationType": "0", "reason": "asked at the till"},
        {"communicationType": "2"},
        {"reason": "by phone"},
    ]
    for fields in [*said, {}]:
        assert opt(hers, **fields).json() == {"success": True}
    assert hers.get("Customers/detail").json()["optOut"] == 2
    history = ConsentChange.objects.order_by("pk").values_list("member_id", "opt_out", "reason", "actor")
    assert list(history) == [
        (mei.pk, 0, "asked at the till", "customer"),
        (mei.pk, 2, "", "customer"),
        (mei.pk, 2, "by phone", "customer"),
    ]


@pytest.mark.parametrize("wrong", ["3", "allow", 1, True, ["0"]])
def test_a_consent_that_is_none_is_refused(hers: Api, wrong: Any) -> None:
    assert code_of(opt(hers, communicationType=wrong)) == 422
    assert not ConsentChange.objects.exists()


def test_a_closed_account_is_closed_everywhere(api: Api, hers: Api, mei: Member) -> None:
    cards = [own(mei), own(mei, CardStatus.DORMANT), own(mei, CardStatus.IN_TRANSIT)]
    lost = own(mei, CardStatus.OBSOLETE)
    other = as_customer(api, mei)
    assert disable(hers).json() == {"success": True}
    for caller in (hers, other):
        assert code_of(caller.get("Customers/detail"), 401) == 401
    client = holding(api, Scope.CUSTOMERS, networks=["127.0.0.1"]).with_headers(x_customer_id=mei.pk)
    assert code_of(client.get("Customers/detail")) == 402
    assert code_of(client.get("Customers/cards/list")) == 402
    assert code_of(opt(client, communicationType="1")) == 402
    assert code_of(disable(client)) == 402
    by_number = dict(Card.objects.values_list("number", "status"))
    assert {by_number[card.number] for card in cards} == {"Cancelled"}
    assert by_number[lost.number] == "Obsolete"
    assert set(CardEvent.objects.values_list("event", "reason", "customer_id")) == {("close", "moving away", mei.pk)}
    assert CardEvent.objects.count() == 3
    closed = Member.objects.get(pk=mei.pk)
    assert (closed.status, closed.closed_reason) == ("Closed", "moving away")


def test_a_closed_customer_logs_in_no_more_and_keeps_the_address(api: Api, sms_outbox: Outbox) -> None:
    register(api, print_card(), sms_outbox)
    mei = api.log_in("mei.li", "correct horse battery")
    disable(mei)
    assert code_of(api.post("Customers/login", {"user": "mei.li", "password": "correct horse battery"})) == 403
    assert code_of(api.post("Customers/userAvailable", {"user": "mei.li@example.com"})) == 202


@pytest.mark.parametrize("reason", ["", None, "x" * 201, 7])
def test_a_reason_is_needed(hers: Api, mei: Member, reason: Any) -> None:
    assert code_of(hers.post("Customers/disable", {"reason": reason})) == 422
    assert Member.objects.get(pk=mei.pk).status == "Active"


def test_a_client_does_not_close_by_trial(api: Api, settings: Settings, database: None) -> None:
    settings.DISABLES_PER_CUSTOMER_DAY = 2
    client = holding(api, Scope.CUSTOMERS, networks=["127.0.0.1"]).with_headers(x_customer_id="1-UNKNOWN")
    assert [code_of(disable(client)) for _ in range(2)] == [402, 402]
    assert code_of(disable(client), 429) == 429


def test_closing_costs_the_same_whatever_the_number_of_cards(api: Api) -> None:
    def queries(cards: int) -> int:
        member = new_customer(f"user{cards}")
        for _ in range(cards):
            own(member, CardStatus.DORMANT)
        caller = as_customer(api, member)
        with CaptureQueriesContext(connection) as captured:
            assert disable(caller).status_code == 200
        return len(captured)

    queries(2)  # once: the limits of notices have their rows from now on
    assert queries(1) == queries(15)
