"""Loaded by pytest before anything else: a folder, a database and a Valkey for each of its processes.

DATABASE_URL, REDIS_URL and CELERY_BROKER_URL win where they are given; each process then takes its own database number.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from config import valkey

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_CONTROLLER = not _WORKER and any(argument.startswith("-n") for argument in sys.argv)
_FOLDER = Path(tempfile.mkdtemp(prefix="loyalty-test-"))
_FIRST_REDIS_DATABASE = 2
GIVEN = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL") if name in os.environ}
_server: subprocess.Popen[bytes] | None = None

os.environ |= {
    "ENVIRONMENT": "local",
    "VAR_DIR": str(_FOLDER),
    "PASSWORD_COST": "test",
    "CELERY_TASK_ALWAYS_EAGER": "true",
    "SMS_WAIT_SECONDS": "2",
}
if "REDIS_URL" in os.environ:
    _number = _FIRST_REDIS_DATABASE + int(_WORKER.removeprefix("gw") or "0")
    os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rstrip('/').rsplit('/', 1)[0]}/{_number}"
else:
    _path = valkey.socket_path(_FOLDER)
    os.environ["REDIS_URL"] = valkey.url(_path)
    if not _CONTROLLER:
        _server = subprocess.Popen(valkey.command(_FOLDER / "valkey", _path, persistent=False))
        valkey.await_answer(_server, _path)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if _server is not None:
        _server.kill()
        _server.wait()
    shutil.rmtree(_FOLDER, ignore_errors=True)
