"""The other end of the `http` gateway, for development and tests: it checks what docs/sms-gateway.md says, remembers
what it would have sent, and fails as it is told. `reference_server.py` is its way in.
"""

import hmac
import json
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from loyalty import errors, outgoing
from sms.gateways.http import sign

_FIELDS = ("accessKey", "timestamp", "nonce", "reference", "sign")
_CLOCK_SKEW = 300


@dataclass
class Fault:
    """`times`: how many messages it still hits. An empty name is no fault."""

    fault: str = ""
    times: int = 1
    seconds: float = 5.0
    code: int = 20002


class ReferenceGateway:
    def __init__(self, *, access_key: str, secret_key: str, receipts: str = "") -> None:
        self.access_key, self.secret_key, self.receipts = access_key, secret_key, receipts
        self.sent: list[dict[str, str]] = []
        self.calls = 0
        self.fault = Fault(times=0)
        self._ids: dict[str, str] = {}
        self._nonces: set[str] = set()
        self._lock = threading.Lock()

    def next_fault(self) -> Fault:
        """The fault that this call meets."""
        with self._lock:
            self.calls += 1
            if self.fault.times < 1:
                return Fault()
            self.fault.times -= 1
            return self.fault

    def take(self, fields: dict[str, str]) -> dict[str, Any]:
        """Check a message and remember it; the same reference again is answered as the first was, and sent no more."""
        with self._lock:
            if code := self._why_not(fields):
                return {"code": code, "message": errors.BY_CODE[code].message}
            self._nonces.add(fields["nonce"])
            reference = fields["reference"]
            if reference not in self._ids:
                self._ids[reference] = uuid.uuid4().hex
                self.sent.append({name: fields[name] for name in ("phone", "text", "reference")})
                if self.receipts:
                    threading.Thread(target=self._give_receipt, args=(reference,), daemon=True).start()
            return {"code": 0, "messageId": self._ids[reference]}

    def _why_not(self, fields: dict[str, str]) -> int:
        """The code of the refusal; 0 for none."""
        if not all(fields.get(name) for name in _FIELDS):
            return errors.MissingParams.code
        if fields["accessKey"] != self.access_key:
            return errors.WrongAccessKey.code
        rest = {name: value for name, value in fields.items() if name != "sign"}
        if not hmac.compare_digest(sign(rest, self.secret_key).encode(), fields["sign"].encode()):
            return errors.WrongSign.code
        stamp = fields["timestamp"]
        if not stamp.isdecimal() or abs(time.time() - int(stamp)) > _CLOCK_SKEW or fields["nonce"] in self._nonces:
            return errors.WrongSign.code
        if not fields.get("phone"):
            return errors.MissingNo.code
        if not fields.get("text"):
            return errors.MissingMsg.code
        return 0 if len(fields["phone"]) == 11 and fields["phone"].isdecimal() else errors.WrongParams.code

    def _give_receipt(self, reference: str) -> None:
        receipt = {"reference": reference, "messageId": self._ids[reference], "delivered": True, "reason": "DELIVERED"}
        told = {"Content-Type": "application/json"}
        with suppress(outgoing.NotSent, outgoing.NoAnswer):
            outgoing.post(self.receipts, body=json.dumps([receipt]).encode(), headers=told, seconds=5)
