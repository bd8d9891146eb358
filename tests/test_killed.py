"""SIGKILL in the middle of things: nothing is left half done, and whoever comes next can go on."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from cards.models import Card, CardEvent
from customers.models import Member
from loyalty import relay
from loyalty.scopes import Scope
from sms.pins import HOLD
from tests.conftest import MEI, PHONE, Api, Outbox, Printed, code_of, csv_file, new_client, print_card
from wechat import batches, pool
from wechat.models import Batch, PoolCard, RejectedRow

LEASE = timedelta(seconds=settings.IDEMPOTENCY_LEASE_SECONDS + 1)
ROWS = [f"61{number:010},{number:04}" for number in range(4800)]


def database_url() -> str:
    made = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{made['NAME']}"
    return f"postgres://{made['USER']}:{quote(made['PASSWORD'])}@{made['HOST']}:{made['PORT']}/{made['NAME']}"


@contextmanager
def dying(
    kill_at: str, todo: Any, linger: float = 0, ends: int = -signal.SIGKILL, **environment: Any
) -> Iterator[None]:
    """A second process on the same database and Redis; the block runs while it lingers at the point of its death."""
    told = {
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "KILL_AT": kill_at,
        "DO": json.dumps(todo),
        "LINGER": str(linger),
        **environment,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.dying"],
        cwd=settings.BASE_DIR,
        env={**os.environ, **told},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    reached = next((line for line in process.stdout if line == b"here\n"), b"")
    try:
        yield
    finally:
        _, errors = process.communicate(timeout=30)
    assert reached, errors.decode()[-2000:]
    assert process.returncode == ends


def killed(kill_at: str, todo: Any, **environment: Any) -> None:
    with dying(kill_at, todo, **environment):
        pass


def request(method: str, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    return {"method": method, "path": f"/api/{path}", "body": body, "headers": headers}


def joining(card: Printed, flag: str, **changes: str) -> dict[str, Any]:
    return {**MEI, **card.credentials, "cellPhoneValidFlag": flag, **changes}


def state(card: Printed) -> tuple[str, str, str]:
    member = Member.objects.get(pk=card.customer_id)
    return Card.objects.get(number=card.number).status, member.status, member.user_name


@pytest.fixture
def flag(api: Api, card: Printed, sms_outbox: Outbox) -> str:
    """The PIN sent to Mei's phone."""
    body = {"phoneNumber": PHONE, "template": "create-en", **card.credentials}
    assert api.post("Customers/sms/sendRegisterPin", body).status_code == 200
    return sms_outbox.pin()


@pytest.mark.parametrize(
    "kill_at",
    [
        "customers.siebel:register:before:1",
        "customers.business_service:_change_primary_address:before:1",
        "cards.lifecycle:register:after:1",
        "customers.business_service:remember:after:1",
    ],
)
def test_a_registration_killed_before_its_commit_has_not_happened(
    api: Api, card: Printed, flag: str, kill_at: str
) -> None:
    killed(kill_at, request("POST", "Customers/create", joining(card, flag)))
    assert state(card) == ("Active", "Open", "")
    held = api.post("Customers/create", joining(card, flag))
    assert code_of(held) == 20009
    assert int(held.headers["Retry-After"]) <= HOLD.total_seconds()
    with time_machine.travel(timezone.now() + HOLD):
        assert api.post("Customers/create", joining(card, flag)).status_code == 200
    assert state(card) == ("Registered", "Active", "mei.li")


@pytest.mark.parametrize(
    ("kill_at", "again"),
    [("customers.siebel:register:after:1", 3011), ("sms.notices:tell:before:1", 10005)],
)
def test_a_registration_killed_after_its_commit_has_happened(
    api: Api, card: Printed, flag: str, kill_at: str, again: int
) -> None:
    killed(kill_at, request("POST", "Customers/create", joining(card, flag)))
    assert state(card) == ("Registered", "Active", "mei.li")
    mei = api.log_in(MEI["userName"], MEI["password"])
    assert [entry["status"] for entry in mei.get("Customers/cards/list").json()] == ["Registered"]
    with time_machine.travel(timezone.now() + HOLD):
        assert code_of(api.post("Customers/create", joining(card, flag))) == again


def test_who_waits_for_a_dying_one_gets_the_card(api: Api, card: Printed, flag: str, sms_outbox: Outbox) -> None:
    other = "13900000001"
    asked = {"phoneNumber": other, "template": "create-en", **print_card().credentials}
    assert api.post("Customers/sms/sendRegisterPin", asked).status_code == 200
    jo = {"userName": "jo", "email": "jo@example.com", "cellPhone": other}
    first = request("POST", "Customers/create", joining(card, flag))
    with dying("cards.lifecycle:register:after:1", first, linger=1):
        assert api.post("Customers/create", joining(card, sms_outbox.pin(other), **jo)).status_code == 200
    assert state(card) == ("Registered", "Active", "jo")
    assert Member.objects.filter(status="Active").count() == 1


@pytest.mark.parametrize(
    "kill_at",
    [
        "cards.lifecycle:register:after:1",
        "customers.siebel:register:after:1",
        "sms.notices:tell:before:1",
    ],
)
def test_who_registers_again_with_the_key_of_a_killed_request_has_registered_once(
    api: Api, card: Printed, flag: str, kill_at: str
) -> None:
    body, header = joining(card, flag), {"Idempotency-Key": "k"}
    killed(kill_at, request("POST", "Customers/create", body, **header))
    assert code_of(api.post("Customers/create", body, headers=header), 409) == 4090
    with time_machine.travel(timezone.now() + LEASE):
        again = api.post("Customers/create", body, headers=header)
        assert again.json() == {"success": True, "customerId": card.customer_id}
        assert again.headers["x-customer-id"] == card.customer_id
        assert api.post("Customers/create", body, headers=header).content == again.content
        assert code_of(api.post("Customers/create", body)) == 10005  # the PIN is used up
    assert state(card) == ("Registered", "Active", "mei.li")
    assert CardEvent.objects.count() == 1


# The card pool


def test_who_uploads_again_with_the_key_of_a_killed_request_has_uploaded_once(database: None) -> None:
    header = {"Idempotency-Key": "k", "X-API-Key": new_client(Scope.WECHAT_LOAD)[1]}
    settings.CARD_FILES_DIR.mkdir(parents=True, exist_ok=True)
    (settings.CARD_FILES_DIR / "cards.csv").write_text("msrCard,pin\n6101,1111\n")
    body = {"fileName": "cards.csv"}
    killed("loyalty.claims:Claim.answer:before:1", request("POST", "Wechats/uploadCard", body, **header))
    (settings.CARD_FILES_DIR / "cards.csv").unlink()  # its import has moved it
    with time_machine.travel(timezone.now() + LEASE):
        assert Api(header).post("Wechats/uploadCard", body).json()["batchId"] == str(Batch.objects.get().pk)


def uploaded() -> int:
    """A batch of 4,800 cards and two bad lines, not imported yet."""
    caller = Api({"X-API-Key": new_client(Scope.WECHAT_LOAD)[1]})
    text = "\n".join(["msrCard,pin", *ROWS[:600], "=1+1,1234", *ROWS[600:], "6100,12 34"])
    return int(caller.form("Wechats/uploadCard", {"fileName": csv_file(text)}).json()["batchId"])


@pytest.mark.parametrize(
    ("kill_at", "imported"),
    [
        ("wechat.local_files:write_whole:after:1", 0),
        ("wechat.siebel:pre_allot:after:2", 1999),
        ("loyalty.bulk:insert:after:8", 1999),
        ("wechat.imports:_finish:before:1", 4800),
    ],
)
def test_an_import_goes_on_where_it_was_killed(database: None, kill_at: str, imported: int) -> None:
    pk = uploaded()
    killed(kill_at, pk)
    batch = Batch.objects.get(pk=pk)
    assert (batch.state, batch.imported, PoolCard.objects.count()) == ("importing", imported, imported)
    relay.sweep()
    assert Batch.objects.get(pk=pk).state == "importing"
    with time_machine.travel(timezone.now() + batches.lease() + timedelta(seconds=1)):
        relay.sweep()
    batch.refresh_from_db()
    assert (batch.state, batch.rows, batch.imported) == ("done", 4802, 4800)
    assert (batch.duplicates, batch.rejected) == (0, 2)
    assert PoolCard.objects.count() == Card.objects.count() == Member.objects.count() == 4800
    members = dict(Card.objects.values_list("number", "member_id"))
    assert dict(PoolCard.objects.values_list("number", "customer_id")) == members
    assert list(RejectedRow.objects.values_list("line", flat=True)) == [602, 4803]


def resumed(pk: int) -> Batch:
    with time_machine.travel(timezone.now() + batches.lease() + timedelta(seconds=1)):
        relay.sweep()
    return Batch.objects.get(pk=pk)


@pytest.mark.parametrize("spool_is_lost", [False, True])
def test_a_named_file_replaced_while_its_import_lay_dead_is_never_mixed_in(
    database: None, settings: Settings, tmp_path: Path, spool_is_lost: bool
) -> None:
    settings.CARD_FILES_DIR = tmp_path
    (tmp_path / "june.csv").write_text("\n".join(["msrCard,pin", *ROWS]))
    caller = Api({"X-API-Key": new_client(Scope.WECHAT_LOAD)[1]})
    pk = int(caller.post("Wechats/uploadCard", {"fileName": "june.csv"}).json()["batchId"])
    killed("wechat.siebel:pre_allot:after:2", pk, CARD_FILES_DIR=str(tmp_path))
    (tmp_path / "june.csv").write_text("\n".join(["msrCard,pin", *(f"7{row}" for row in ROWS)]))
    if spool_is_lost:
        (settings.CARD_SPOOL_DIR / f"{pk}.csv").unlink()
    batch = resumed(pk)
    if spool_is_lost:
        assert (batch.state, batch.problem) == ("failed", "The file changed while it was being imported.")
        assert PoolCard.objects.count() == 2000
    else:
        assert (batch.state, batch.imported) == ("done", 4800)
    assert not PoolCard.objects.filter(number__startswith="7").exists()


def test_an_import_from_the_command_line_that_was_killed_is_gone_on_with(database: None, tmp_path: Path) -> None:
    (tmp_path / "june.csv").write_text("\n".join(["msrCard,pin", *ROWS]))
    killed("wechat.siebel:pre_allot:after:2", f"import_cards {tmp_path / 'june.csv'}")
    (tmp_path / "june.csv").unlink()
    batch = resumed(Batch.objects.get().pk)
    assert (batch.state, batch.rows, batch.imported) == ("done", 4800, 4800)


def test_a_worker_that_slept_past_its_lease_adds_nothing(database: None) -> None:
    pk = uploaded()
    with dying("wechat.siebel:pre_allot:stall:2", pk, linger=3, ends=1):
        with time_machine.travel(timezone.now() + batches.lease() + timedelta(seconds=1)):
            relay.sweep()
        assert Batch.objects.get(pk=pk).state == "done"
    batch = Batch.objects.get(pk=pk)
    assert (batch.state, batch.rows, batch.imported, batch.duplicates, batch.rejected) == ("done", 4802, 4800, 0, 2)
    assert PoolCard.objects.count() == Card.objects.count() == 4800


@pytest.mark.parametrize(("kill_at", "left"), [("wechat.pool:_claim:before:1", 3), ("wechat.pool:draw:after:1", 2)])
def test_a_card_is_neither_lost_nor_handed_out_twice(database: None, kill_at: str, left: int) -> None:
    caller = Api({"X-API-Key": new_client(Scope.WECHAT_LOAD)[1]})
    caller.form("Wechats/uploadCard", {"fileName": csv_file("msrCard,pin\n6101,1111\n6102,2222\n6103,3333\n")})
    relay.sweep()
    key = new_client(Scope.WECHAT)[1]
    killed(kill_at, request("GET", "Wechats/getCard", {}, **{"X-API-Key": key}))
    pool.refill()
    replies = [Api({"X-API-Key": key}).get("Wechats/getCard") for _ in range(left + 1)]
    assert [reply.json().get("msrCard") for reply in replies] == [*["6101", "6102", "6103"][-left:], None]
    assert code_of(replies[-1]) == 4001


def three_pooled() -> dict[str, str]:
    """Three cards, and the headers of a client that draws them with an Idempotency-Key."""
    caller = Api({"X-API-Key": new_client(Scope.WECHAT_LOAD)[1]})
    caller.form("Wechats/uploadCard", {"fileName": csv_file("msrCard,pin\n6101,1111\n6102,2222\n6103,3333\n")})
    relay.sweep()
    return {"Idempotency-Key": "k", "X-API-Key": new_client(Scope.WECHAT)[1]}


@pytest.mark.parametrize(
    ("kill_at", "number"),
    [
        ("loyalty.claims:Claim.remember:after:1", "6102"),
        ("wechat.pool:draw:after:1", "6101"),
        ("loyalty.claims:Claim.answer:after:1", "6101"),
    ],
)
def test_who_draws_again_with_the_key_of_a_killed_request_gets_its_card(
    database: None, kill_at: str, number: str
) -> None:
    headers = three_pooled()
    killed(kill_at, request("GET", "Wechats/getCard", {}, **headers))
    with time_machine.travel(timezone.now() + LEASE):
        replies = [Api(headers).get("Wechats/getCard") for _ in range(3)]
    assert {reply.content for reply in replies} == {replies[0].content}
    assert (replies[0].json()["msrCard"], replies[0].json()["pin"]) == (number, number[-1] * 4)
    assert PoolCard.objects.filter(status="Issued", pin="").count() == 1


def test_a_request_that_slept_past_its_lease_draws_no_second_card(database: None) -> None:
    headers = three_pooled()
    with dying("wechat.pool:_propose:stall:1", request("GET", "Wechats/getCard", {}, **headers), linger=2, ends=0):
        with time_machine.travel(timezone.now() + LEASE):
            first = Api(headers).get("Wechats/getCard")
        assert first.json()["msrCard"] == "6102"
    assert Api(headers).get("Wechats/getCard").content == first.content
    assert PoolCard.objects.filter(status="Issued").count() == 1
