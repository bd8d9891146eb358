"""What the gateways that are reached over HTTP have in common: one call, and what an answer without sense means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from django.conf import settings

from loyalty import errors, outgoing
from sms.gateways.verdicts import Refused, ShortMessage, Unknown, Unreached, Verdict


@dataclass(frozen=True)
class Call:
    """A POST, signed."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Api(Protocol):
    """A provider's own: how a message is put, and what its answer means; None for one that it can't have meant."""

    def call(self, message: ShortMessage) -> Call: ...

    def verdict(self, answer: Mapping[str, Any]) -> Verdict | None: ...


def send(api: Api, message: ShortMessage) -> Verdict:
    """Send once; never raises for what the outside does."""
    call = api.call(message)
    try:
        answer = outgoing.post(call.url, body=call.body, headers=call.headers, seconds=settings.SMS_GATEWAY_SECONDS)
    except outgoing.NotSent as error:
        return Unreached(f"Not connected ({error}).")
    except outgoing.NoAnswer as error:
        return Unknown(f"No answer ({error}).")
    said = _object(answer.body)
    return (api.verdict(said) if said else None) or _by_status(answer.status)


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _by_status(status: int) -> Verdict:
    reason = f"HTTP {status} without a code."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unreached(reason)
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return Unknown(reason)
    return Refused(errors.SendFailed, reason=reason, alarm=True)
