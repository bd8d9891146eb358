"""One exchange with the Siebel server: kept connections, so many at a time, cut off at the deadline."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http import cookiejar

import requests
import structlog
from django.conf import settings

from loyalty import outgoing
from loyalty.outgoing import Answer
from loyalty.siebel_rest import wire

MAX_ANSWER = 1024 * 1024


class Busy(outgoing.NotSent):
    """SIEBEL_MAX_CONNECTIONS calls are under way. Nobody waits: his thread answers others meanwhile."""


@lru_cache(maxsize=1)
def _session(process: int, connections: int) -> requests.Session:
    """One a process: a forked one must not talk on its parent's connections."""
    session = requests.Session()
    session.trust_env, session.verify = False, settings.SIEBEL_CA_FILE or True
    session.cookies.set_policy(cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    session.headers = requests.structures.CaseInsensitiveDict(
        {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, outgoing.Adapter(pool_connections=1, pool_maxsize=connections))
    return session


@lru_cache(maxsize=1)
def _slots(process: int, connections: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(connections)


@contextmanager
def slot() -> Iterator[None]:
    """One of the calls that a process makes at a time. Raises Busy."""
    slots = _slots(os.getpid(), settings.SIEBEL_MAX_CONNECTIONS)
    if not slots.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        slots.release()


def post(service: str, method: str, content: bytes, *, authorization: str, seconds: float) -> Answer:
    """Raises NotSent, NoAnswer, TimedOut, wire.Doubtful."""
    session = _session(os.getpid(), settings.SIEBEL_MAX_CONNECTIONS)
    with outgoing.timed(seconds) as call:
        return _post(session, wire.url(service, method), content, authorization, seconds, call)


def _post(
    session: requests.Session, url: str, content: bytes, authorization: str, seconds: float, call: outgoing.Call
) -> Answer:
    headers = {"Authorization": authorization}
    if request_id := structlog.contextvars.get_contextvars().get("request_id"):
        headers["X-Request-ID"] = request_id
    with session.post(
        url,
        data=content,
        headers=headers,
        timeout=(min(settings.SIEBEL_CONNECT_SECONDS, seconds), seconds),
        allow_redirects=False,
        stream=True,
    ) as response:
        answer: bytes = response.raw.read(MAX_ANSWER + 1, decode_content=False)
        if call.over:
            raise requests.Timeout("Cut off.")
        if len(answer) > MAX_ANSWER:
            raise wire.Doubtful("an answer of more than 1 MiB")
        return Answer(response.status_code, answer)
