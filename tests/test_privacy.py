"""What is held on a person can be handed over, and erased; an account can be closed and opened again."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cards.models import Card, CardStatus
from customers.models import Erasure, Member
from demo import people
from loyalty import logs
from sms.models import Message
from tests.conftest import MEI, PHONE, Api, Outbox, Printed, code_of, print_card, register, settled
from tests.effects import everything

MARK = "Xylophon"


@pytest.fixture
def mei(api: Api, card: Printed, sms_outbox: Outbox, settings: Settings) -> Api:
    """She has left her mark wherever she could."""
    settings.SMS_PHONE_COOLDOWN_SECONDS = settings.EMAIL_COOLDOWN_SECONDS = 0
    texts = {
        name: f"{MARK} {name}"
        for name in ("firstName", "lastName", "hobbies", "notes", "favouriteProduct", "primaryAddress", "primaryCity")
    }
    email = {"userName": MARK, "email": f"{MARK}@example.com"}
    assert register(api, card, sms_outbox, **texts, **email, optOut=1).status_code == 200
    mei = api.log_in(MARK, MEI["password"]).with_headers(idempotency_key="mei-1")
    mei.post("Customers/addresses/add", {"address": f"{MARK} Road", "contactName": MARK, "contactPhone": MARK})
    mei = mei.with_headers(idempotency_key="mei-2")
    mei.post("Customers/updateOpt", {"communicationType": "2", "reason": MARK})
    mei.post("Customers/sendEmailPin")
    api.post("Customers/sendResetPasswordEmail", {"email": email["email"]})
    second = print_card()
    mei = mei.with_headers(idempotency_key="mei-3")
    assert mei.post("Customers/cards/add", {"cardNumber": second.number, "pin": second.pin}).status_code == 200
    mei = mei.with_headers(idempotency_key="mei-4")
    assert mei.post("Customers/cards/delete", {"cardNumber": second.number, "reason": MARK}).status_code == 200
    people.stores()
    people.purchases(Member.objects.get(pk=card.customer_id))
    settled()
    return mei


@pytest.fixture
def staff(database: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password=None))
    return client


def act(staff: Client, action: str, member: str, **answers: str) -> Any:
    body = {"action": action, "_selected_action": member, **answers}
    return staff.post("/admin/customers/member/", body, follow="reason" in answers and action != "export")


def rows_with(text: str) -> dict[str, list[str]]:
    found = {table: [row for row in rows if text.lower() in row.lower()] for table, rows in everything().items()}
    return {table: rows for table, rows in found.items() if rows}


def test_all_that_is_held_is_exported_and_no_secret(mei: Api, card: Printed, capsys: Any) -> None:
    call_command("export_customer", card.customer_id)
    text = capsys.readouterr().out
    found = json.loads(text)
    assert found["customerId"] == card.customer_id
    assert found["profile"][0]["email"] == f"{MARK}@example.com"
    assert {name: len(rows) for name, rows in found.items() if isinstance(rows, list)} == {
        "profile": 1,
        "addresses": 2,
        "replies": 1,
        "consents": 2,
        "cards": 2,
        "cardHistory": 3,
        "logIns": 1,
        "messages": 4,
        "pins": 2,
        "proofs": 1,
        "phoneVerification": 0,
        "retriedRequests": 5,
        "notes": 0,
        "staffActions": 0,
        "staffAudit": 0,
        "orders": 3,
        "rewards": 3,
        "stars": len(found["stars"]),
        "partnerTransactions": len(found["partnerTransactions"]),
        "starAdjustments": 0,
    }
    assert '"password":' not in text
    assert "digest" not in text
    with pytest.raises(CommandError, match="no such customer"):
        call_command("export_customer", "1-NOBODY")


def test_who_is_erased_is_nowhere(mei: Api, api: Api, card: Printed, staff: Client) -> None:
    balance = Member.objects.get(pk=card.customer_id).star_balance
    orders = everything()["orders_order"]
    assert rows_with(MARK)
    asked = act(staff, "erase", card.customer_id)
    assert "can&#x27;t be undone" in asked.content.decode()
    assert rows_with(MARK), "nothing happens before a reason is given"
    act(staff, "erase", card.customer_id, reason="case 17")
    assert rows_with(MARK) == {}
    assert rows_with(PHONE) == {}
    member = Member.objects.get(pk=card.customer_id)
    assert (member.status, member.star_balance, everything()["orders_order"]) == ("Closed", balance, orders)
    assert Card.objects.get(number=card.number).status == CardStatus.CANCELLED
    proof = Erasure.objects.get()
    assert (proof.customer_id, proof.reason, proof.actor) == (card.customer_id, "case 17", "staff boss")
    assert code_of(mei.get("Customers/detail"), 401) == 401
    assert api.post("Customers/userAvailable", {"user": MARK}).json() == {"success": True}
    assert "not a registered active" in act(staff, "reopen", card.customer_id, reason="oops").content.decode()


def test_another_one_on_the_same_phone_keeps_everything(
    mei: Api, api: Api, card: Printed, sms_outbox: Outbox, settings: Settings
) -> None:
    settings.SMS_PER_PHONE_HOUR = 100
    other = print_card()
    assert register(api, other, sms_outbox, userName="jo", email="jo@example.com").status_code == 200
    settled()
    call_command("erase_customer", card.customer_id, reason="case 18", yes=True)
    assert Message.objects.filter(customer_id=other.customer_id, recipient=PHONE).count() == 1
    assert api.log_in("jo", MEI["password"]).get("Customers/detail").json()["cellPhone"] == PHONE


def test_the_command_asks(mei: Api, card: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_customer", card.customer_id, reason="case 19")
    assert rows_with(MARK)


@pytest.mark.parametrize("action", ["export", "erase"])
def test_handing_over_and_erasing_are_permissions_of_their_own(
    mei: Api, card: Printed, action: str, staff: Client
) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    may = {"view_member", "change_member"}
    clerk.user_permissions.set(Permission.objects.filter(codename__in=may))
    client = Client()
    client.force_login(clerk)
    assert f'value="{action}"' not in client.get("/admin/customers/member/").content.decode()
    act(client, action, card.customer_id, reason="curious")
    assert not Erasure.objects.exists()
    clerk.user_permissions.add(Permission.objects.get(codename=f"{action}_member"))
    assert f'value="{action}"' in client.get("/admin/customers/member/").content.decode()


def test_staff_export_with_a_reason(mei: Api, card: Printed, staff: Client) -> None:
    assert "Reason" in act(staff, "export", card.customer_id).content.decode()
    file = act(staff, "export", card.customer_id, reason="she asked for it")
    assert file.headers["Content-Disposition"] == f'attachment; filename="customer-{card.customer_id}.json"'
    assert json.loads(file.content)["staffActions"][0]["change_message"] == "Exported: she asked for it"


# Closing and opening again


def test_staff_close_an_account_and_open_it_again(
    mei: Api, api: Api, card: Printed, staff: Client, sms_outbox: Outbox
) -> None:
    third = print_card()
    keyless = api.log_in(MARK, MEI["password"])
    assert keyless.post("Customers/cards/add", {"cardNumber": third.number, "pin": third.pin}).status_code == 200
    before = keyless.get("Customers/cards/list").json()
    assert [card["status"] for card in before] == ["Registered", "Dormant"]
    act(staff, "close", card.customer_id, reason="asked on the phone")
    settled()
    assert sms_outbox.templates()[-1] == "account-closed-en"
    assert code_of(keyless.get("Customers/detail"), 401) == 401
    act(staff, "reopen", card.customer_id, reason="changed her mind")
    again = api.log_in(MARK, MEI["password"])
    assert again.get("Customers/cards/list").json() == before
    events = list(Card.objects.get(number=card.number).events.values_list("event", "actor", "reason")[:2])
    assert events == [
        ("reopen", "staff boss", "changed her mind"),
        ("close", "staff boss", "asked on the phone"),
    ]


def test_after_fourteen_days_it_stays_closed(mei: Api, card: Printed, staff: Client) -> None:
    act(staff, "close", card.customer_id, reason="gone")
    with time_machine.travel(timezone.now() + timedelta(days=14, minutes=1)):
        staff.force_login(User.objects.get(username="boss"))
        page = act(staff, "reopen", card.customer_id, reason="back").content.decode()
    assert "not a registered active" in page
    assert Member.objects.get(pk=card.customer_id).status == "Closed"


def test_a_lost_card_is_told_to_its_owner(mei: Api, card: Printed, sms_outbox: Outbox, mailbox: Any) -> None:
    body = {"cardNumber": card.number, "reasonCode": "Stolen"}
    assert mei.with_headers(idempotency_key="mei-9").post("Customers/cards/lost", body).status_code == 200
    settled()
    assert card.number[-4:] in sms_outbox.messages()[-1]["text"]
    assert card.number not in sms_outbox.messages()[-1]["text"]
    assert mailbox.to(f"{MARK}@example.com")[-1].subject == "Loyalty: Your card was reported"


def test_logs_strike_out_what_names_a_person() -> None:
    line: Callable[[str], Any] = lambda text: logs.mask(None, "", {"event": text})["event"]  # noqa: E731
    assert line(f"from {PHONE} or {MARK}@example.com") == "from *** or ***"
