"""The WSGI entry point. Django takes no body without Content-Length, so a chunked one is measured before it gets it."""

import os
import tempfile
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()
_IN_MEMORY = 1024 * 1024


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and environ.get("wsgi.input_terminated"):
        _measure(environ)
    return _django(environ, start_response)


def _measure(environ: dict[str, Any]) -> None:
    """Read the body, to a byte beyond what any operation takes, and say how long it is."""
    from django.conf import settings

    most = settings.UPLOAD_BODY_LIMIT + 8192
    body = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 (Django reads it, the request's end drops it)
    length = 0
    while length <= most and (chunk := environ["wsgi.input"].read(min(65_536, most + 1 - length))):
        body.write(chunk)
        length += len(chunk)
    body.seek(0)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = body, str(length)
