"""The outside of the SMS gateways: the reference gateway in a process of its own, and a provider that says what it is
told.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import requests

from config import orphans
from tests.environment import free_port
from tests.stack import ROOT

ACCESS_KEY, SECRET_KEY = "shop", "gateway-secret-0123456789"


class GatewayProcess:
    """`manage.py smsserver`."""

    def __init__(self) -> None:
        self.port = free_port()
        command = ["manage.py", "smsserver", "--port", str(self.port)]
        keys = ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]
        self.process = subprocess.Popen(
            [sys.executable, *command, *keys],
            cwd=ROOT,
            env=dict(os.environ),
            stdout=subprocess.DEVNULL,
            preexec_fn=orphans.end_with_parent,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"

    @property
    def environment(self) -> dict[str, str]:
        """The settings of who sends through it."""
        keys = {"SMS_ACCESS_KEY": ACCESS_KEY, "SMS_SECRET_KEY": SECRET_KEY}
        return {"SMS_GATEWAY": "http", "SMS_URL": self.url, **keys}

    def await_start(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                self.state()
                return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("The gateway did not start.")

    def arm(self, fault: str = "", **how: Any) -> None:
        requests.post(f"http://127.0.0.1:{self.port}/faults", json={"fault": fault, **how}, timeout=5)

    def state(self) -> dict[str, Any]:
        said: dict[str, Any] = requests.get(f"http://127.0.0.1:{self.port}/sent", timeout=5).json()
        return said

    def sent(self, phone: str) -> list[str]:
        """The texts that went to a phone."""
        return [message["text"] for message in self.state()["sent"] if message["phone"] == phone]

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def gateway_process() -> Iterator[GatewayProcess]:
    gateway = GatewayProcess()
    try:
        gateway.await_start()
        yield gateway
    finally:
        gateway.end()


@dataclass
class Provider:
    """Remembers what was asked, and gives the answer that it was told."""

    url: str = ""
    status: int = 200
    answer: Any = None
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@contextmanager
def provider() -> Iterator[Provider]:
    told = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.path, told.headers = self.path, {name.lower(): value for name, value in self.headers.items()}
            told.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = json.dumps(told.answer).encode()
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield told
        server.shutdown()
        thread.join()
