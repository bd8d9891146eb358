"""Support looks somebody up and helps: one search box, one page."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from customers.models import Member, Note
from staff.models import StaffAction
from tests.conftest import MEI, PHONE, Api, Outbox, Printed, code_of, register


@pytest.fixture
def mei(api: Api, card: Printed, sms_outbox: Outbox) -> Api:
    assert register(api, card, sms_outbox).status_code == 200
    return api.log_in(MEI["userName"], MEI["password"])


@pytest.fixture
def support(database: None) -> Client:
    user = User.objects.create_user("sue", is_staff=True)
    user.groups.set([Group.objects.get(name="support")])
    client = Client()
    client.force_login(user)
    return client


def find(support: Client, term: str) -> str:
    location: str = support.post("/admin/customers/member/find/", {"q": term}).headers["Location"]
    return location


def shown(support: Client, card: Printed) -> str:
    return support.get(f"/admin/customers/member/{card.customer_id}/change/").content.decode()


def act(support: Client, card: Printed, action: str, **answers: str) -> Any:
    body = {"action": action, **answers}
    return support.post(f"/admin/customers/member/{card.customer_id}/act/", body, follow="reason" in answers)


def test_one_box_finds_by_whatever_staff_are_told(mei: Api, support: Client, card: Printed) -> None:
    page = f"/admin/customers/member/{card.customer_id}/change/"
    terms = (card.customer_id, PHONE, "MEI.LI", MEI["email"].upper(), card.number, "Li", "Mei Li", "li mei".title())
    assert [find(support, term) for term in terms] == [page] * len(terms)
    Member.objects.filter(pk=card.customer_id).update(last_name="欧阳", first_name="梅")
    assert find(support, " 欧阳梅 ") == page
    assert find(support, "nobody") == "/admin/customers/member/?q=nobody"
    assert find(support, "") == "/admin/customers/member/?q="


def test_a_page_has_it_all(mei: Api, support: Client, card: Printed) -> None:
    page = shown(support, card)
    for title in ("Cards", "Addresses", "Consents", "Orders", "Rewards", "Stars", "Messages", "Log-ins", "Timeline"):
        assert f"<h2>{title}</h2>" in page
    assert "register" in page, "the card's history"
    assert "Registered" in page
    assert card.number not in page
    assert PHONE not in page
    assert f"/admin/orders/staradjustment/add/?member={card.customer_id}" in page
    assert "Partner transactions" not in page, "support may not see those"


def test_who_is_blocked_stays_out_until_unblocked(mei: Api, api: Api, support: Client, card: Printed) -> None:
    assert "Reason" in act(support, card, "block").content.decode()
    assert mei.get("Customers/detail").status_code == 200
    assert 'value="unblock"' in act(support, card, "block", reason="case 3").content.decode()
    assert code_of(mei.get("Customers/detail"), 401) == 401
    assert code_of(api.post("Customers/login", {"user": MEI["userName"], "password": MEI["password"]})) == 403
    assert "not a registered active" in act(support, card, "block", reason="again").content.decode()
    act(support, card, "unblock", reason="case 3 solved")
    assert api.log_in(MEI["userName"], MEI["password"]).get("Customers/detail").status_code == 200
    assert list(StaffAction.objects.order_by("pk").values_list("message", "reason")) == [
        ("Blocked", "case 3"),
        ("Unblocked", "case 3 solved"),
    ]
    assert "case 3 solved" not in shown(support, card), "the audit is for auditors"


def test_an_account_is_closed_and_opened_again(mei: Api, support: Client, card: Printed) -> None:
    assert 'value="reopen"' in act(support, card, "close", reason="case 4").content.decode()
    assert 'value="close"' in act(support, card, "reopen", reason="mistake").content.decode()
    assert Member.objects.get(pk=card.customer_id).status == "Active"


def test_the_page_offers_only_what_may_be_done(mei: Api, support: Client, card: Printed) -> None:
    page = shown(support, card)
    offered = [name for name in ("block", "unblock", "close", "reopen", "export", "erase") if f'value="{name}"' in page]
    assert offered == ["block", "close"]
    assert act(support, card, "erase", reason="curious").status_code == 403
    assert act(support, card, "no-such-action").status_code == 403


def test_staff_leave_notes_for_each_other(mei: Api, support: Client, card: Printed) -> None:
    url = f"/admin/customers/member/{card.customer_id}/note/"
    support.post(url, {"text": "Calls back on <b>Monday</b>"})
    support.post(url, {"text": ""})
    assert "Calls back on &lt;b&gt;Monday&lt;/b&gt;" in shown(support, card)
    assert Note.objects.get().staff == "sue"
    User.objects.get(username="sue").groups.set([Group.objects.get(name="finance")])
    assert support.post(url, {"text": "x"}).status_code == 403
    assert "Monday" not in shown(support, card)
