"""The CRM as tests see it: rows of our own database, or, over HTTP, those of siebelserver's.

Fixtures and tests use the CRM's models either way; over HTTP the router leads them to siebelserver's database, and lets
nothing of the product near it while a request is answered or a task runs: that has to go over the wire.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import requests
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.test.client import ClientHandler

from config import orphans
from tests.environment import CONTROL_PORT, OVER_HTTP, SIEBEL_PORT

ALIAS = "crm" if OVER_HTTP else DEFAULT_DB_ALIAS
_OURS = {
    "loyalty": {"apiclient", "apikey", "customertoken", "budget", "idempotencykey", "siebelwrite"},
    "customers": {"prooftoken", "mobilewindow", "erasure", "knownaddress"},
    "orders": {"refusedtransaction"},
}
_APPS = ("loyalty", "cards", "customers", "orders")
_at_work: ContextVar[bool] = ContextVar("at_work", default=False)


def is_the_crms(app: str, model: str) -> bool:
    return app in _APPS and model not in _OURS.get(app, ())


class Router:
    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        if not is_the_crms(model._meta.app_label, model._meta.model_name):
            return DEFAULT_DB_ALIAS
        assert not _at_work.get(), f"{model.__name__} is the CRM's: the product reached past Siebel's wire."
        return ALIAS

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True


@contextmanager
def product_at_work() -> Iterator[None]:
    """What runs in the block is the product, not a test."""
    token = _at_work.set(True)
    try:
        yield
    finally:
        _at_work.reset(token)


class Handler(ClientHandler):
    def __call__(self, environ: dict[str, Any]) -> Any:
        with product_at_work():
            return super().__call__(environ)


class SiebelProcess:
    """`manage.py siebelserver` on a database."""

    def __init__(
        self, database_url: str, *, port: int = SIEBEL_PORT, control_port: int = CONTROL_PORT, **settings_: str
    ) -> None:
        self.url, self.control = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{control_port}"
        ports = ("--port", str(port), "--control-port", str(control_port))
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SIEBEL_TRANSPORT": "embedded",
            "SIEBELSERVER_DATABASE_URL": database_url,
            **settings_,
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "siebelserver", *ports],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.DEVNULL,
            preexec_fn=orphans.end_with_parent,
        )

    def await_start(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                self.state()
                return
            except requests.ConnectionError:
                assert self.process.poll() is None, "siebelserver did not start."
                time.sleep(0.1)
        raise AssertionError("siebelserver did not start.")

    def fail(self, fault: str, **how: Any) -> None:
        answer = requests.post(f"{self.control}/faults", json={"fault": fault, **how}, timeout=5)
        assert answer.status_code == 200, answer.text

    def expire_tokens(self) -> None:
        requests.post(f"{self.control}/expire-tokens", timeout=5)

    def recover(self) -> None:
        requests.delete(f"{self.control}/faults", timeout=5)

    def state(self) -> dict[str, Any]:
        said: dict[str, Any] = requests.get(f"{self.control}/calls", timeout=5).json()
        return said

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def database_url(alias: str = ALIAS) -> str:
    """Of the test database behind an alias."""
    made = connections[alias].settings_dict
    if made["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{made['NAME']}"
    server: str = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    return f"{server}/{made['NAME']}"


@contextmanager
def siebel_behind_the_wire() -> Iterator[SiebelProcess | None]:
    """Over HTTP: siebelserver for the session."""
    if not OVER_HTTP:
        yield None
        return
    server = SiebelProcess(database_url())
    try:
        server.await_start()
        yield server
    finally:
        server.end()
