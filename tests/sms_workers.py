"""Relay and worker as processes of their own, on the tests' database, with a broker that can be stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings

from config import orphans, valkey
from tests.stack import ROOT
from tests.test_killed import database_url


class Broker:
    """A Valkey whose data survive."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, valkey.socket_path(folder)
        self.start()

    @property
    def url(self) -> str:
        return f"redis+socket://{quote(str(self.socket))}?virtual_host=5"

    def start(self) -> None:
        command = valkey.command(self.folder, self.socket, persistent=True)
        self.process = subprocess.Popen(command, preexec_fn=orphans.end_with_parent)
        valkey.await_answer(self.process, self.socket)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


class Workers:
    """`environment`: what they have beside the tests' own."""

    def __init__(self, folder: Path, broker: Broker, environment: dict[str, str]) -> None:
        self._ready = folder / "worker.ready"
        self._environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "CELERY_BROKER_URL": broker.url,
            "CELERY_QUEUE": f"sms-{os.getpid()}",
            "CELERY_TASK_ALWAYS_EAGER": "false",
            "CELERY_READY_FILE": str(self._ready),
            **environment,
        }
        self._log = folder / "workers.log"
        celery = ["-m", "celery", "-A", "config.celery", "worker", "-c", "2", "-l", "WARNING"]
        self.worker = self._start(*celery, "--without-gossip", "--without-mingle")
        self._relay = self._start("manage.py", "relay")

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=orphans.end_with_parent,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def await_start(self) -> None:
        until = time.monotonic() + 60
        while not self._ready.exists():
            assert self.worker.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.05)

    def kill_children(self) -> None:
        """SIGKILL to the processes that run tasks; the worker itself starts new ones."""
        for child in Path(f"/proc/{self.worker.pid}/task/{self.worker.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)

    def end(self) -> None:
        for process in (self._relay, self.worker):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@contextmanager
def workers(folder: Path, environment: dict[str, str]) -> Iterator[tuple[Broker, Workers]]:
    broker = Broker(folder / "broker")
    at_work = Workers(folder, broker, environment)
    try:
        at_work.await_start()
        yield broker, at_work
    finally:
        at_work.end()
        broker.stop()
