"""gunicorn's thread worker, for callers who are slow on purpose or talk no HTTP: each gets so much time, and no line of
the log quotes what they sent.
"""

import json
import logging
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from gunicorn import glogging
from gunicorn.http import unreader
from gunicorn.workers.gthread import ThreadWorker

PATIENCE_SECONDS = 5.0
BYTES_PER_SECOND = 16_384  # whoever sends as much as this may go on
_pace = threading.local()


class Worker(ThreadWorker):  # type: ignore[misc]
    """A request, headers and body, must arrive at BYTES_PER_SECOND, PATIENCE_SECONDS granted."""

    def handle(self, conn: Any) -> Any:
        _pace.until = time.monotonic() + PATIENCE_SECONDS
        return super().handle(conn)


def hurry(seconds: float) -> None:
    """The request has been answered: whoever still sends it gets this much longer."""
    _pace.until = min(getattr(_pace, "until", 0.0), time.monotonic() + seconds)


_receive = unreader.SocketUnreader.chunk


def _next_chunk(self: Any, size_hint: int | None = None) -> bytes:
    """What the caller sends next; the end, once he has been too slow."""
    wait = _pace.until - time.monotonic()
    try:
        self.sock.settimeout(max(wait, 0.001))
        chunk: bytes = _receive(self, size_hint)
    except TimeoutError:
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)  # nothing that follows is taken for another request
        return b""
    finally:
        with suppress(OSError):
            self.sock.settimeout(None)
    _pace.until += len(chunk) / BYTES_PER_SECOND
    return chunk


unreader.SocketUnreader.chunk = _next_chunk


class Logger(glogging.Logger):  # type: ignore[misc]
    """JSON lines, as the application's own are."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())


class JsonFormatter(logging.Formatter):
    QUOTING = ("Invalid request", "Error handling request", "Error parsing")

    def format(self, record: logging.LogRecord) -> str:
        said = record.getMessage()
        line = {
            "event": next((start for start in self.QUOTING if said.startswith(start)), said),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        if record.exc_info and record.exc_info[0]:
            line["kind"] = record.exc_info[0].__qualname__
        return json.dumps(line)
