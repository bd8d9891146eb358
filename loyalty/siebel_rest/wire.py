"""How Siebel's REST writes: names and arguments out, replies and errors in."""

import json
import re
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import quote

import structlog
from django.conf import settings

from loyalty import errors
from loyalty.siebel import Arguments

log = structlog.get_logger()
_SBL = re.compile(r"SBL-[A-Z]{3}-[0-9]+", re.ASCII)


class NotDone(Exception):
    """Siebel refused the call before it did anything. `status` is what it answered."""

    def __init__(self, status: int, codes: list[str]) -> None:
        super().__init__(f"{status} {' '.join(codes)}".strip())
        self.status = status


class Doubtful(Exception):
    """An error, or an answer that is none: a write may have been done. `busy`: something before Siebel answered."""

    def __init__(self, text: str, *, busy: bool = False) -> None:
        super().__init__(text)
        self.busy = busy


class Reply(dict[str, Any]):
    """Outputs under Siebel's names, text or lists of children. One that must be there and is not is no answer."""

    def __missing__(self, name: str) -> NoReturn:
        log.error("siebel_output_missing", output=name)
        raise errors.SiebelUnavailable


def names(service: str, method: str) -> tuple[str, str]:
    """What this Siebel calls a service and method: SIEBEL_SERVICES renames either, or a single method."""
    renamed: dict[str, str] = settings.SIEBEL_SERVICES
    if one := renamed.get(f"{service}.{method}"):
        own_service, _, own_method = one.rpartition(".")
        return own_service, own_method
    return renamed.get(service, service), method


def url(service: str, method: str) -> str:
    own_service, own_method = names(service, method)
    return f"{settings.SIEBEL_URL}/siebel/v1.0/service/{quote(own_service, safe='')}/{quote(own_method, safe='')}"


def body(arguments: Arguments) -> bytes:
    """A null would blank a field, so what is None is left out."""
    given = {name: value for name, value in arguments.items() if value is not None}
    return json.dumps({"body": given}, ensure_ascii=False, separators=(",", ":")).encode()


def read(status: int, content: bytes) -> Reply:
    """The reply, `ResponseCode` included. Raises NotDone, Doubtful."""
    if status == HTTPStatus.NO_CONTENT:
        return Reply(ResponseCode="0")
    said = _object(content)
    codes = _SBL.findall(said["ERROR"]) if said and isinstance(said.get("ERROR"), str) else []
    if code := next((settings.SIEBEL_CODES[sbl] for sbl in codes if sbl in settings.SIEBEL_CODES), None):
        return Reply(ResponseCode=code)
    if status == HTTPStatus.OK and said is not None and "ERROR" not in said:
        reply = _normalised(said)
        if isinstance(reply.get("ResponseCode"), str):
            return reply
        raise Doubtful("200 without a ResponseCode")
    late = status == HTTPStatus.REQUEST_TIMEOUT
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR and not late:
        raise NotDone(status, codes)
    busy = late or status > HTTPStatus.INTERNAL_SERVER_ERROR
    raise Doubtful(f"{status} {' '.join(codes) or 'without a code'}", busy=busy)


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _normalised(said: dict[str, Any]) -> Reply:
    """Text stays; one child becomes a list of one; a null is as good as left out."""
    return Reply((name, _value(value)) for name, value in said.items() if value is not None)


def _value(value: Any) -> Any:
    match value:
        case str():
            return value
        case bool():
            return "Y" if value else "N"
        case int() | float():
            return str(value)
        case dict():
            return [_normalised(value)]
        case list():
            return [_normalised(child) if isinstance(child, dict) else _value(child) for child in value]
    raise Doubtful("an output that is no text")
