"""The web server's settings."""

import json
import os
import socket
import uuid
from http import HTTPStatus
from pathlib import Path

from gunicorn import util
from prometheus_client import multiprocess

from config import dotenv, orphans

dotenv.read()
bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or '8000'}"
workers = max(1, int(os.environ.get("WEB_CONCURRENCY") or "2"))
worker_class = "config.web_worker.Worker"
logger_class = "config.web_worker.Logger"
threads = int(os.environ.get("WEB_THREADS") or ("16" if os.environ.get("SIEBEL_TRANSPORT") == "rest" else "4"))
timeout = 30  # above every deadline of ours
graceful_timeout = 10
keepalive = 5
accesslog = None  # loyalty.middleware writes one line a request
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108 (gunicorn makes its own names there)
    worker_tmp_dir = "/dev/shm"  # noqa: S108


def post_fork(server: object, worker: object) -> None:
    """A worker whose master was killed would keep the port from the next start for as long as a client holds on."""
    orphans.end_with_parent()


def child_exit(server: object, worker: object) -> None:
    """A worker's gauges end with it."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[attr-defined, no-untyped-call]


def _refuse(client: socket.socket, status: int, reason: str, message: str) -> None:
    """What is no HTTP is refused before Django sees it, in the API's shape instead of gunicorn's HTML."""
    request_id = uuid.uuid4().hex
    error = {
        "name": "ServerError" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "ValidationError",
        "status": status,
        "statusCode": status,
        "code": 422 if status == HTTPStatus.BAD_REQUEST else status,
        "reason": "ValidationError" if status == HTTPStatus.BAD_REQUEST else reason.replace(" ", ""),
        "message": "The request is not valid.",
        "requestId": request_id,
        "details": {"request": [reason]},
    }
    body = json.dumps({"error": error}, separators=(",", ":"))
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Cache-Control: no-store\r\nX-Request-ID: {request_id}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(client, (head + body).encode("latin-1"))


util.write_error = _refuse
