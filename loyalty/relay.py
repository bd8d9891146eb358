"""The relay: what requests wrote down to be done is handed to Celery, by a process of its own.

A request never talks to the broker. It writes a row and rings a bell in Redis; the relay hears the bell, or looks once
a second without one, asks each source for rows that are due, and publishes their ids. A source may be asked twice for
the same row, and the task that it names may run twice: both do no harm.
"""

import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from celery import Task
from django.db import close_old_connections
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from loyalty.redis_store import redis

log = structlog.get_logger()
BELL = "relay:bell"
# A source claims the rows that are due and answers their ids; PutBack undoes the claim of what was not published.
Claim = Callable[[], list[int]]
PutBack = Callable[[list[int]], None]
_SOURCES: list[tuple[Task, Claim, PutBack]] = []


def source(task: Task, claim: Claim, put_back: PutBack) -> None:
    """Register where work comes from and the task that does one row of it."""
    _SOURCES.append((task, claim, put_back))


def ring() -> None:
    """Tell the relay that there is something to do; should nobody hear, it looks by itself within a second."""
    with suppress(RedisError), redis() as connection:
        bell = connection.pipeline()
        bell.lpush(BELL, 1)
        bell.ltrim(BELL, 0, 0)
        bell.execute()


def sweep() -> int:
    """Publish everything that is due, once; answer how many tasks that were."""
    published = 0
    for task, claim, put_back in _SOURCES:
        ids = claim()
        for position, row in enumerate(ids):
            try:
                task.apply_async((row,))
            except Exception as error:  # whatever the broker's client raises: the rows must not stay claimed
                log.warning("publish_failed", task=task.name, kind=type(error).__name__)
                put_back(ids[position:])
                break
            published += 1
    return published


def run(stopped: Callable[[], bool]) -> None:
    """Sweep until `stopped()`."""
    while not stopped():
        close_old_connections()
        try:
            while sweep():
                pass
        except Exception as error:
            log.error("sweep_failed", kind=type(error).__qualname__)
            time.sleep(1)
        _wait()


def _wait() -> None:
    try:
        get_redis_connection("default").blpop([BELL], timeout=0.7)
    except RedisError:
        time.sleep(0.7)
