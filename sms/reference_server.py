"""HTTP for the reference gateway: `POST /send`, as docs/sms-gateway.md has it, and its faults.

`POST /faults` with {"fault", "times", "seconds", "code"} arms a fault for the next messages; `GET /sent` answers what
was taken. Faults: refuse (with `code`), 500, redirect, hang, drip, garbage, huge, cut-before and cut-after (the
connection closes before or after the message is taken, without an answer), and down (nobody listens for `seconds`).
"""

import json
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from sms.reference_gateway import Fault, ReferenceGateway

_MOST_READ = 64 * 1024
_ANSWERS = {
    "redirect": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /send\r\nContent-Length: 0\r\n\r\n",
    "garbage": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>Hi</p>",
    "huge": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000,
}


class ReferenceServer:
    def __init__(self, gateway: ReferenceGateway, port: int) -> None:
        self.gateway, self.port = gateway, port
        self._stopping = threading.Event()
        self._http: ThreadingHTTPServer | None = None

    def run(self) -> None:
        """Serve until `stop`. While it is down, nobody listens on the port."""
        handler = type("Handler", (_Handler,), {"gateway": self.gateway, "owner": self})
        while not self._stopping.is_set():
            with ThreadingHTTPServer(("127.0.0.1", self.port), handler) as self._http:
                self._http.serve_forever(poll_interval=0.05)
            if self.gateway.fault.fault == "down":
                self._stopping.wait(self.gateway.fault.seconds)

    def stop(self) -> None:
        self._stopping.set()
        self.interrupt()

    def interrupt(self) -> None:
        """End `serve_forever`; that waits for its own thread, so it is done from another."""
        if self._http:
            threading.Thread(target=self._http.shutdown).start()


class _Handler(BaseHTTPRequestHandler):
    gateway: ReferenceGateway
    owner: ReferenceServer
    timeout = 10

    def do_GET(self) -> None:
        self._say({"sent": self.gateway.sent, "calls": self.gateway.calls} if self.path == "/sent" else None)

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MOST_READ))
        if self.path == "/faults":
            self.gateway.fault = Fault(**json.loads(body))
            self._say({})
            if self.gateway.fault.fault == "down":
                self.owner.interrupt()
        elif self.path == "/send":
            self._send(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        else:
            self._say(None)

    def _send(self, fields: dict[str, str]) -> None:
        fault = self.gateway.next_fault()
        match fault.fault:
            case "refuse":
                self._say({"code": fault.code, "message": "As you wished."})
            case "500":
                self._say({}, HTTPStatus.INTERNAL_SERVER_ERROR)
            case "redirect":
                self._write(_ANSWERS["redirect"])
            case "cut-before":
                self.close_connection = True
            case "cut-after":
                self.gateway.take(fields)
                self.close_connection = True
            case "garbage" | "huge":
                self.gateway.take(fields)
                self._write(_ANSWERS[fault.fault])
                self.close_connection = True
            case "hang":
                self.gateway.take(fields)
                time.sleep(fault.seconds)
                self.close_connection = True
            case "drip":
                self.gateway.take(fields)
                self._drip(fault.seconds)
            case _:
                self._say(self.gateway.take(fields))

    def _drip(self, seconds: float) -> None:
        """A header that does not end, a byte at a time: no pause is ever long."""
        self._write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(int(seconds * 10)):
            self._write(b"x")
            time.sleep(0.1)
        self.close_connection = True

    def _say(self, answer: dict[str, Any] | None, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status if answer is not None else HTTPStatus.NOT_FOUND)
        body = json.dumps(answer or {}, ensure_ascii=False).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._write(body)

    def _write(self, octets: bytes) -> None:
        with suppress(OSError):  # who called may be gone
            self.wfile.write(octets)
            self.wfile.flush()

    def log_message(self, *args: Any) -> None:
        """Nothing: the body has a phone in it, the rest says nothing."""
