"""Redis, for what can be done without it. A server that failed is left alone for a while, so that nobody waits twice.

Connections come from django-redis alone: they never resend a command by themselves.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django_redis import get_redis_connection
from redis.exceptions import RedisError

log = structlog.get_logger()
PAUSE_SECONDS = 5.0
_away_until = 0.0


class RedisAway(RedisError):
    """It failed a moment ago, and was not asked again."""


@contextmanager
def redis() -> Iterator[Any]:
    """A connection for the block. Raises RedisError; after one, RedisAway at once for PAUSE_SECONDS."""
    global _away_until
    if time.monotonic() < _away_until:
        raise RedisAway
    try:
        yield get_redis_connection("default")
    except RedisError as error:
        _away_until = time.monotonic() + PAUSE_SECONDS
        log.warning("redis_away", kind=type(error).__name__)
        raise
