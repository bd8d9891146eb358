"""A customer's own data: what a patch takes, what it refuses, and what two of them at once leave."""

from typing import Any

import pytest

from customers.models import Address, ConsentChange, Member
from loyalty import authentication
from loyalty.models import Store
from tests.conftest import MEI, Api, Outbox, Printed, at_once, code_of, print_card, register

HER_OWN = {name: value for name, value in MEI.items() if name != "password"}


@pytest.fixture
def mei(api: Api, card: Printed, sms_outbox: Outbox) -> Api:
    assert register(api, card, sms_outbox).status_code == 200
    return api.log_in(MEI["userName"], MEI["password"])


def patch(mei: Api, **fields: Any) -> Any:
    return mei.post("Customers/update/patch", fields)


def detail(mei: Api) -> Any:
    return mei.get("Customers/detail").json()


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("firstName", "梅梅", "梅梅"),
        ("firstName", "  Mei  ", "Mei"),
        ("lastName", "O’Brien-Ångström", "O’Brien-Ångström"),
        ("hobbies", "☕ and 🍰", "☕ and 🍰"),
        ("notes", "two\nlines", "two\nlines"),
        ("gender", "Female", "Female"),
        ("gender", "", None),
        ("birthday", "02/29/1988", "02/29/1988"),
        ("language", "CHS", "CHS"),
        ("optOut", 2, 2),
        ("optOut", "1", 1),
        ("homePhone", "+86 21 1234 5678", "+86 21 1234 5678"),
        ("fax", None, None),
        ("userName", "mei.li.2", "mei.li.2"),
        ("email", "MEI.LI@EXAMPLE.COM", "Mei.Li@example.com"),
        ("cellPhone", MEI["cellPhone"], MEI["cellPhone"]),
        ("favouriteProduct", "x" * 100, "x" * 100),
    ],
)
def test_a_patch_changes_what_it_names_and_nothing_else(mei: Api, field: str, value: Any, kept: Any) -> None:
    before = detail(mei)
    assert patch(mei, **{field: value}).json() == {"success": True}
    assert detail(mei) == {**before, field: kept}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("status", "Closed", 422),
        ("starBalance", 1_000_000, 422),
        ("emailVerified", True, 422),
        ("cellPhoneVerified", True, 422),
        ("customerId", "1-ABC", 422),
        ("customer_id", "1-ABC", 422),
        ("password", "another horse battery", 422),
        ("cardNumber", "6200000000000000", 422),
        ("is_staff", True, 422),
        ("svc", "1", 422),
        ("firstName", "", 422),
        ("firstName", None, 422),
        ("firstName", "x" * 101, 422),
        ("firstName", "a\u202eb", 422),
        ("firstName", "a\x07b", 422),
        ("firstName", 7, 422),
        ("firstName", ["Mei"], 422),
        ("gender", "female", 422),
        ("birthday", "1990-07-15", 422),
        ("birthday", "07/15/2990", 422),
        ("language", "", 422),
        ("language", "FR", 422),
        ("optOut", 3, 422),
        ("notes", "x" * 2001, 422),
        ("userName", "tom@example.com", 422),
        ("cellPhone", "+8613812345678", 422),
        ("cellPhone", "", 20003),
        ("email", "no address", 5000),
        ("email", "", 5000),
        ("email", "mei@bücher.example", 5000),
        ("email", 7, 422),
        ("email", None, 422),
        ("SourceCode", "1002", 301),
    ],
)
def test_a_patch_refuses_what_does_not_belong(mei: Api, field: str, value: Any, code: int) -> None:
    Store.objects.create(number="1002", name="Old Town", is_open=False)
    before = detail(mei)
    reply = patch(mei, lastName="Wang", **{field: value})
    assert code_of(reply) == code
    if code == 422:
        assert field in reply.json()["error"]["details"]
    assert detail(mei) == before


def test_what_others_know_by_another_name_is_ignored_not_obeyed(mei: Api) -> None:
    assert patch(mei, firstName="Meimei", httpCtx={"user": "root"}).status_code == 200
    assert patch(mei).status_code == 200
    extra = {"status": "Closed", "starBalance": 9, "emailVerified": True, "customerId": "1-ABC", "password": "x"}
    before = detail(mei)
    assert mei.post("Customers/update", {**HER_OWN, "firstName": "Meimei", **extra}).status_code == 200
    assert detail(mei) == before
    mei.log_in(MEI["userName"], MEI["password"])


def test_who_logs_in_by_address_logs_in_by_the_new_one(
    api: Api, sms_outbox: Outbox, settings: Any, mailbox: Any
) -> None:
    settings.SMS_PHONE_COOLDOWN_SECONDS = 0
    assert register(api, print_card(), sms_outbox, userName=MEI["email"]).status_code == 200
    mei = api.log_in(MEI["email"], MEI["password"])
    mei.post("Customers/sms/sendOldPhonePin", {"template": "update-en"})
    token = mei.post("Customers/sms/verifyForToken", {"captcha": sms_outbox.pin()}).json()["token"]
    assert patch(mei, email="new@example.com", phoneToken=token).status_code == 200
    assert detail(mei)["userName"] == "new@example.com"
    api.log_in("NEW@example.com", MEI["password"])


def test_the_primary_address_is_one_whichever_way_it_is_written(mei: Api) -> None:
    assert patch(mei, primaryCity="Suzhou", primaryAddress="1 Canal Street").status_code == 200
    (address,) = mei.get("Customers/addresses/list").json()
    assert (address["city"], address["address"], address["isPrimary"]) == ("Suzhou", "1 Canal Street", True)
    path = f"Customers/addresses/update/{address['addressId']}"
    assert mei.post(path, {"address": "2 Canal Street", "city": ""}).status_code == 200
    assert (detail(mei)["primaryAddress"], detail(mei)["primaryCity"]) == ("2 Canal Street", None)
    assert patch(mei, primaryAddress="3 Canal Street", primaryZip="215000").status_code == 200
    assert Address.objects.count() == 1
    assert detail(mei)["primaryZip"] == "215000"


def test_consents_have_a_history(mei: Api) -> None:
    assert patch(mei, optOut=1).status_code == 200
    mei.post("Customers/updateOpt", {"communicationType": "2", "reason": "fewer letters"})
    assert list(ConsentChange.objects.order_by("pk").values_list("opt_out", "actor")) == [
        (1, "customer"),
        (2, "customer"),
    ]


# Two at once


def test_two_patches_of_different_fields_both_survive(mei: Api) -> None:
    fields = ("hobbies", "notes", "homePhone", "workPhone", "fax", "favouriteProduct", "primaryCity", "primaryState")
    for turn in range(3):
        changes = [{name: f"{name} {turn}"} for name in fields]
        replies = at_once(len(changes), lambda number, these=changes: patch(Api(mei.headers), **these[number]))
        assert [reply.status_code for reply in replies] == [200] * len(fields)
        found = detail(mei)
        assert {name: found[name] for name in fields} == {name: f"{name} {turn}" for name in fields}


def test_of_two_patches_of_the_same_fields_one_wins_whole(mei: Api) -> None:
    whole = [dict.fromkeys(("hobbies", "notes", "fax", "primaryCity"), f"number {number}") for number in range(8)]
    replies = at_once(8, lambda number: patch(Api(mei.headers), **whole[number]))
    assert [reply.status_code for reply in replies] == [200] * 8
    found = detail(mei)
    assert {name: found[name] for name in whole[0]} in whole


def test_a_user_name_goes_to_one_of_those_who_want_it(api: Api, mei: Api) -> None:
    members = []
    for number in range(6):
        member = Member(status="Active", cell_phone="13900000000")
        member.set_login(f"user{number}", f"user{number}@example.com")
        member.save()
        members.append(member)
    tokens = [authentication.issue_token(member.pk)[0] for member in members]
    replies = at_once(6, lambda number: patch(Api({"authorization": f"Bearer {tokens[number]}"}), userName="The.Best"))
    codes = sorted(reply.json().get("error", {}).get("code", 0) for reply in replies)
    assert codes == [0] + [3011] * 5
