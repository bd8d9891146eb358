"""What reads answered a short while ago, sealed in Redis: the methods that SIEBEL_STALE_METHODS names answer from it
while their circuit is open.
"""

import json
import time
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from loyalty import digests, encryption
from loyalty.redis_store import redis
from loyalty.siebel import Arguments, Reply

_AGE: ContextVar[float | None] = ContextVar("age", default=None)


def keep(service: str, method: str, arguments: Arguments, reply: Reply) -> None:
    if not _is_kept(service, method):
        return
    about, field = _place(service, method, arguments)
    sealed = encryption.seal(json.dumps([time.time(), reply]), owner=field)
    with suppress(RedisError), redis() as connection:
        both = connection.pipeline()
        both.hset(about, field, sealed)
        both.expire(about, settings.SIEBEL_STALE_SECONDS)
        both.execute()


def recall(service: str, method: str, arguments: Arguments) -> Any | None:
    """A reply of at most SIEBEL_STALE_SECONDS ago; the answer to the request is marked with its age."""
    if not _is_kept(service, method):
        return None
    about, field = _place(service, method, arguments)
    sealed = None
    with suppress(RedisError), redis() as connection:
        sealed = connection.hget(about, field)
    if sealed is None:
        return None
    try:
        kept_at, reply = json.loads(encryption.unseal(sealed.decode(), owner=field))
    except (encryption.UnknownKey, encryption.Unreadable):
        return None
    age = time.time() - kept_at
    if age > settings.SIEBEL_STALE_SECONDS:
        return None
    _AGE.set(max(age, _AGE.get() or 0.0))
    return reply


def forget(member_number: str) -> None:
    """A write changed what is known of a customer."""
    if member_number and settings.SIEBEL_STALE_METHODS:
        with suppress(RedisError), redis() as connection:
            connection.delete(_about(member_number))


def begin() -> None:
    """A new request: nothing stale has been used."""
    _AGE.set(None)


def headers() -> dict[str, str]:
    """What tells the caller that what he reads is stale, where it is."""
    age = _AGE.get()
    return {} if age is None else {"Age": str(round(age)), "Warning": '110 - "Response is Stale"'}


def _is_kept(service: str, method: str) -> bool:
    return f"{service}.{method}" in settings.SIEBEL_STALE_METHODS


def _place(service: str, method: str, arguments: Arguments) -> tuple[str, str]:
    asked = json.dumps(arguments, sort_keys=True)
    return _about(arguments.get("MemberNumber", "")), digests.keyed("siebel-stale", service, method, asked)


def _about(member_number: str) -> str:
    return f"siebel:{digests.keyed('siebel-stale', member_number)}"
