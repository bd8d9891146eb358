"""Loaded by pytest before anything else: a folder, a database and a Valkey for each of its processes.

DATABASE_URL, REDIS_URL and CELERY_BROKER_URL win where they are given; each process then takes its own database number.
With SIEBEL_TRANSPORT=rest the CRM is a siebelserver of each process (tests/crm.py).
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from config import orphans, valkey

_SERVICES = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
_FIRST_REDIS_DATABASE = 2
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
_folder = Path(tempfile.mkdtemp(prefix="loyalty-test-"))
_socket = valkey.socket_path(_folder)
_servers: list[subprocess.Popen[bytes]] = []

# What xdist's first process was given; its workers inherit its environment, our own entries included.
_given = {name: os.environ[name] for name in _SERVICES if name in os.environ}
GIVEN: dict[str, str] = json.loads(os.environ.setdefault("LOYALTY_TEST_SERVICES", json.dumps(_given)))

os.environ |= {
    "ENVIRONMENT": "local",
    "VAR_DIR": str(_folder),
    "PASSWORD_COST": "test",
    "CELERY_TASK_ALWAYS_EAGER": "true",
    "SMS_WAIT_SECONDS": "2",
    "HEAP_TRACE_SECONDS": "0",
}
OVER_HTTP = os.environ.get("SIEBEL_TRANSPORT") == "rest"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


SIEBEL_PORT, CONTROL_PORT = free_port(), free_port()
if OVER_HTTP:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.over_http",
        "SIEBEL_URL": f"http://127.0.0.1:{SIEBEL_PORT}",
        "SIEBEL_USER": "SADMIN",
        "SIEBEL_PASSWORD": "siebel-password",
        "SIEBEL_MAX_CONNECTIONS": "63",  # tests have more threads than a web server
        "WEB_THREADS": "64",
    }
if "REDIS_URL" in GIVEN:
    _number = _FIRST_REDIS_DATABASE + int(_worker.removeprefix("gw") or "0")
    os.environ["REDIS_URL"] = f"{GIVEN['REDIS_URL'].rstrip('/').rsplit('/', 1)[0]}/{_number}"
else:
    os.environ["REDIS_URL"] = valkey.url(_socket)


def pytest_configure(config: pytest.Config) -> None:
    """Not in the process that only hands tests to others."""
    if "REDIS_URL" not in GIVEN and (_worker or not config.getoption("numprocesses", None)):
        command = valkey.command(_folder / "valkey", _socket, persistent=False)
        _servers.append(subprocess.Popen(command, preexec_fn=orphans.end_with_parent))
        valkey.await_answer(_servers[0], _socket)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    for server in _servers:
        server.kill()
        server.wait()
    shutil.rmtree(_folder, ignore_errors=True)
