"""`make run` as a newcomer meets it: it starts, says what is where, keeps its data, and ends whole."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.environment import free_port
from tests.stack import ROOT, Stack, fresh_services

pytestmark = pytest.mark.timeout(300)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with fresh_services():
        stack = Stack(tmp_path_factory.mktemp("stack") / "var")
        stack.start()
        yield stack
        if stack.process and stack.process.poll() is None:
            stack.end()


def call(stack: Stack, path: str, body: Any = None, **headers: str) -> Any:
    request = urllib.request.Request(
        f"{stack.base}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        },
    )
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.loads(reply.read())


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a page's console blocks, each with what it prints; `…` stands for anything."""
    found: list[tuple[str, str]] = []
    for line in "\n".join(CONSOLE.findall(text)).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif line.startswith("> "):
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
        elif line:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


@pytest.mark.parametrize("page", ["README.md", "docs/journeys.md"])
def test_a_page_prints_what_it_says(stack: Stack, tmp_path: Path, page: str) -> None:
    (tmp_path / "var").symlink_to(stack.var)
    steps = commands((ROOT / page).read_text())
    assert len(steps) > 10
    script = "".join(f"{command}\necho; echo '@@@'\n" for command, _ in steps)
    shell = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert not shell.stderr
    for (command, expected), printed in zip(steps, shell.stdout.split("@@@\n"), strict=False):
        pattern = ".*".join(re.escape(piece) for piece in expected.strip().split("…"))
        assert re.fullmatch(pattern, printed.strip(), re.DOTALL), f"{command}\n{printed}"


def test_what_the_start_prints_leads_everywhere(stack: Stack) -> None:
    log = stack.log.read_text()
    for path in ("api/docs", "api/redoc", "admin/", "health", "metrics"):
        assert f"{stack.base}/{path}" in log
        with urllib.request.urlopen(f"{stack.base}/{path}", timeout=20) as page:
            assert page.status == 200
    assert stack.demo["base_url"] == stack.base
    assert stack.demo["staff"]["password"] not in log
    assert stack.demo["api_key"] not in log


def raw(stack: Stack, request: str) -> tuple[str, dict[str, Any]]:
    """The status line and the JSON body that a request in so many bytes gets."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as connection:
        connection.sendall(request.encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    return head.partition("\r\n")[0], json.loads(body)


@pytest.mark.parametrize(
    ("request_line", "header", "status"),
    [
        ("POST /api/Customers/login HTTP/1.1", "Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0", 400),
        ("POST /api/Customers/login HTTP/1.1", "Content-Length: many", 400),
        (f"GET /api/Customers/detail?{'a' * 5000} HTTP/1.1", "Accept: text/html", 414),
        ("GET /api/Customers/detail HTTP/1.1", "x-customer-id: 1-AAA\r\nx-customer-id: 1-BBB", 401),
        ("BREW /api/Customers/detail HTTP/1.1", "Accept: text/html", 405),
    ],
)
def test_what_no_client_library_would_send_is_refused_as_json(
    stack: Stack, request_line: str, header: str, status: int
) -> None:
    line, body = raw(stack, f"{request_line}\r\nHost: 127.0.0.1\r\nConnection: close\r\n{header}\r\n\r\n")
    assert line.split()[1] == str(status)
    assert body["error"]["statusCode"] == status
    assert body["error"]["requestId"]


def test_a_sender_of_too_much_gets_to_read_the_answer(stack: Stack) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(stack, "api/Customers/login", {"user": "x" * 6_000_000, "password": "y"})
    assert refused.value.code == 413
    assert json.loads(refused.value.read())["error"]["code"] == 413


def test_a_sender_in_chunks_of_too_much_does_too(stack: Stack) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=20)
    pieces = (b"x" * 65_536 for _ in range(100))
    connection.request("POST", "/api/Customers/login", pieces, {"Content-Type": "application/json"})
    assert connection.getresponse().status == 413


@pytest.mark.parametrize(
    "sent", ["POST /api/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabc", "GET /health HTTP"]
)
def test_callers_who_send_nothing_more_hold_nobody_up_for_long(stack: Stack, sent: str) -> None:
    with ExitStack() as kept:
        for _ in range(8):
            caller = kept.enter_context(socket.create_connection(("127.0.0.1", stack.port), timeout=10))
            caller.sendall(sent.encode())
        started = time.monotonic()
        assert call(stack, "health")["status"] == "ok"
        assert time.monotonic() - started < 25


def test_what_is_no_http_is_not_quoted_in_the_log(stack: Stack) -> None:
    for request in (
        'GET /api/x?httpCtx={"phone": "13899998888"} HTTP/1.1',
        "GET / HTTP/1.1\r\nAuthorization Bearer s3cret",
    ):
        raw(stack, f"{request}\r\n\r\n")
    log = stack.log.read_text()
    assert "13899998888" not in log
    assert "s3cret" not in log
    assert '"event": "Invalid request"' in log


def test_a_port_that_is_taken_is_named(stack: Stack, tmp_path: Path) -> None:
    other = Stack(tmp_path / "var")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", other.port))
        holder.listen()
        assert other.launch().wait(20) == 1
    assert f"Port {other.port} can't be used" in other.log.read_text()
    assert "Traceback" not in other.log.read_text()


def test_a_second_one_in_the_same_folder_is_refused(stack: Stack) -> None:
    before = stack.log.stat().st_size
    twin = Stack(stack.var)
    assert twin.launch().wait(20) == 1
    assert "It runs already" in stack.log.read_text()[before:]


def test_production_is_refused(tmp_path: Path) -> None:
    other = Stack(tmp_path / "var")
    assert other.launch(ENVIRONMENT="production").wait(20) == 1
    assert "docs/operators.md" in other.log.read_text()


def test_it_ends_whole_however_it_is_ended_and_keeps_its_data(stack: Stack) -> None:
    made = stack.demo
    person = made["customers"]["TwoOnOnePhone"][0]
    token = call(stack, "api/Customers/login", {"user": person["userName"], "password": person["password"]})["token"]
    assert oct((stack.var / "demo.json").stat().st_mode)[-3:] == "600"

    assert stack.end(signal.SIGINT) == 0
    assert stack.left_over() == []
    stack.port = free_port()
    stack.start()
    assert {**stack.demo, "base_url": ""} == {**made, "base_url": ""}
    assert stack.demo["base_url"] == stack.base
    detail = call(stack, "api/Customers/detail", Authorization=f"Bearer {token}")
    assert detail["customerId"] == person["customerId"]

    stack.end(signal.SIGKILL)
    assert stack.left_over() == []
    stack.start()
    assert call(stack, "health")["status"] == "ok"

    os.kill(stack.child("manage.py relay"), signal.SIGKILL)
    assert stack.process is not None
    assert stack.process.wait(40) == 1
    assert "relay ended by itself" in stack.log.read_text()
    assert stack.left_over() == []

    stack.start()
    assert stack.end(signal.SIGTERM) == 0
    assert stack.left_over() == []
