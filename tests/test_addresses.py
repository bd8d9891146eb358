"""A customer's addresses: the primary one is what the profile shows, nobody else's is ever seen."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from cards.members import MemberStatus
from customers.models import Address, Member
from loyalty.scopes import Scope
from tests.conftest import Api, at_once, code_of, holding
from tests.test_card_life import as_customer, new_customer

HOME = {"address": "1 Nanjing Road", "city": "上海", "zip": "200001", "contactName": "李梅 🌸"}


@pytest.fixture
def mei(database: None) -> Member:
    return new_customer()


@pytest.fixture
def hers(api: Api, mei: Member, settings: Settings) -> Api:
    settings.WRITES_PER_CUSTOMER_MINUTE = 1000
    return as_customer(api, mei)


def add(caller: Api, **fields: Any) -> Any:
    return caller.post("Customers/addresses/add", {**HOME, **fields})


def update(caller: Api, address_id: str, **fields: Any) -> Any:
    return caller.post(f"Customers/addresses/update/{address_id}", {"address": "2 Huaihai Road", **fields})


def test_the_first_address_is_the_primary_one_and_the_profile_shows_it(hers: Api) -> None:
    added = add(hers, country="China", state="Shanghai").json()
    assert added == {
        "addressId": added["addressId"],
        "country": "China",
        "state": "Shanghai",
        "city": "上海",
        "zip": "200001",
        "address": "1 Nanjing Road",
        "isPrimary": True,
        "contactName": "李梅 🌸",
        "contactPhone": None,
    }
    assert hers.get("Customers/addresses/list").json() == [added]
    detail = hers.get("Customers/detail").json()
    assert [detail[f"primary{name}"] for name in ("Country", "State", "City", "Zip", "Address")] == [
        "China",
        "Shanghai",
        "上海",
        "200001",
        "1 Nanjing Road",
    ]


def test_another_one_takes_the_place_of_the_primary_one_on_demand(hers: Api) -> None:
    first, second = add(hers).json(), add(hers, address="Office").json()
    assert second["isPrimary"] is False
    assert update(hers, second["addressId"], isPrimary=True).json()["isPrimary"] is True
    assert [entry["addressId"] for entry in hers.get("Customers/addresses/list").json()] == [
        second["addressId"],
        first["addressId"],
    ]
    assert hers.get("Customers/detail").json()["primaryAddress"] == "2 Huaihai Road"
    assert add(hers, address="Summer house", isPrimary="true").json()["isPrimary"] is True
    assert Address.objects.filter(is_primary=True).count() == 1


def test_an_update_changes_what_is_given_and_clears_what_is_empty(hers: Api) -> None:
    home = add(hers).json()
    changed = update(hers, home["addressId"], zip="", state="Shanghai").json()
    assert changed == {**home, "address": "2 Huaihai Road", "zip": None, "state": "Shanghai"}


def test_anothers_address_answers_as_an_unknown_one(api: Api, hers: Api) -> None:
    theirs = add(as_customer(api, new_customer("gao"))).json()["addressId"]
    before = Address.objects.values().get(pk=theirs)
    refused = [update(hers, address_id) for address_id in (theirs, "1-UNKNOWN", "nonsense", "1-aaa", "%27")]
    assert [code_of(reply) for reply in refused] == [3005] * 5
    bodies = [{**reply.json()["error"], "requestId": ""} for reply in refused]
    assert bodies == [bodies[0]] * 5
    assert Address.objects.values().get(pk=theirs) == before


def test_there_are_twenty_at_most_whoever_adds_them_at_once(hers: Api, mei: Member) -> None:
    headers = hers.headers
    replies = at_once(25, lambda number: add(Api(headers), address=f"No. {number}").status_code)
    assert sorted(replies) == [200] * 20 + [429] * 5
    assert Address.objects.filter(member=mei).count() == 20
    assert Address.objects.filter(member=mei, is_primary=True).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": ""},
        {"address": None},
        {"address": 7},
        {"address": "x" * 301},
        {"isPrimary": "Y"},
        {"city": "a\x00b"},
    ],
)
def test_bad_form_is_422(hers: Api, wrong: dict[str, Any]) -> None:
    assert code_of(add(hers, **wrong)) == 422
    assert not Address.objects.exists()


def test_whoever_is_no_active_customer_has_no_addresses(api: Api, hers: Api, mei: Member) -> None:
    home = add(hers).json()["addressId"]
    Member.objects.filter(pk=mei.pk).update(status=MemberStatus.INACTIVE)
    unknown = holding(api, Scope.CUSTOMERS, networks=["127.0.0.1"]).with_headers(x_customer_id="1-UNKNOWN")
    for caller in (hers, unknown):
        assert code_of(caller.get("Customers/addresses/list")) == 402
        assert code_of(add(caller)) == 402
        assert code_of(update(caller, home)) == 402


def test_the_number_of_queries_does_not_grow_with_the_addresses(hers: Api) -> None:
    def queries(act: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert act().status_code == 200
        return len(captured)

    home = add(hers).json()["addressId"]
    acts = (lambda: hers.get("Customers/addresses/list"), lambda: update(hers, home), lambda: add(hers))
    few = [queries(act) for act in acts]
    for number in range(15):
        add(hers, address=f"No. {number}")
    assert [queries(act) for act in acts] == few
