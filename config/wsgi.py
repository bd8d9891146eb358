"""The WSGI entry point: what Django could not take is put right before it gets it.

It takes no body without Content-Length, so a chunked one is measured; and some content types crash it before any code
of ours runs.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from config import web_worker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Utf8Request(WSGIRequest):
    """Text is UTF-8, whatever codec a content type's `charset` names."""

    encoding = property(lambda self: "utf-8", lambda self, value: None)


_django = get_wsgi_application()
_django.request_class = Utf8Request
_IN_MEMORY = 1024 * 1024
_CHUNK = 65_536
_DRAINED_AT_MOST = 64 * 1024 * 1024
_DRAINED_FOR_SECONDS = 2.0


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    sent = environ.get("wsgi.input") if environ.get("wsgi.input_terminated") else None
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and environ.get("wsgi.input_terminated"):
        _measure(environ)
    try:
        parse_header_parameters(environ.get("CONTENT_TYPE", ""))
    except ValueError:
        environ["CONTENT_TYPE"] = ""
    return _Answer(_django(environ, start_response), sent, is_head=environ.get("REQUEST_METHOD") == "HEAD")


class _Answer:
    """A response; once it is out, what is left of the request's body is read, so that its sender gets to see it."""

    def __init__(self, response: Any, sent: Any, *, is_head: bool) -> None:
        self._response, self._sent, self._is_head = response, sent, is_head

    def __iter__(self) -> Iterator[bytes]:
        return iter(()) if self._is_head else iter(self._response)

    def close(self) -> None:
        self._response.close()
        if self._sent is not None:
            _drain(self._sent)


def _measure(environ: dict[str, Any]) -> None:
    """Read the body, to a byte beyond what the operation takes, and say how long it is."""
    from django.conf import settings

    upload = environ.get("PATH_INFO", "").startswith("/api/Wechats/upload")
    most = settings.UPLOAD_BODY_LIMIT + 8192 if upload else settings.API_BODY_LIMIT
    body = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 (Django reads it, the request's end drops it)
    length = 0
    while length <= most and (chunk := environ["wsgi.input"].read(min(_CHUNK, most + 1 - length))):
        body.write(chunk)
        length += len(chunk)
    body.seek(0)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = body, str(length)


def _drain(rest: Any) -> None:
    web_worker.hurry(_DRAINED_FOR_SECONDS)
    for _ in range(_DRAINED_AT_MOST // _CHUNK):
        if not rest.read(_CHUNK):
            break
