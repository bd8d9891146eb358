"""The HTTP of siebelserver: services with a log-in on one port, faults on another, which is loopback's alone."""

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from django.db import connection

from loyalty import business_services, errors
from loyalty.siebel_rest import wire
from loyalty.siebel_server.answers import Answer, error, outputs
from loyalty.siebel_server.credentials import Credentials
from loyalty.siebel_server.faults import Book, Fault

_MOST_READ = 4 * 1024 * 1024
_SERVICE = "/siebel/v1.0/service/"
_BARE_HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass
class SiebelServer:
    """Serves until `stop`. While it is down, nobody listens on its port."""

    host: str
    port: int
    control_port: int
    credentials: Credentials
    book: Book = field(default_factory=Book)
    down_for: float = 0.0

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._http: _Server | None = None
        self.methods = {wire.names(*one): one for one in business_services.methods()}

    def run(self) -> None:
        control = _Server(("127.0.0.1", self.control_port), type("Control", (_Control,), {"siebel": self}))
        threading.Thread(target=control.serve_forever, daemon=True).start()
        services = type("Services", (_Services,), {"siebel": self})
        while not self._stopping.is_set():
            with _Server((self.host, self.port), services) as self._http:
                self._http.serve_forever(poll_interval=0.05)
            self._stopping.wait(self.down_for)
            self.down_for = 0.0

    def stop(self) -> None:
        self._stopping.set()
        self.interrupt()

    def interrupt(self) -> None:
        """End `serve_forever`; that waits for its own thread, so it is done from another."""
        if self._http:
            self._http.hang_up()
            threading.Thread(target=self._http.shutdown).start()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for request in list(self._open):
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who called has gone; what went wrong in a service was answered."""


class _Handler(BaseHTTPRequestHandler):
    siebel: SiebelServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120

    def body(self) -> bytes:
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MOST_READ))

    def say(self, answer: Answer) -> None:
        head = f"HTTP/1.1 {int(answer.status)} {HTTPStatus(answer.status).phrase}\r\n"
        if answer.status != HTTPStatus.NO_CONTENT:
            head += f"Content-Type: {answer.kind}\r\nContent-Length: {len(answer.body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        self.write(head.encode() + b"\r\n" + answer.body)

    def write(self, octets: bytes) -> None:
        with suppress(OSError):  # who called may be gone
            self.wfile.write(octets)

    def log_message(self, *args: Any) -> None:
        """Nothing: the body has passwords in it."""


class _Services(_Handler):
    def setup(self) -> None:
        super().setup()
        self.siebel.book.note_connection()

    def finish(self) -> None:
        connection.close()
        super().finish()

    def do_GET(self) -> None:
        self.say(error(HTTPStatus.NOT_FOUND, "Only POST.", ["SBL-EAI-04389"]))

    def do_POST(self) -> None:
        content = self.body()
        if self.path == "/oauth/token":
            self._token(content)
            return
        if not self.siebel.credentials.admits(self.headers.get("Authorization", "")):
            challenge = {"WWW-Authenticate": "Basic"}
            self.say(error(HTTPStatus.UNAUTHORIZED, "Not logged in.", ["SBL-SEC-10018"], challenge))
            return
        path = self.path.partition("?")[0]
        service, _, method = path.removeprefix(_SERVICE).partition("/")
        known = self.siebel.methods.get((unquote(service), unquote(method))) if path.startswith(_SERVICE) else None
        if known is None:
            self.say(error(HTTPStatus.NOT_FOUND, "No such service or method.", ["SBL-DAT-00144"]))
            return
        try:
            arguments = json.loads(content)["body"]
            arguments = {name: value for name, value in dict(arguments).items() if value is not None}
        except (ValueError, KeyError, TypeError):
            self.say(error(HTTPStatus.BAD_REQUEST, "No body.", ["SBL-EAI-04117"]))
            return
        headers = {name: value for name, value in self.headers.items() if name != "Authorization"}
        self.siebel.book.note(*known, arguments.get("RequestId", ""), headers)
        if fault := self.siebel.book.take(*known):
            self._fail(fault, *known, arguments)
        else:
            self.say(_answer(*known, arguments))

    def _token(self, content: bytes) -> None:
        form = {name: values[0] for name, values in parse_qs(content.decode("latin-1")).items()}
        token = self.siebel.credentials.token_for(self.headers.get("Authorization", ""), form)
        if token is None:
            self.say(Answer(HTTPStatus.UNAUTHORIZED, b'{"error": "invalid_client"}'))
            return
        self.siebel.book.note_token()
        said = {"access_token": token, "token_type": "Bearer", "expires_in": self.siebel.credentials.token_seconds}
        self.say(Answer(HTTPStatus.OK, json.dumps(said).encode()))

    def _fail(self, fault: Fault, service: str, method: str, arguments: Mapping[str, Any]) -> None:
        match fault.fault:
            case "delay":
                time.sleep(fault.seconds)
                self.say(_answer(service, method, arguments))
            case "hang":
                _answer(service, method, arguments)
                time.sleep(fault.seconds)
                self.close_connection = True
            case "down":
                self.siebel.down_for = fault.seconds
                self.close_connection = True
                self.siebel.interrupt()
            case "cut-before":
                self.close_connection = True
            case "cut-after":
                _answer(service, method, arguments)
                self.close_connection = True
            case "sbl":
                self.say(error(fault.status, "Something failed.", fault.codes))
            case "status":
                self.say(Answer(fault.status, b"<html>Not now</html>", kind="text/html"))
            case "garbage":
                _answer(service, method, arguments)
                self.say(Answer(HTTPStatus.OK, b"<html>Welcome</html>", kind="text/html"))
            case "drip":
                _answer(service, method, arguments)
                self._drip(fault.seconds)
            case "redirect":
                self.say(Answer(HTTPStatus.PERMANENT_REDIRECT, b"", headers={"Location": fault.location}))
            case "huge":
                _answer(service, method, arguments)
                self._pour()
            case "empty":
                _answer(service, method, arguments)
                self.say(Answer(HTTPStatus.NO_CONTENT, b""))
            case "spoil":
                self.say(outputs({**business_services.call(service, method, arguments), **fault.outputs}))

    def _drip(self, seconds: float) -> None:
        """A header that does not end, a byte at a time: no pause is ever long."""
        self.close_connection = True
        with suppress(OSError):
            self.wfile.write(_BARE_HEADERS + b"X-Slow: ")
            for _ in range(int(seconds * 10)):
                self.wfile.write(b"x")
                time.sleep(0.1)

    def _pour(self) -> None:
        """50 MiB that are one text."""
        self.close_connection = True
        with suppress(OSError):
            self.wfile.write(_BARE_HEADERS + b'\r\n{"Text": "')
            for _ in range(800):
                self.wfile.write(b"x" * 65536)


def _answer(service: str, method: str, arguments: Mapping[str, Any]) -> Answer:
    """What the business service replies, or Siebel's own words for what broke in it."""
    try:
        return outputs(business_services.call(service, method, arguments))
    except business_services.Void:
        return error(HTTPStatus.INTERNAL_SERVER_ERROR, "The request was given up.", ["SBL-BPR-00131"])
    except errors.SiebelTimeout:
        return error(HTTPStatus.INTERNAL_SERVER_ERROR, "It took too long.", ["SBL-BPR-00162"])
    except TypeError:  # an argument that the method does not take, or lacks
        return error(HTTPStatus.INTERNAL_SERVER_ERROR, "Arguments do not fit.", ["SBL-BPR-00107"])
    except Exception as failure:
        text = f"{type(failure).__name__} in the service."
        return error(HTTPStatus.INTERNAL_SERVER_ERROR, text, ["SBL-EXL-00151", "SBL-BPR-00162"])


class _Control(_Handler):
    def do_GET(self) -> None:
        self._tell(self.siebel.book.state() if self.path == "/calls" else None)

    def do_DELETE(self) -> None:
        self.siebel.book.clear()
        self._tell({})

    def do_POST(self) -> None:
        content = self.body()
        if self.path == "/expire-tokens":
            self.siebel.credentials.expire()
            self._tell({})
            return
        if self.path != "/faults":
            self._tell(None)
            return
        try:
            self.siebel.book.order(json.loads(content))
        except (ValueError, TypeError) as wrong:
            self.say(Answer(HTTPStatus.BAD_REQUEST, json.dumps({"error": str(wrong)}).encode()))
            return
        self._tell({})

    def _tell(self, said: dict[str, Any] | None) -> None:
        status = HTTPStatus.OK if said is not None else HTTPStatus.NOT_FOUND
        self.say(Answer(status, json.dumps(said or {}).encode()))
