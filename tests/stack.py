"""The whole product as `make run` starts it: a process tree in a folder of its own, reached over HTTP alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests import environment
from tests.environment import GIVEN

free_port = environment.free_port
ROOT = Path(__file__).resolve().parent.parent
_STACK_DATABASE = f"loyalty_stack_{os.getpid()}"
_STACK_REDIS = 9


class Stack:
    """`VAR_DIR` and `PORT` are its own; with services given, so are its database, its Redis and its queue."""

    def __init__(self, var: Path) -> None:
        self.var, self.port = var, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = var.with_name(f"{var.name}.log")

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def demo(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.var / "demo.json").read_text())
        return read

    def environment(self, **changes: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        given = {**GIVEN}
        if "DATABASE_URL" in given:
            given["DATABASE_URL"] = f"{given['DATABASE_URL'].rsplit('/', 1)[0]}/{_STACK_DATABASE}"
        if "REDIS_URL" in given:
            given["REDIS_URL"] = f"{given['REDIS_URL'].rsplit('/', 1)[0]}/{_STACK_REDIS}"
        own = {"VAR_DIR": str(self.var), "PORT": str(self.port), "CELERY_QUEUE": f"stack-{self.var.name}"}
        return {**kept, **given, **own, **changes}

    def launch(self, **changes: str) -> subprocess.Popen[bytes]:
        """Start without waiting. Its output goes to `log`."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "config.embedded"],
                cwd=ROOT,
                env=self.environment(**changes),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def start(self) -> None:
        """Start, and wait until it greets."""
        before = self.log.stat().st_size if self.log.exists() else 0
        self.process = self.launch()
        until = time.monotonic() + 90
        while time.monotonic() < until and self.process.poll() is None:
            if "Loyalty is running." in self.log.read_text()[before:]:
                return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, answer the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(40)

    def child(self, command: str) -> int:
        """The process whose command line ends like this."""
        return next(pid for pid, line in self._processes().items() if line.endswith(command))

    def left_over(self, seconds: float = 20) -> list[str]:
        """The command lines of processes of this stack that are still there after a while."""
        until = time.monotonic() + seconds
        while (found := self._processes()) and time.monotonic() < until:
            time.sleep(0.1)
        return list(found.values())

    def _processes(self) -> dict[int, str]:
        mark = f"VAR_DIR={self.var}".encode()
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(process.name)] = line.strip()
            except OSError:
                continue
        return found


@contextmanager
def fresh_services() -> Iterator[None]:
    """An empty database and Redis for a stack, where the services were given."""
    if "REDIS_URL" in GIVEN:
        redis.from_url(f"{GIVEN['REDIS_URL'].rsplit('/', 1)[0]}/{_STACK_REDIS}").flushdb()
    _sql(f"DROP DATABASE IF EXISTS {_STACK_DATABASE} WITH (FORCE)", f"CREATE DATABASE {_STACK_DATABASE}")
    yield
    _sql(f"DROP DATABASE {_STACK_DATABASE} WITH (FORCE)")


def _sql(*statements: str) -> None:
    if "DATABASE_URL" in GIVEN:
        with psycopg.connect(GIVEN["DATABASE_URL"], autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
