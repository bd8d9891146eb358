"""Each role at each page of the admin: what it may, what it may not, and what nobody sees."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, models
from django.test import Client

from cards.models import Card
from customers.models import Member
from loyalty.admin_site import QuickListAdmin
from loyalty.models import Store
from staff.audit import AuditedAdmin
from staff.masks import masked
from staff.models import StaffAction
from tests.test_admin import REGISTERED, SECRET, page, rows, texts_of  # noqa: F401 (rows is a fixture)
from wechat.models import PoolCard

PERSONAL = ("13812345678", "Mei.Li@Example.com", "6200000000000001", "6100000000000001")
SUPPORT = {"Member", "Note", "Address", "ConsentChange", "ProofToken", "MobileWindow", "Card", "CardEvent", "Order"}
SUPPORT |= {
    "OrderItem",
    "Reward",
    "StarEntry",
    "StarAdjustment",
    "Store",
    "CustomerToken",
    "Message",
    "Pin",
    "Template",
}
CARD_DESK = {"Card", "CardEvent", "Batch", "InboxFile", "RejectedRow", "PoolCard", "Departure", "PoolDay", "PoolLevel"}
FINANCE = {"Member", "Order", "OrderItem", "Reward", "StarEntry", "StarAdjustment", "PartnerTransaction", "Store"}
FINANCE |= {"RefusedTransaction", "ReconciliationFile", "OrderDay", "FileImport", "RejectedLine"}
OPERATIONS = {"ApiClient", "ApiKey", "Budget", "SiebelRequest", "IdempotencyKey", "Template", "Line", "Desk", "Store"}
OPERATIONS |= {"SiebelWrite", "Message", "Batch", "InboxFile", "FileImport", "RejectedLine"}
SEES = {"support": SUPPORT, "card desk": CARD_DESK, "finance": FINANCE, "operations": OPERATIONS}
ADDS = {
    "support": {"StarAdjustment"},
    "card desk": set(),
    "finance": {"StarAdjustment"},
    "operations": {"Store", "ApiClient", "Template"},
    "auditor": set(),
}
ROLES = [*SEES, "auditor"]


def in_role(role: str) -> Client:
    user = User.objects.create_user(role, is_staff=True)
    user.groups.set([Group.objects.get(name=role)])
    client = Client()
    client.force_login(user)
    return client


def pages_of(model: type[models.Model]) -> list[str]:
    row = model._default_manager.first()
    if row is None or model.__name__ == "Budget":
        return [page(model)]
    return [page(model), *(page(model, name, row.pk) for name in ("change", "history"))]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_its_pages_and_nobody_a_secret_or_a_whole_number(role: str, rows: SimpleNamespace) -> None:  # noqa: F811
    client = in_role(role)
    shown: list[Any] = [client.get("/admin/")]
    for model in REGISTERED:
        sees = role == "auditor" or model.__name__ in SEES[role]
        answers = [client.get(url) for url in pages_of(model)]
        assert {answer.status_code for answer in answers} == {200 if sees else 403}, model
        adds = client.get(page(model, "add")).status_code
        assert adds == (200 if model.__name__ in ADDS[role] else 403), model
        shown += answers if sees else []
    text = texts_of(shown)
    assert SECRET not in text
    assert [number for number in PERSONAL if number in text] == []


def test_an_auditor_changes_nothing(rows: SimpleNamespace) -> None:  # noqa: F811
    client = in_role("auditor")
    for model in REGISTERED:
        row = model._default_manager.first()
        if row and model.__name__ != "Budget":
            assert client.post(page(model, "change", row.pk), {}).status_code == 403, model
            assert client.get(page(model, "delete", row.pk)).status_code == 403, model
        assert 'name="action"' not in texts_of([client.get(page(model))]), model


def test_whoever_holds_the_permission_sees_personal_data_in_full(rows: SimpleNamespace) -> None:  # noqa: F811
    chief = Client()
    chief.force_login(User.objects.create_superuser("chief"))
    text = texts_of([chief.get(page(model)) for model in (Member, Card, PoolCard)])
    assert [number for number in PERSONAL if number not in text] == []


def test_one_row_is_shown_in_full_for_a_reason_that_stays(rows: SimpleNamespace) -> None:  # noqa: F811
    support, url = in_role("support"), page(Member, "unmask", rows.member.pk)
    assert url in texts_of([support.get(page(Member, "change", rows.member.pk))])
    assert PERSONAL[0] not in texts_of([support.get(url), support.post(url, {"reason": " "})])
    assert not StaffAction.objects.exists()
    text = texts_of([support.post(url, {"reason": "case 7"}, headers={"x-request-id": "r-7"})])
    assert PERSONAL[0] in text
    assert PERSONAL[1] in text
    noted = StaffAction.objects.get()
    assert (noted.staff, noted.kind, noted.object_id, noted.reason, noted.request_id) == (
        "support",
        "look",
        rows.member.pk,
        "case 7",
        "r-7",
    )
    finance = in_role("finance")
    assert finance.post(url, {"reason": "curious"}).status_code == 403
    assert support.post(page(PoolCard, "unmask", rows.pool_card.pk), {"reason": "curious"}).status_code == 403
    assert support.get(page(Store, "unmask", rows.store.pk)).status_code == 403


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Member, "cell_phone__startswith=138"),
        (Member, "email_key__contains=mei"),
        (Member, "password__startswith=md5"),
        (Card, "number__startswith=6200"),
        (Card, "pin_digest__startswith=5"),
        (PoolCard, "pin__startswith=key"),
    ],
)
def test_nothing_hidden_is_found_by_its_beginning(model: Any, query: str, rows: SimpleNamespace) -> None:  # noqa: F811
    role = "card desk" if model is PoolCard else "support"
    assert in_role(role).get(f"{page(model)}?{query}").status_code in (302, 400)


def test_who_sees_numbers_masked_finds_by_the_whole_number_alone(rows: SimpleNamespace) -> None:  # noqa: F811
    desk = in_role("card desk")
    found = {term: desk.get(page(Card), {"q": term}).context["cl"].result_count for term in ("6200", PERSONAL[2])}
    assert found == {"6200": 0, PERSONAL[2]: 1}


def test_a_mask_leaves_the_end() -> None:
    texts = ("13812345678", "+86 21 5555 1234", "Mei.Li@Example.com", "mei.li", "", "@x")
    assert [masked(text) for text in texts] == ["••••5678", "••••1234", "M•••@Example.com", "mei.li", "", "•••@x"]


# The audit


def test_every_page_that_changes_something_notes_it() -> None:
    from django.contrib import admin

    assert all(isinstance(page, AuditedAdmin) for page in admin.site._registry.values())


def test_a_change_is_noted_with_what_stood_there_before(rows: SimpleNamespace) -> None:  # noqa: F811
    client = in_role("operations")
    form = {"number": "1001", "name": "People's Square", "kind": "store"}
    client.post(page(Store, "change", rows.store.pk), form, headers={"x-request-id": "r-8"})
    noted = StaffAction.objects.get()
    assert (noted.staff, noted.kind, noted.subject, noted.object_id) == (
        "operations",
        "change",
        "loyalty.store",
        str(rows.store.pk),
    )
    assert noted.changes == {"name": ["Nanjing Road", "People's Square"], "is_open": [True, False]}
    assert noted.request_id == "r-8"


def test_rows_that_come_and_go_are_noted_and_no_password(rows: SimpleNamespace) -> None:  # noqa: F811
    chief = Client()
    chief.force_login(User.objects.create_superuser("chief"))
    password = "correct horse battery"
    chief.post(
        page(User, "add"),
        {"username": "ann", "usable_password": "true", "password1": password, "password2": password},
    )
    ann = User.objects.get(username="ann")
    chief.post(f"/admin/auth/user/{ann.pk}/password/", {"password1": password + "1", "password2": password + "1"})
    chief.post(page(User, "delete", ann.pk), {"post": "yes"})
    noted = list(StaffAction.objects.order_by("pk"))
    assert [action.kind for action in noted] == ["add", "change", "delete"]
    assert noted[0].changes["username"] == [None, "ann"]
    assert noted[2].changes["username"] == ["ann", None]
    assert "password" not in str([action.changes for action in noted])


def test_an_action_is_noted_with_its_reason(rows: SimpleNamespace) -> None:  # noqa: F811
    body = {"action": "close", "_selected_action": rows.member.pk, "reason": "case 9"}
    in_role("support").post(page(Member), body)
    noted = StaffAction.objects.get()
    assert (noted.message, noted.reason, noted.object_id) == ("Closed", "case 9", rows.member.pk)


def test_the_database_lets_no_line_of_the_audit_change_or_go(rows: SimpleNamespace) -> None:  # noqa: F811
    in_role("support").post(page(Member, "unmask", rows.member.pk), {"reason": "case 7"})
    for statement in ("UPDATE staff_staffaction SET staff = 'x'", "DELETE FROM staff_staffaction"):
        with pytest.raises(IntegrityError, match="append-only"), connection.cursor() as cursor:
            cursor.execute(statement)
    assert StaffAction.objects.get().staff == "support"


def test_every_list_of_ours_is_quick() -> None:
    from django.contrib import admin

    ours = [page for model, page in admin.site._registry.items() if model._meta.app_label != "auth"]
    assert all(isinstance(page, QuickListAdmin) for page in ours)
