"""`make run`: everything the product needs, in one foreground process tree that ends as a whole."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from config import dotenv, orphans, valkey

ROOT = Path(__file__).resolve().parent.parent
GRACE_SECONDS = 15


def main() -> None:
    dotenv.read()
    if os.environ.get("ENVIRONMENT", "local") != "local":
        _give_up("make run is for a local installation; see docs/operators.md for production.")
    os.umask(0o077)
    port = _free_port()
    var = ROOT / (os.environ.get("VAR_DIR") or "var")
    var.mkdir(parents=True, exist_ok=True)
    lock = _lock(var)
    os.environ |= {
        "PORT": str(port),
        "VAR_DIR": str(var),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "PROMETHEUS_MULTIPROC_DIR": str(_emptied(var / "prometheus")),
    }
    ready = var / "worker.ready"
    ready.unlink(missing_ok=True)
    path = valkey.socket_path(var)
    tree = Tree()
    try:
        if "REDIS_URL" not in os.environ:
            os.environ["REDIS_URL"] = valkey.url(path)
            tree.start("valkey", valkey.command(var / "valkey", path, persistent=True))
            valkey.await_answer(tree.children["valkey"], path)
        for step in ("migrate -v 1 --noinput", "demo_data"):
            tree.finish([sys.executable, "manage.py", *step.split()])
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        work = [*celery, "worker", "-l", "WARNING", "--without-gossip", "--without-mingle"]
        queue = os.environ.get("CELERY_QUEUE") or "loyalty"
        tree.start("relay", [sys.executable, "manage.py", "relay"])
        tree.start("files", [*work, "-c", "1", "-Q", f"{queue}-files", "-n", "files@%h"])
        os.environ["CELERY_READY_FILE"] = str(ready)
        tree.start("worker", [*work, "-c", "2", "-Q", queue, "-n", "worker@%h"])
        tree.start("beat", [*celery, "beat", "-l", "WARNING", "-s", str(var / "beat-schedule"), "--pidfile="])
        tree.await_file("worker", ready)  # whoever reaches the web server finds everything else at work
        tree.start("web", [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi:application"])
        threading.Thread(target=_greet, args=(port, var), daemon=True).start()
        tree.watch()
    except Stopped:
        print("Stopping.", flush=True)
    except valkey.NotStarted as error:
        _give_up(f"{error} See {var / 'valkey'}.")
    finally:
        tree.stop()
        if path.parent != var:
            shutil.rmtree(path.parent, ignore_errors=True)
        lock.close()


class Stopped(BaseException):
    """SIGINT or SIGTERM was received."""


class Tree:
    """The children; each in a session of its own, so that Ctrl-C reaches them only through us, in order."""

    def __init__(self) -> None:
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop_once)

    def start(self, name: str, command: list[str]) -> None:
        # Should we be killed: Valkey still writes; a web server that waited for its clients would keep the port.
        number = signal.SIGTERM if name == "valkey" else signal.SIGKILL
        self.children[name] = subprocess.Popen(
            command,
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: orphans.end_with_parent(number),
            stdin=subprocess.DEVNULL,
        )

    def finish(self, command: list[str]) -> None:
        """Run a step to its end. Gives up where it fails."""
        name = command[2]
        self.start(name, command)
        code = self.children[name].wait()
        del self.children[name]
        if code:
            self.stop()
            _give_up(f"{name} failed; see above.")

    def await_file(self, name: str, ready: Path, seconds: float = 60) -> None:
        """Until a child has made its file. Gives up where that takes too long or a child ends."""
        until = time.monotonic() + seconds
        while not ready.exists():
            self._demand_all()
            if time.monotonic() > until:
                self.stop()
                _give_up(f"{name} did not get ready within {seconds:.0f} seconds.")
            time.sleep(0.05)

    def watch(self) -> NoReturn:
        """Until a child ends by itself, which ends all of them, or Stopped is raised."""
        while True:
            self._demand_all()
            time.sleep(0.2)

    def _demand_all(self) -> None:
        for name, child in self.children.items():
            if (code := child.poll()) is not None:
                self.stop()
                _give_up(f"{name} ended by itself (exit code {code}), so everything was stopped.")

    def stop(self) -> None:
        """Those that use the store first, the store itself last; who does not end in time is killed."""
        users = [child for name, child in self.children.items() if name != "valkey"]
        for group in (users, [child for name, child in self.children.items() if name == "valkey"]):
            _end(group)
        self.children.clear()

    def _stop_once(self, number: int, frame: FrameType | None) -> None:
        for other in (signal.SIGINT, signal.SIGTERM):
            signal.signal(other, signal.SIG_IGN)
        raise Stopped


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    until = time.monotonic() + GRACE_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.1, until - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # it, or what it left behind
        child.wait()


def _free_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        _give_up(f"PORT={text} is not a port number.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            _give_up(f"Port {text} can't be used ({error.strerror}). Try another one: PORT=8001 make run")
    return int(text)


def _lock(var: Path) -> IO[str]:
    lock = (var / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        _give_up(f"It runs already in {var}. Another folder for the data: VAR_DIR=/some/where make run")
    return lock


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _greet(port: int, var: Path) -> None:
    base = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=2):  # noqa: S310 (our own address)
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    print(
        f"""
  Loyalty is running.

    API documents   {base}/api/docs   (ReDoc: {base}/api/redoc)
    Admin           {base}/admin/
    Health, metrics {base}/health   {base}/metrics
    Log-ins, keys   {var / "demo.json"}   (staff: admin user and password; api_key: a REST client's key)
    SMS and e-mail  {var / "outbox"}

  Ctrl-C stops everything; the data stay in {var}.
""",
        flush=True,
    )


def _give_up(message: str) -> NoReturn:
    print(f"make run: {message}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
