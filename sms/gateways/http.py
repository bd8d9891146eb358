"""The retailer's own signed gateway; docs/sms-gateway.md has its wire format, `manage.py smsserver` speaks it."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from loyalty import errors
from sms.gateways import remote
from sms.gateways.verdicts import Accepted, Refused, ShortMessage, Verdict

_REFUSALS = {
    refusal.code: refusal
    for refusal in (
        errors.WrongAccessKey,
        errors.MissingParams,
        errors.WrongSign,
        errors.WrongParams,
        errors.WrongCaptcha,
        errors.FrequentSend,
        errors.SendFailed,
        errors.MissingNo,
        errors.MissingMsg,
    )
}
# That it has no fault of its own to send, or that the phone is the trouble, nobody has to look at.
_EVERYDAY = (errors.WrongParams, errors.FrequentSend, errors.SendFailed)


class HttpGateway:
    keeps_texts = False

    def send(self, message: ShortMessage) -> Verdict:
        return remote.send(self, message)

    def call(self, message: ShortMessage) -> remote.Call:
        fields = {
            "accessKey": settings.SMS_ACCESS_KEY,
            "timestamp": str(int(time.time())),
            "nonce": secrets.token_hex(16),
            "phone": message.phone,
            "text": message.text,
            "reference": message.reference,
        }
        body = urlencode({**fields, "sign": sign(fields, settings.SMS_SECRET_KEY)}).encode()
        return remote.Call(settings.SMS_URL, {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def verdict(self, answer: Mapping[str, Any]) -> Verdict | None:
        code = answer.get("code")
        if not isinstance(code, int) or isinstance(code, bool):
            return None
        if code == 0:
            return Accepted(str(answer.get("messageId", "")))
        refusal = _REFUSALS.get(code, errors.SendFailed)
        return Refused(refusal, reason=str(code), alarm=refusal not in _EVERYDAY or code not in _REFUSALS)


def sign(fields: Mapping[str, str], secret: str) -> str:
    """HMAC-SHA256 over the fields in the order of their names, percent-encoded as RFC 3986 has it."""
    query = "&".join(f"{quote(name, safe='')}={quote(fields[name], safe='')}" for name in sorted(fields))
    return hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
