"""Staff at work in the admin: every page answers, no page shows a secret, and a REST client gets its keys there."""

import re
import uuid
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from cards import card_pins
from cards.models import Card, CardStatus, pin_digest
from customers.models import Address, Member
from loyalty import authentication, errors
from loyalty.admin_site import CappedPaginator, ReadOnlyAdmin
from loyalty.models import ApiClient, ApiKey, Budget, CustomerToken, IdempotencyKey, SiebelRequest, Store
from loyalty.scopes import Scope
from orders.models import (
    FileImport,
    Order,
    OrderItem,
    PartnerTransaction,
    ReconciliationFile,
    RefusedTransaction,
    RejectedLine,
    Reward,
    StarEntry,
)
from sms.models import Message, Pin, Purpose, Template
from wechat.models import Batch, PoolCard, RejectedRow

SECRET = "5ec4e7"  # stands in every column that no page may show
REGISTERED = list(admin.site._registry)
READ_ONLY = [model for model in REGISTERED if isinstance(admin.site._registry[model], ReadOnlyAdmin)]
CLIENT_FORM = {
    "name": "Gateway",
    "is_active": "on",
    "scopes": ["wechat"],
    "networks": "",
    "source_codes": "",
    "partner_codes": "",
}


def page(model: Any, name: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def permission(model: Any, verb: str) -> Permission:
    return Permission.objects.get(
        codename=f"{verb}_{model._meta.model_name}", content_type__app_label=model._meta.app_label
    )


def staff_with(*permissions: Permission) -> Client:
    user = get_user_model().objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(permissions)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff(database: None) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("chief"))
    return client


@pytest.fixture
def rows(database: None) -> SimpleNamespace:
    """A row of every model of ours, with the marker in what must not be seen."""
    now = timezone.now()
    member = Member(status="Active", password=f"md5$x${SECRET}", cell_phone="13812345678", last_name="Li")
    member.set_login("Mei.Li", "Mei.Li@Example.com")
    member.save()
    store = Store.objects.create(number="1001", name="Nanjing Road")
    api_client = ApiClient.objects.create(name="Mini-program", scopes=["wechat"])
    message = Message.objects.create(recipient="13812345678", template="create-en", text=f"key:{SECRET}")
    batch = Batch.objects.create(file_name="cards.csv", bytes_total=200, bytes_read=50, client=api_client)
    order = Order.objects.create(number="N1", member=member, store=store, ordered_at=now, total_amount=30)
    return SimpleNamespace(
        member=member,
        store=store,
        api_client=api_client,
        message=message,
        batch=batch,
        order=order,
        api_key=ApiKey.objects.create(client=api_client, prefix="lk_abcdefg", digest=SECRET * 10, slot=1),
        token=CustomerToken.objects.create(customer_id=member.pk, digest=SECRET * 10, expires_at=now),
        budget=Budget.objects.create(key=SECRET * 10, hits=[1.0], total=1),
        siebel_request=SiebelRequest.objects.create(request_id="r1", service="S", method="M", reply={"Token": SECRET}),
        key=IdempotencyKey.objects.create(
            caller="client 1",
            operation="GET Wechats/getCard",
            reference=uuid.uuid4(),
            leased_until=now,
            **dict.fromkeys(("digest", "fingerprint", "result", "answer"), SECRET * 10),
        ),
        template=Template.objects.get(key="create-en"),
        pin=Pin.objects.create(
            purpose=Purpose.CREATE, recipient="13812345678", digest=SECRET * 10, message=message, expires_at=now
        ),
        card=Card.objects.create(
            number="6200000000000001",
            pin_digest=SECRET * 10,
            status=CardStatus.REGISTERED,
            customer=member,
            member=member,
            end_date=date(2030, 1, 1),
        ),
        address=Address.objects.create(member=member, is_primary=True, city="Shanghai"),
        order_item=OrderItem.objects.create(
            order=order, product_code="P", product_name="Tea", unit_price=30, amount=30
        ),
        reward=Reward.objects.create(member=member, code="R1", name="Tea"),
        rejected=RejectedRow.objects.create(batch=batch, line=7, reason="The PIN is missing."),
        **ledger_rows(member),
        pool_card=PoolCard.objects.create(number="6100000000000001", pin=f"key:{SECRET}", customer_id="", batch=batch),
    )


def ledger_rows(member: Member) -> dict[str, models.Model]:
    """An entry of the star ledger, a partner's transaction and one that was refused."""
    said = {"source_code": "AMS", "partner_code": "AMS", "points": 5, "amount": 1, "actor": "client AMS"}
    now = timezone.now()
    return {
        "star_entry": StarEntry.objects.create(member=member, position=1, kind="earn", points=5, balance=5, key="k"),
        "partner_transaction": PartnerTransaction.objects.create(
            **said, receipt_number="N1", member=member, quantity=1, txn_at=now, star_balance=5, effective_at=now
        ),
        "refused": RefusedTransaction.objects.create(**said, receipt_number="N2", reason="InvalidMemberID"),
        "reconciliation": ReconciliationFile.objects.create(
            partner_code="AMS", day=date(2026, 7, 31), accepted=1, refused=1
        ),
        "file_import": (file_import := FileImport.objects.create(kind="orders", file_name="orders.csv")),
        "rejected_line": RejectedLine.objects.create(file_import=file_import, line=7, reason="Not JSON."),
    }


def texts_of(pages: list[Any]) -> str:
    return "\n".join(answer.content.decode() for answer in pages)


def test_every_model_of_ours_is_registered() -> None:
    labels = ("loyalty", "sms", "cards", "customers", "orders", "wechat")
    ours = {model for label in labels for model in apps.get_app_config(label).get_models()}
    assert ours <= set(REGISTERED)


@pytest.mark.parametrize("model", REGISTERED, ids=str)
def test_every_page_answers_and_shows_no_secret(
    staff: Client, rows: SimpleNamespace, model: type[models.Model]
) -> None:
    LogEntry.objects.create(user_id=get_user_model().objects.get().pk, action_flag=2, object_id="1", object_repr="x")
    pages = [staff.get(page(model))]
    pages += [staff.get(page(model), {"q": term}) for term in ("x", "1", "6200", "a b", '"', "%", "13812345678")]
    pages += [staff.get(page(model), {"o": "-1"}), staff.get(page(model), {"p": "1"})]
    adds = admin.site._registry[model].has_add_permission(request_of(staff))
    if adds:
        pages.append(staff.get(page(model, "add")))
    row = model._default_manager.first()
    if row and model is not Budget:
        pages += [staff.get(page(model, name, row.pk)) for name in ("change", "history")]
    assert [answer.status_code for answer in pages] == [200] * len(pages)
    shown = texts_of(pages)
    assert SECRET not in shown
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", shown)
    assert "Loyalty" in shown


def request_of(client: Client) -> Any:
    """A request by whoever is logged in."""
    request = RequestFactory().get("/admin/")
    request.user = get_user_model().objects.get(pk=client.session["_auth_user_id"])
    return request


@pytest.mark.parametrize("model", REGISTERED, ids=str)
def test_staff_without_permissions_are_refused(rows: SimpleNamespace, model: type[models.Model]) -> None:
    clerk = staff_with()
    row = model._default_manager.first()
    urls = [page(model), page(model, "add")] + ([page(model, "change", row.pk)] if row else [])
    assert [clerk.get(url).status_code for url in urls] == [403] * len(urls)


@pytest.mark.parametrize("model", READ_ONLY, ids=str)
def test_what_the_product_writes_nobody_edits(staff: Client, rows: SimpleNamespace, model: type[models.Model]) -> None:
    assert staff.get(page(model, "add")).status_code == 403
    row = model._default_manager.first()
    if row:
        assert staff.post(page(model, "change", row.pk), {}).status_code == 403
        assert staff.get(page(model, "delete", row.pk)).status_code == 403
        staff.post(page(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
        assert model._default_manager.filter(pk=row.pk).exists()


def test_a_page_of_a_budget_would_have_its_key_in_the_address(staff: Client, rows: SimpleNamespace) -> None:
    assert staff.get(page(Budget, "change", rows.budget.pk)).status_code == 403


@pytest.mark.parametrize(
    ("model", "terms"),
    [
        (Member, ["mei.li@EXAMPLE.com", "MEI.LI", "13812345678", "Li", " mei.li "]),
        (Card, ["6200000000000001", "6200"]),
        (Order, ["N1"]),
        (Reward, ["R1"]),
        (Message, ["13812345678"]),
        (PoolCard, ["6100000000000001", "6100"]),
        (ApiKey, ["lk_abcdefg"]),
    ],
)
def test_rows_are_found_by_what_staff_know_of_them(
    staff: Client, rows: SimpleNamespace, model: type[models.Model], terms: list[str]
) -> None:
    for term in terms:
        assert staff.get(page(model), {"q": term}).context["cl"].result_count == 1, term
    assert staff.get(page(model), {"q": "nothing-like-it"}).context["cl"].result_count == 0


@pytest.mark.parametrize("model", [Card, Order, Reward, Address, CustomerToken], ids=str)
def test_a_customers_rows_are_found_by_the_customers_id(
    staff: Client, rows: SimpleNamespace, model: type[models.Model]
) -> None:
    assert staff.get(page(model), {"q": rows.member.pk}).context["cl"].result_count == 1


def test_a_long_list_is_not_counted_to_its_end(rows: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CappedPaginator, "most", 3)
    RejectedRow.objects.bulk_create(RejectedRow(batch=rows.batch, line=line, reason="") for line in range(100, 110))
    assert CappedPaginator(RejectedRow.objects.all(), 2).num_pages == 2


def test_a_customers_page_leads_to_cards_orders_and_rewards(staff: Client, rows: SimpleNamespace) -> None:
    shown = texts_of([staff.get(page(Member, "change", rows.member.pk))])
    assert rows.card.number in shown
    assert "Shanghai" in shown
    links = re.findall(r'href="([^"]+customer_id__exact=[^"]+)"', shown)
    assert len(links) == 7
    assert [staff.get(link).context["cl"].result_count for link in links] == [1] * 7


def test_a_batch_shows_its_progress_and_what_was_not_taken(staff: Client, rows: SimpleNamespace) -> None:
    assert '<progress max="100" value="25">' in texts_of([staff.get(page(Batch))])
    shown = texts_of([staff.get(page(Batch, "change", rows.batch.pk))])
    assert "<td>7</td><td>The PIN is missing.</td>" in shown
    links = re.findall(r'href="([^"]+batch__id__exact=[^"]+)"', shown)
    assert [staff.get(link).context["cl"].result_count for link in links] == [1]


def test_a_batch_shows_its_pace_and_the_time_that_is_left(staff: Client, rows: SimpleNamespace) -> None:
    at_work = {"state": "importing", "rows": 500, "started_at": timezone.now() - timedelta(seconds=10)}
    Batch.objects.filter(pk=rows.batch.pk).update(**at_work)
    shown = texts_of([staff.get(page(Batch))])
    assert re.search(r"(49|50) rows a second, 0:00:(29|30) left", shown)


def test_rejected_lines_are_downloaded_with_nothing_that_a_spreadsheet_would_run(
    staff: Client, rows: SimpleNamespace
) -> None:
    for line, reason in enumerate(("=1+1", "+1", "-1", "@x", '\t"x",y'), start=8):
        RejectedRow.objects.create(batch=rows.batch, line=line, reason=reason)
    link = page(Batch, "verdicts", rows.batch.pk)
    answer: Any = staff.get(link)
    lines = answer.getvalue().decode().splitlines()
    assert lines[:2] == ["line,reason", "7,The PIN is missing."]
    assert lines[2:] == ["8,'=1+1", "9,'+1", "10,'-1", "11,'@x", '12,"\'\t""x"",y"']
    assert staff_with().get(link).status_code == 403
    assert Client().get(link).status_code == 302


# API clients


def key_shown(answer: Any) -> str | None:
    found = re.search(r">(lk_[\w-]{43})<", answer.content.decode())
    return found[1] if found else None


def who(key: str) -> str:
    client = authentication.identify(RequestFactory().get("/", headers={"x-api-key": key}))[1]
    assert client is not None
    return client.name


def log_texts() -> str:
    return "\n".join(f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())


def test_a_new_clients_key_is_shown_once_and_works(staff: Client) -> None:
    form = {
        **CLIENT_FORM,
        "networks": "127.0.0.1\n\n 10.1.0.0/16 \n",
        "scopes": ["customers", "partner"],
        "partner_codes": "A\nB",
    }
    shown = staff.post(page(ApiClient, "add"), form, follow=True)
    key = key_shown(shown)
    assert key is not None
    assert who(key) == "Gateway"
    client = ApiClient.objects.get()
    assert (client.scopes, client.networks) == (["customers", "partner"], ["127.0.0.1", "10.1.0.0/16"])
    assert (client.partner_codes, client.source_codes) == (["A", "B"], [])
    urls = [page(ApiClient), page(ApiClient, "change", client.pk), page(ApiClient, "history", client.pk), page(ApiKey)]
    assert key not in texts_of([staff.get(url) for url in urls])
    assert key not in log_texts()
    assert not any(key in str(session.get_decoded()) for session in Session.objects.all())


def test_a_second_key_replaces_the_first_without_a_gap(staff: Client) -> None:
    first = key_shown(staff.post(page(ApiClient, "add"), CLIENT_FORM, follow=True)) or ""
    client = ApiClient.objects.get()
    new = page(ApiClient, "new_key", client.pk)
    second = key_shown(staff.post(new, follow=True)) or ""
    assert who(first) == who(second) == "Gateway"

    third = staff.post(new, follow=True)
    assert "two live keys" in third.content.decode()
    assert key_shown(third) is None
    assert client.keys.count() == 2

    old = client.keys.order_by("pk")[0]
    revoked = staff.post(page(ApiClient, "revoke_key", client.pk, old.pk), follow=True)
    assert f"The key {old} is revoked." in revoked.content.decode()
    with pytest.raises(errors.AuthorizationError):
        who(first)
    assert who(second) == "Gateway"
    staff.post(page(ApiClient, "revoke_key", client.pk, old.pk))
    assert log_texts().count("Revoked the key") == 1
    assert log_texts().count("Made the key") == 2


def test_keys_are_made_by_post_alone_with_csrf_and_by_whoever_may_change_clients(rows: SimpleNamespace) -> None:
    client = rows.api_client
    urls = [page(ApiClient, "new_key", client.pk), page(ApiClient, "revoke_key", client.pk, rows.api_key.pk)]
    clerk = staff_with(permission(ApiClient, "view"))
    assert [clerk.post(url).status_code for url in urls] == [403, 403]
    shown = texts_of([clerk.get(page(ApiClient, "change", client.pk))])
    assert "lk_abcdefg…" in shown
    assert "Make a new key" not in shown
    assert "/revoke/" not in shown

    get_user_model().objects.get().user_permissions.add(permission(ApiClient, "change"))
    assert [clerk.get(url).status_code for url in urls] == [405, 405]
    wary = Client(enforce_csrf_checks=True)
    wary.force_login(get_user_model().objects.get())
    assert [wary.post(url).status_code for url in urls] == [403, 403]
    assert Client().post(urls[0]).headers["Location"].startswith("/admin/login/")
    assert client.keys.filter(revoked_at=None).count() == 1
    assert clerk.post(urls[0], follow=True).status_code == 200
    assert client.keys.filter(revoked_at=None).count() == 2


def test_a_key_is_revoked_on_its_own_clients_page(staff: Client, rows: SimpleNamespace) -> None:
    other = ApiClient.objects.create(name="Other")
    assert staff.post(page(ApiClient, "revoke_key", other.pk, rows.api_key.pk)).status_code == 404
    assert staff.post(page(ApiClient, "new_key", 10**30)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"networks": "10.1.0.0/16\nhome"}, "networks", "home is not an address"),
        ({"networks": "10.1.0.9/16"}, "networks", "is not an address or a network"),
        ({"scopes": [Scope.CUSTOMERS.value]}, "networks", "name the addresses"),
        ({"scopes": ["everything"]}, "scopes", "everything"),
        ({"source_codes": "a\x00b"}, "source_codes", "Null characters"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    staff: Client, changes: dict[str, Any], field: str, message: str
) -> None:
    answer = staff.post(page(ApiClient, "add"), {**CLIENT_FORM, **changes})
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert message in str(answer.context["adminform"].form.errors[field])
    assert not ApiClient.objects.exists()


def test_a_client_is_edited_as_it_was_typed(staff: Client, rows: SimpleNamespace) -> None:
    url = page(ApiClient, "change", rows.api_client.pk)
    form = {**CLIENT_FORM, "name": "Mini-program", "networks": "10.1.0.0/16\n10.2.0.0/16"}
    staff.post(url, form)
    assert LogEntry.objects.latest("pk").get_change_message() == "Changed Address allow-list."
    shown = texts_of([staff.get(url)])
    assert "10.1.0.0/16\n10.2.0.0/16</textarea>" in shown
    staff.post(url, form)
    assert LogEntry.objects.latest("pk").get_change_message() == "No fields changed."
    assert ApiClient.objects.get().keys.count() == 1


def test_a_client_goes_with_its_keys_unless_it_has_drawn_a_card(staff: Client, rows: SimpleNamespace) -> None:
    idle = ApiClient.objects.create(name="Idle")
    authentication.issue_key(idle)
    staff.post(page(ApiClient, "delete", idle.pk), {"post": "yes"})
    assert not ApiClient.objects.filter(pk=idle.pk).exists()

    PoolCard.objects.update(status="Issued", pin="", issued_at=timezone.now(), issued_to=rows.api_client)
    staff.post(page(ApiClient, "delete", rows.api_client.pk), {"post": "yes"})
    assert ApiClient.objects.filter(pk=rows.api_client.pk).exists()


# What else staff do


def test_a_text_is_edited_and_its_mistakes_are_told(staff: Client, database: None) -> None:
    template = Template.objects.get(key="create-en")
    before, url = template.text, page(Template, "change", template.pk)
    try:
        assert "123456" in texts_of([staff.get(url)])
        for wrong in ("{pin} {name}", "{pin", "{0}", "{pin!r}"):
            answer = staff.post(url, {"text": wrong})
            assert list(answer.context["adminform"].form.errors) == ["text"], wrong
        staff.post(url, {"text": "Your code: {pin}", "key": "other", "language": "CHS"})
        template.refresh_from_db()
        assert (template.key, template.language, template.text) == ("create-en", "ENU", "Your code: {pin}")
        assert "Your code: 123456" in texts_of([staff.get(url)])
    finally:
        Template.objects.filter(pk=template.pk).update(text=before)


def test_a_store_is_made_and_closed(staff: Client) -> None:
    form = {"number": "1002", "name": "Huaihai Road", "kind": "store", "is_open": "on"}
    staff.post(page(Store, "add"), form)
    store = Store.objects.get()
    staff.post(page(Store, "change", store.pk), {**form, "is_open": ""})
    assert Store.objects.get().is_open is False


def guess_wrongly(card: Card) -> None:
    with pytest.raises(errors.IncorrectPin), card_pins.guess(card.number, "10.0.0.1"):
        raise errors.IncorrectPin


def test_wrong_pins_are_forgotten_for_the_cards_that_had_some(staff: Client, rows: SimpleNamespace) -> None:
    other = Card.objects.create(number="6200000000000002", pin_digest=pin_digest("6200000000000002", "1"))
    guess_wrongly(rows.card)
    form = {"action": "unlock", "_selected_action": [rows.card.pk, other.pk]}
    assert "of 1 of 2 cards" in staff.post(page(Card), form, follow=True).content.decode()
    assert card_pins.unlock(rows.card.number) is False
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.get_change_message()) == (str(rows.card.pk), "Forgot its wrong PINs.")


def test_who_may_only_look_has_no_actions(rows: SimpleNamespace) -> None:
    clerk = staff_with(permission(Card, "view"), permission(Member, "view"))
    guess_wrongly(rows.card)
    clerk.post(page(Card), {"action": "unlock", "_selected_action": [rows.card.pk]})
    clerk.post(page(Member), {"action": "log_out", "_selected_action": [rows.member.pk]})
    assert card_pins.unlock(rows.card.number) is True
    assert CustomerToken.objects.get().revoked_at is None
    assert "Forget wrong PINs" not in texts_of([clerk.get(page(Card))])


def test_a_customer_is_logged_out_everywhere(staff: Client, rows: SimpleNamespace) -> None:
    form = {"action": "log_out", "_selected_action": [rows.member.pk]}
    assert "tokens revoked: 1" in staff.post(page(Member), form, follow=True).content.decode()
    assert CustomerToken.objects.get().revoked_at is not None
    assert LogEntry.objects.get().object_id == rows.member.pk


def test_an_action_takes_no_more_than_it_can_do_at_once(
    staff: Client, rows: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReadOnlyAdmin, "MOST_SELECTED", 1)
    Member.objects.create()
    form = {"action": "log_out", "_selected_action": [rows.member.pk], "select_across": "1"}
    assert "Select 1 rows at most." in staff.post(page(Member), form, follow=True).content.decode()
    assert CustomerToken.objects.get().revoked_at is None
