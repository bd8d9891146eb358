"""Ways to send a short message, behind one small interface; the setting SMS_GATEWAY chooses."""

import fcntl
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from loyalty import errors


@dataclass(frozen=True)
class Accepted:
    """The gateway has taken it; `provider_id` is its own name for the message."""

    provider_id: str


@dataclass(frozen=True)
class Refused:
    """The gateway said no: it was not sent. `again`: the same may be accepted later."""

    refusal: type[errors.Refusal]
    again: bool = False


@dataclass(frozen=True)
class Unknown:
    """No answer: it may have been sent, so it is not sent again."""


Verdict = Accepted | Refused | Unknown


class Gateway(Protocol):
    def send(self, *, phone: str, template: str, text: str, reference: str) -> Verdict:
        """Send once; never raises for what the outside does."""


class LocalGateway:
    """Appends one JSON object a message to SMS_OUTBOX_FILE instead of sending it: for development and demonstration.

    Some numbers are refused, each with the code that its last five digits name, so that clients can try every case.
    """

    FAULTS = {
        f"130000{refusal.code}": refusal
        for refusal in (
            errors.WrongAccessKey,
            errors.MissingParams,
            errors.WrongSign,
            errors.WrongParams,
            errors.FrequentSend,
            errors.SendFailed,
        )
    }

    def send(self, *, phone: str, template: str, text: str, reference: str) -> Verdict:
        if phone in self.FAULTS:
            return Refused(self.FAULTS[phone])
        entry = {
            "to": phone,
            "template": template,
            "text": text,
            "reference": reference,
            "at": timezone.now().isoformat(),
        }
        try:
            self._append(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError:
            return Refused(errors.SendFailed, again=True)
        return Accepted(reference)

    def _append(self, line: str) -> None:
        path = settings.SMS_OUTBOX_FILE
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as outbox:
            fcntl.flock(outbox, fcntl.LOCK_EX)
            outbox.write(line)


@lru_cache
def _make(path: str) -> Gateway:
    gateway: Gateway = import_string(path)()
    return gateway


def chosen() -> Gateway:
    return _make(settings.SMS_GATEWAYS[settings.SMS_GATEWAY])
