"""The embedded Siebel: the apps' business services in process, on this database, with the wire's text values."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from loyalty import errors
from loyalty.models import SiebelRequest
from loyalty.siebel import Arguments, Reply

Method = Callable[..., Reply]
_METHODS: dict[tuple[str, str], Method] = {}
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class AlreadyDone(Exception):
    """Another request with this RequestId was first; its reply is the answer."""


class Void(Exception):
    """Somebody was told that the write of this RequestId will not be done."""


def business_service(service: str, method: str) -> Callable[[Method], Method]:
    """Register a function for a service and method; `CardNumber` on the wire is its argument `card_number`."""

    def register(function: Method) -> Method:
        if (service, method) in _METHODS:
            raise ValueError(f"{service}.{method} is there twice.")
        _METHODS[service, method] = function
        return function

    return register


def call(service: str, method: str, arguments: Arguments) -> Reply:
    """Answer as Siebel would: `ResponseCode` is `"0"` or the code of the refusal. Raises SiebelTimeout, Void."""
    request_id = arguments.get("RequestId")
    if request_id and (done := _reply_of(request_id)):
        return done
    try:
        reply = _METHODS[service, method](**{argument_of(name): value for name, value in arguments.items()})
    except errors.SiebelTimeout:
        raise
    except errors.Refusal as refusal:
        if request_id and (done := _reply_of(request_id)):  # by another request, which is why this one was refused
            return done
        return {"ResponseCode": str(refusal.code), "ResponseDescription": refusal.message}
    except AlreadyDone:
        reply = _reply_of(request_id or "") or {}
    return {"ResponseCode": "0", "ResponseDescription": "", **reply}


def remember(request_id: str, service: str, method: str, reply: dict[str, Any]) -> dict[str, Any]:
    """Keep a write's reply under its RequestId, in the transaction of the write itself. Raises AlreadyDone, Void."""
    row, created = SiebelRequest.objects.get_or_create(
        request_id=request_id, defaults={"service": service, "method": method, "reply": reply}
    )
    if row.is_void:
        raise Void
    if not created:
        raise AlreadyDone
    return reply


def outcome_of(request_id: str) -> dict[str, Any] | None:
    """The reply of a write that was done; None for one that was not and from now on never will be."""
    void = {"service": "", "method": "", "reply": {}, "is_void": True}
    row, _ = SiebelRequest.objects.get_or_create(request_id=request_id, defaults=void)
    return None if row.is_void else row.reply


def methods() -> Iterable[tuple[str, str]]:
    """Every service and method that is there."""
    return _METHODS.keys()


def _reply_of(request_id: str) -> Reply | None:
    row = SiebelRequest.objects.filter(request_id=request_id).first()
    if row is None:
        return None
    if row.is_void:
        raise Void
    return {"ResponseCode": "0", "ResponseDescription": "", **row.reply}


def argument_of(name: str) -> str:
    """The argument that a field of the wire is for a method: `card_number` for `CardNumber`."""
    return _WORD.sub("_", name).lower()
