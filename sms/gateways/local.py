"""The local gateway: a file instead of a telephone network."""

import fcntl
import json
import os

from django.conf import settings
from django.utils import timezone

from loyalty import errors
from sms.gateways.verdicts import Accepted, Refused, ShortMessage, Unreached, Verdict


class LocalGateway:
    """Appends one JSON object a message to SMS_OUTBOX_FILE instead of sending it: for development and demonstration.

    Some numbers are refused, each with the code that its last five digits name, so that clients can try every case.
    """

    keeps_texts = False
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

    def send(self, message: ShortMessage) -> Verdict:
        if message.phone in self.FAULTS:
            return Refused(self.FAULTS[message.phone], reason="A number that is refused on purpose.")
        entry = {
            "to": message.phone,
            "template": message.template,
            "text": message.text,
            "reference": message.reference,
            "at": timezone.now().isoformat(),
        }
        try:
            self._append(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError:
            return Unreached("The file can't be written.")
        return Accepted(message.reference)

    def _append(self, line: str) -> None:
        path = settings.SMS_OUTBOX_FILE
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as outbox:
            fcntl.flock(outbox, fcntl.LOCK_EX)
            outbox.write(line)
