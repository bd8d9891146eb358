"""The product's processes, real ones, on the test's database: a web server, a relay, a Celery worker, a Valkey."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

from config import valkey
from tests.environment import free_port
from tests.stack import ROOT
from tests.test_killed import database_url


@dataclass
class Site:
    """`folder` is what a test has on disk; `changes` go into the environment of every process."""

    folder: Path
    changes: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        own = {
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "CELERY_TASK_ALWAYS_EAGER": "false",
            "CELERY_QUEUE": f"faults-{os.getpid()}-{self.folder.name}",
            "LIMITS_SCALE": "1000000",
            "LOG_LEVEL": "WARNING",
        }
        return {**os.environ, **own, **self.changes, **more}

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment(**more), stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
        return process

    def valkey(self) -> Path:
        """With a log on disk, as in production: what was written before a kill is there after it."""
        socket = valkey.socket_path(self.folder)
        process = self.start(*valkey.command(self.folder / "valkey", socket, persistent=True))
        valkey.await_answer(process, socket)
        return socket

    def web(self, **more: str) -> str:
        """Its address, once it answers."""
        port = free_port()
        command = (sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "tests.faults.wsgi:application")
        self.start(*command, PORT=str(port), **more)
        base = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                requests.get(f"{base}/health", timeout=5)
            except requests.RequestException:
                time.sleep(0.1)
            else:
                return base
        raise AssertionError((self.folder / "log").read_text()[-3000:])

    def relay(self) -> None:
        self.start(sys.executable, "manage.py", "relay")

    def worker(self) -> subprocess.Popen[bytes]:
        """Under a name of its own: RabbitMQ lets no two workers of one name in."""
        name = f"faults-{os.getpid()}-{len(self.processes)}@%h"
        command = ("worker", "-n", name, "-c", "1", "-l", "WARNING", "--without-gossip", "--without-mingle")
        return self.start(sys.executable, "-m", "celery", "-A", "config.celery", *command)

    def stop(self) -> None:
        for process in self.processes:
            kill_tree(process.pid)
            process.wait()


@contextmanager
def site(folder: Path, **changes: str) -> Iterator[Site]:
    made = Site(folder, changes)
    try:
        yield made
    finally:
        made.stop()


def children(pid: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []


def kill_tree(pid: int) -> None:
    for child in children(pid):
        kill_tree(child)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
