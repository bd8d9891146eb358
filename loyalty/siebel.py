"""The one door to Siebel: `call`. Behind it stands one transport, chosen by the setting SIEBEL_TRANSPORT."""

import time
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from loyalty import claims, errors, metrics
from loyalty.callers import Caller

log = structlog.get_logger()
T = TypeVar("T")
Arguments = Mapping[str, Any]
Reply = Mapping[str, Any]
Transport = Callable[[str, str, Arguments], Reply]


class CircuitOpen(errors.SiebelUnavailable):
    """Siebel failed so often that it is left alone for a while: it was not asked."""


@lru_cache
def _transport(path: str) -> Transport:
    transport: Transport = import_string(path)
    return transport


def write(actor: str, trace_id: str) -> dict[str, str]:
    """The arguments of every write: a RequestId, whose repetition is answered with the first result, and who asks."""
    return {"RequestId": uuid.uuid4().hex, "Actor": actor, "TraceId": trace_id}


def change(service: str, method: str, customer_id: str, arguments: Arguments, *, caller: Caller) -> Reply:
    """Ask for a write to what a customer has. Raises what `call` raises."""
    return call(service, method, {**write(caller.actor, caller.request_id), "MemberNumber": customer_id, **arguments})


def call(service: str, method: str, arguments: Arguments) -> Reply:
    """Ask Siebel once; values are text, flags Y or N, as on its wire.

    A write for a request with an Idempotency-Key has the same RequestId each time that request is sent.
    Raises the refusal that Siebel named, SiebelUnavailable, or SiebelTimeout (outcome unknown), which no transport lets
    wait for longer than SIEBEL_DEADLINE_SECONDS. No database transaction may be open: a remote system answers when it
    likes.
    """
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise RuntimeError(f"{service}.{method} was called inside a database transaction.")
    if "RequestId" in arguments and (claim := claims.current()):
        arguments = {**arguments, "RequestId": claim.request_id(service, method)}
    started = time.monotonic()
    outcome = "failed"
    try:
        reply = _transport(settings.SIEBEL_TRANSPORTS[settings.SIEBEL_TRANSPORT])(service, method, arguments)
        code = reply["ResponseCode"]
        outcome = "done" if code == "0" else f"refused {code}"
    except errors.SiebelTimeout:
        outcome = "timeout"
        raise
    except errors.SiebelUnavailable:
        outcome = "unavailable"
        raise
    finally:
        seconds = time.monotonic() - started
        metrics.SIEBEL_SECONDS.labels(service, method, outcome.split()[0]).observe(seconds)
        log.info("siebel", service=service, method=method, outcome=outcome, ms=round(seconds * 1000, 1))
    if code != "0":
        raise _refusal(code)
    return reply


def readable(read: Callable[[Mapping[str, str]], T]) -> Callable[[Mapping[str, str]], T]:
    """For what reads a reply, or a child of one: where something is missing or malformed, Siebel has not answered."""

    @wraps(read)
    def reading(reply: Mapping[str, str]) -> T:
        try:
            return read(reply)
        except (LookupError, ValueError) as error:
            log.error("siebel_reply_unreadable", read=read.__qualname__, kind=type(error).__name__)
            raise errors.SiebelUnavailable from None

    return reading


def _refusal(code: str) -> errors.Refusal:
    """A code that is not in the catalogue is no answer that anybody could be given."""
    try:
        return errors.BY_CODE[int(code)]()
    except (KeyError, ValueError):
        log.error("siebel_code_unknown")
        return errors.SiebelUnavailable()
