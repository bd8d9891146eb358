"""The front door for tests: a real database, a real Valkey, the relay at work in a thread of its own."""

import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMultiAlternatives
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections, transaction
from django.test import Client
from django.test.utils import setup_databases, teardown_databases
from django_redis import get_redis_connection
from pytest_django import Settings

from cards.members import MemberStatus
from cards.models import Card, CardStatus, pin_digest
from customers.models import Member
from loyalty import authentication, redis_store, relay
from loyalty.models import ApiClient, Store
from loyalty.scopes import Scope
from loyalty.siebel_rest import transport
from sms.models import Message
from tests import crm
from tests.environment import OVER_HTTP
from tests.sshd import Sshd
from wechat.models import Batch

PHONE = "13812345678"
KEPT = {"django_migrations", "django_content_type", "auth_permission", "sms_template"}
KEPT |= {"auth_group", "auth_group_permissions"}  # the roles
APPEND_ONLY = ("orders_starentry", "staff_staffaction")
MEI = {
    "userName": "mei.li",
    "password": "correct horse battery",
    "email": "Mei.Li@example.com",
    "firstName": "Mei",
    "lastName": "Li",
    "birthday": "07/15/1990",
    "language": "ENU",
    "cellPhone": PHONE,
}


# The journeys, and what is about the wire itself: what SIEBEL_TRANSPORT=rest runs.
_OVER_HTTP = (
    "test_access",
    "test_account",
    "test_addresses",
    "test_at_once",
    "test_card_files",
    "test_card_life",
    "test_card_pool",
    "test_diagnostics",
    "test_joining",
    "test_limits",
    "test_orders",
    "test_partner",
    "test_profile",
    "test_proofs",
    "test_refusals",
    "test_requests",
    "test_retries",
)
_ONLY_OVER_HTTP = ("test_siebel_outcomes", "test_siebel_wire")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    if collection_path.is_dir():
        return None
    wanted = collection_path.stem in _OVER_HTTP + _ONLY_OVER_HTTP
    return (not wanted if OVER_HTTP else collection_path.stem in _ONLY_OVER_HTTP) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if OVER_HTTP and item.get_closest_marker("embedded"):
            item.add_marker(pytest.mark.skip(reason="It looks into the CRM's own process."))


@pytest.fixture(scope="session")
def _database(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[crm.SiebelProcess | None]:
    """Open for the whole session, since the relay's thread and the tests' threads use it too."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        with crm.siebel_behind_the_wire() as siebel:
            yield siebel
        _end_other_sessions()
        teardown_databases(made, verbosity=0)


def _end_other_sessions() -> None:
    """Of threads that a test left to end by themselves: PostgreSQL drops no database that somebody uses."""
    for alias in connections:
        if connections[alias].vendor == "postgresql":
            with connections[alias].cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@pytest.fixture
def database(_database: None) -> Iterator[None]:
    """Rows are committed, as in production, and gone after the test."""
    redis_store._away_until = 0.0  # no test waits for what another one took away
    get_redis_connection("default").flushdb()
    shutil.rmtree(settings.SIEBEL_STATE_DIR, ignore_errors=True)
    yield
    for alias in connections:
        clear_rows(alias)


@pytest.fixture
def siebel(_database: crm.SiebelProcess, database: None, settings: Settings) -> Iterator[crm.SiebelProcess]:
    """siebelserver, whole again after the test; it must answer within a second."""
    settings.SIEBEL_DEADLINE_SECONDS = 1.0
    transport._retries._left = transport._retries.most
    yield _database
    _database.recover()


def clear_rows(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Foreign keys are checked at the end of a transaction, so the order does not matter."""
    tables = [name for name in connections[alias].introspection.table_names() if name not in KEPT]
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        for table in APPEND_ONLY:
            _clear_append_only(cursor, table)
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")


def _clear_append_only(cursor: Any, table: str) -> None:
    """Past the triggers that keep it so."""
    if cursor.db.vendor == "postgresql":
        cursor.execute(f"TRUNCATE {table}")
        return
    cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")
    if not cursor.fetchone():
        return
    cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'")
    triggers = cursor.fetchall()
    for name, _ in triggers:
        cursor.execute(f"DROP TRIGGER {name}")
    cursor.execute(f"DELETE FROM {table}")
    for _, statement in triggers:
        cursor.execute(statement)


@pytest.fixture
def relay_at_work(database: None) -> Iterator[None]:
    """The relay, in a thread; tasks run in it at once (CELERY_TASK_ALWAYS_EAGER)."""
    stop = threading.Event()

    def work() -> None:
        with crm.product_at_work():
            relay.run(stop.is_set)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    relay.ring()
    thread.join(10)
    assert not thread.is_alive()


HANDLER = crm.Handler(enforce_csrf_checks=True)  # one for all: it loads the middleware, which takes its time


@dataclass
class Api:
    """A caller of the API with the credentials it was given."""

    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = Client(raise_request_exception=False)
        self.client.handler = HANDLER

    def post(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        kwargs.setdefault("content_type", "application/json")
        data = json.dumps(body if body is not None else {}) if not isinstance(body, str | bytes) else body
        return self.client.post(f"/api/{path}", data, headers={**self.headers, **kwargs.pop("headers", {})}, **kwargs)

    def form(self, path: str, body: dict[str, Any]) -> Any:
        """As multipart/form-data, files included."""
        return self.client.post(f"/api/{path}", body, headers=self.headers)

    def get(self, path: str, query: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        return self.client.get(f"/api/{path}", query or {}, headers={**self.headers, **kwargs.pop("headers", {})})

    def request(self, method: str, path: str, **kwargs: Any) -> Any:
        return self.client.generic(method, path, headers={**self.headers, **kwargs.pop("headers", {})}, **kwargs)

    def with_headers(self, **headers: str) -> "Api":
        """The same caller, other credentials: `with_headers(x_api_key="…")`."""
        return Api({**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}})

    def log_in(self, user: str, password: str) -> "Api":
        reply = self.post("Customers/login", {"user": user, "password": password})
        assert reply.status_code == 200, reply.content
        return self.with_headers(authorization=f"Bearer {reply.json()['token']}")


def code_of(reply: Any, status: int = 400) -> int:
    """The error code of an answer that must be a refusal of this HTTP status."""
    assert reply.status_code == status, (reply.status_code, reply.content)
    code: int = reply.json()["error"]["code"]
    return code


@pytest.fixture
def api(relay_at_work: None) -> Api:
    return Api()


@dataclass(frozen=True)
class Printed:
    """A pre-printed card as its owner holds it."""

    number: str
    pin: str
    customer_id: str

    @property
    def credentials(self) -> dict[str, str]:
        """As sendRegisterPin and create name them."""
        return {"cardNumber": self.number, "cardPassword": self.pin}


_serial = iter(range(10**6))


def print_card(*, status: str = CardStatus.ACTIVE, member_status: str = MemberStatus.OPEN, **columns: Any) -> Printed:
    """A card in the CRM with a member of its own."""
    number, pin = f"6200{next(_serial):012}", "246810"
    member = Member.objects.create(status=member_status)
    columns = {"member": member, **columns}
    Card.objects.create(number=number, pin_digest=pin_digest(number, pin), status=status, **columns)
    return Printed(number, pin, member.pk)


@pytest.fixture
def card(database: None) -> Printed:
    return print_card()


def new_client(*scopes: Scope, **columns: Any) -> tuple[ApiClient, str]:
    """A REST client and its key."""
    name = f"client {next(_serial)}"
    client = ApiClient.objects.create(name=name, scopes=[scope.value for scope in scopes], **columns)
    return client, authentication.issue_key(client)[1]


def holding(api: Api, *scopes: Scope, **columns: Any) -> Api:
    """The API as a client with a key of these scopes sees it."""
    return api.with_headers(x_api_key=new_client(*scopes, **columns)[1])


@pytest.fixture
def open_store(database: None) -> Store:
    return Store.objects.create(number="1001", name="Nanjing Road")


class Outbox:
    """What the local gateway wrote."""

    def messages(self, phone: str = PHONE) -> list[dict[str, str]]:
        path = settings.SMS_OUTBOX_FILE
        lines = path.read_text().splitlines() if path.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["to"] == phone]

    def pin(self, phone: str = PHONE) -> str:
        """The last PIN sent to a phone."""
        return [pin for entry in self.messages(phone) for pin in six_digits(entry["text"])][-1]

    def templates(self, phone: str = PHONE) -> list[str]:
        return [entry["template"] for entry in self.messages(phone)]


def six_digits(text: str) -> list[str]:
    return re.findall(r"(?<![0-9])[0-9]{6}(?![0-9])", text)


class Mailbox:
    """The e-mails that were sent."""

    def to(self, address: str) -> list[EmailMultiAlternatives]:
        return [email for email in mail.outbox if email.to == [address]]  # type: ignore[misc]

    def pin(self, address: str) -> str:
        return [pin for email in self.to(address) for pin in six_digits(str(email.body))][-1]

    def token(self, address: str) -> str:
        """Of the last link to a new password."""
        found: list[str] = re.findall(r"token=([\w-]+)", str(self.to(address)[-1].body))
        return found[-1]

    def wait(self, address: str, count: int = 1) -> list[EmailMultiAlternatives]:
        """The request did not wait for them."""
        until = time.monotonic() + 5
        while len(self.to(address)) < count and time.monotonic() < until:
            time.sleep(0.02)
        return self.to(address)


@pytest.fixture
def mailbox(database: None) -> Mailbox:
    return Mailbox()


def settled(seconds: float = 5) -> None:
    """Return once no message waits to be sent."""
    until = time.monotonic() + seconds
    while Message.objects.filter(state__in=("queued", "sending")).exists():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def sms_outbox(database: None) -> Outbox:
    settings.SMS_OUTBOX_FILE.unlink(missing_ok=True)
    return Outbox()


def register(api: Api, card: Printed, outbox: Outbox, **changes: Any) -> Any:
    """PIN and registration in one; answers what create answered."""
    body = {**MEI, **card.credentials, **changes}
    sent = api.post(
        "Customers/sms/sendRegisterPin",
        {"phoneNumber": body["cellPhone"], "template": "create-en", **card.credentials},
    )
    assert sent.status_code == 200, sent.content
    return api.post("Customers/create", {**body, "cellPhoneValidFlag": outbox.pin(body["cellPhone"])})


class CountingHasher(MD5PasswordHasher):
    """Notes each hash that is computed, to compare or to keep."""

    algorithm = "counted_md5"
    runs: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.runs.append(salt)
        return super().encode(password, salt)


@pytest.fixture
def hashes(settings: Settings) -> list[str]:
    """One entry a hash that was computed."""
    settings.PASSWORD_HASHERS = ["tests.conftest.CountingHasher"]
    CountingHasher.runs.clear()
    return CountingHasher.runs


def csv_file(text: str | bytes, name: str = "cards.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text, content_type="text/csv")


def ended(batch_id: str, seconds: float = 10) -> Batch:
    """The batch once its import has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        batch = Batch.objects.get(pk=batch_id)
        if batch.state in (Batch.State.DONE, Batch.State.FAILED):
            return batch
        time.sleep(0.02)
    raise AssertionError(f"The batch is still {batch.state}.")


def at_once(count: int, act: Any) -> list[Any]:
    """Run `act(number)` in `count` threads that start together; answers what each returned."""
    gate = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = act(number)
        finally:
            close_old_connections()
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.fixture(scope="session")
def _sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    server.make()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sshd(_sshd: Sshd, settings: Settings, tmp_path: Path) -> Sshd:
    """The file server is an SFTP server, with an empty folder."""
    for path in sorted(_sshd.files.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    for name, value in _sshd.settings().items():
        setattr(settings, name, value)
    settings.SFTP_TIMEOUT_SECONDS = 5
    settings.CARD_SPOOL_DIR = tmp_path / "spool"
    return _sshd


@pytest.fixture(params=["local", "sftp"])
def file_server(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Path:
    if request.param == "sftp":
        files: Path = request.getfixturevalue("sshd").files
        return files
    settings.CARD_FILES_DIR, settings.CARD_SPOOL_DIR = tmp_path / "files", tmp_path / "spool"
    settings.CARD_FILES_DIR.mkdir()
    return tmp_path / "files"
