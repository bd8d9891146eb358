"""Who may call siebelserver: one user by Basic, or with a token that his id and secret were given."""

import base64
import secrets
import threading
import time
from collections.abc import Mapping
from urllib.parse import unquote_plus


class Credentials:
    def __init__(self, *, user: str, password: str, token_seconds: int = 3600) -> None:
        self.token_seconds = token_seconds
        self._user, self._password = user, password
        self._tokens: dict[str, float] = {}
        self._lock = threading.Lock()

    def admits(self, authorization: str) -> bool:
        scheme, _, value = authorization.partition(" ")
        if scheme == "Bearer":
            return time.monotonic() < self._tokens.get(value, 0.0)
        return self._is_ours(*_basic(authorization))

    def token_for(self, authorization: str, form: Mapping[str, str]) -> str | None:
        """A new token for client credentials, in the header or in the form."""
        user, password = map(unquote_plus, _basic(authorization))
        if not authorization:
            user, password = form.get("client_id", ""), form.get("client_secret", "")
        if form.get("grant_type") != "client_credentials" or not self._is_ours(user, password):
            return None
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens[token] = time.monotonic() + self.token_seconds
        return token

    def expire(self) -> None:
        """No token given so far is good any more."""
        with self._lock:
            self._tokens.clear()

    def _is_ours(self, user: str, password: str) -> bool:
        return secrets.compare_digest(f"{user}:{password}".encode(), f"{self._user}:{self._password}".encode())


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, value = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return "", ""
    return (user, password) if scheme == "Basic" else ("", "")
