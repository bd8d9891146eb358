"""As whom we come: Basic, or an OAuth 2.0 bearer token for client credentials, asked for once and kept."""

import base64
import json
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote_plus, urlencode

import structlog
from django.conf import settings

from loyalty import outgoing

log = structlog.get_logger()
_EARLY = 30.0  # seconds before its end a token is replaced
_lock = threading.Lock()


@dataclass(frozen=True)
class _Token:
    value: str
    ends: float


_token = _Token("", 0.0)


def authorization(seconds: float) -> str:
    """The header's value. Raises NotSent where no token can be had in so many seconds."""
    user, password = settings.SIEBEL_USER, settings.SIEBEL_PASSWORD
    if settings.SIEBEL_LOGIN == "oauth":
        return f"Bearer {_valid_token(seconds).value}"
    return _basic(user, password)


def renew(rejected: str) -> bool:
    """Forget a token that Siebel refused; tells whether another try makes sense."""
    global _token
    if settings.SIEBEL_LOGIN != "oauth":
        return False
    with _lock:
        if rejected == f"Bearer {_token.value}":
            _token = _Token("", 0.0)
    return True


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _valid_token(seconds: float) -> _Token:
    """One caller fetches a new one, the others wait for it."""
    global _token
    if time.monotonic() < _token.ends:
        return _token
    if not _lock.acquire(timeout=seconds):
        raise outgoing.NotSent("no token in time")
    try:
        if time.monotonic() >= _token.ends:
            _token = _fetch(seconds)
        return _token
    finally:
        _lock.release()


def _fetch(seconds: float) -> _Token:
    user, password = quote_plus(settings.SIEBEL_USER), quote_plus(settings.SIEBEL_PASSWORD)
    form = {"grant_type": "client_credentials"} | ({"scope": settings.SIEBEL_SCOPE} if settings.SIEBEL_SCOPE else {})
    headers = {"Authorization": _basic(user, password), "Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = outgoing.post(
            settings.SIEBEL_TOKEN_URL, body=urlencode(form).encode(), headers=headers, seconds=seconds
        )
        if answer.status != HTTPStatus.OK:
            raise ValueError(answer.status)
        said = json.loads(answer.body)
        lasts = float(said.get("expires_in", 300))
        return _Token(str(said["access_token"]), time.monotonic() + max(lasts - _EARLY, lasts / 2))
    except (outgoing.NotSent, outgoing.NoAnswer, ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("siebel_token_refused", kind=type(error).__name__)
        raise outgoing.NotSent("no token") from None
