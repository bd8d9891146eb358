"""Tencent Cloud SMS, signed as TC3-HMAC-SHA256 has it. Its text is a template that it has approved.

https://cloud.tencent.com/document/api/382/55981, …/document/api/382/59177 (codes).
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from loyalty import errors
from sms.gateways import remote
from sms.gateways.verdicts import Accepted, Refused, ShortMessage, Verdict

URL = "https://sms.tencentcloudapi.com/"
# The beginning of a code, the longest that fits, and what it means.
_CODES = {
    "LimitExceeded": Refused(errors.FrequentSend),
    "LimitExceeded.App": Refused(errors.SendFailed, alarm=True),
    "LimitExceeded.DailyLimit": Refused(errors.SendFailed, alarm=True),
    "FailedOperation.InsufficientBalance": Refused(errors.SendFailed, alarm=True),
    "InvalidParameterValue.IncorrectPhoneNumber": Refused(errors.WrongParams),
    "InvalidParameterValue": Refused(errors.WrongParams, alarm=True),
    "FailedOperation.TemplateIncorrectOrUnapproved": Refused(errors.WrongParams, alarm=True),
    "FailedOperation.SignatureIncorrectOrUnapproved": Refused(errors.WrongParams, alarm=True),
    "MissingParameter": Refused(errors.MissingParams, alarm=True),
    "AuthFailure.SignatureFailure": Refused(errors.WrongSign, alarm=True),
    "AuthFailure.SignatureExpire": Refused(errors.WrongSign, alarm=True),
    "AuthFailure": Refused(errors.WrongAccessKey, alarm=True),
    "InternalError": Refused(errors.SendFailed, again=True),
    "RequestLimitExceeded": Refused(errors.SendFailed, again=True),
}


class TencentGateway:
    keeps_texts = True

    def send(self, message: ShortMessage) -> Verdict:
        return remote.send(self, message)

    def call(self, message: ShortMessage) -> remote.Call:
        url, now = settings.SMS_URL or URL, int(time.time())
        asked = {
            "PhoneNumberSet": [f"+86{message.phone}"],
            "SmsSdkAppId": settings.SMS_TENCENT_APP_ID,
            "SignName": settings.SMS_SIGN_NAME,
            "TemplateId": message.provider_code,
            "TemplateParamSet": list(message.variables.values()),
            "SessionContext": message.reference,
        }
        body = json.dumps(asked, ensure_ascii=False).encode()
        signed = {
            "content-type": "application/json; charset=utf-8",
            "host": urlsplit(url).netloc,
            "x-tc-action": "SendSms",
        }
        headers = {
            **signed,
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": settings.SMS_TENCENT_REGION,
            "X-TC-Timestamp": str(now),
            "Authorization": authorization("sms", body, signed, now, settings.SMS_ACCESS_KEY, settings.SMS_SECRET_KEY),
        }
        return remote.Call(url, headers, body)

    def verdict(self, answer: Mapping[str, Any]) -> Verdict | None:
        response = answer.get("Response")
        if not isinstance(response, dict):
            return None
        if isinstance(failure := response.get("Error"), dict):
            return _refused(str(failure.get("Code", "")))
        match response.get("SendStatusSet"):
            case [{"Code": "Ok", **rest}]:
                return Accepted(str(rest.get("SerialNo", "")))
            case [{"Code": str(code)}]:
                return _refused(code)
        return None


def _refused(code: str) -> Refused:
    fitting = [start for start in _CODES if code.startswith(start)]
    known = _CODES[max(fitting, key=len)] if fitting else Refused(errors.SendFailed, alarm=True)
    return Refused(known.refusal, again=known.again, alarm=known.alarm, reason=code)


def authorization(service: str, body: bytes, headers: Mapping[str, str], now: int, key: str, secret: str) -> str:
    """For a POST to `/`; every one of `headers`, their names in lower case, is signed."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].lower()}\n" for name in sorted(headers))
    request = "\n".join(("POST", "/", "", lines, names, hashlib.sha256(body).hexdigest()))
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/tc3_request"
    told = f"TC3-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    derived = f"TC3{secret}".encode()
    for part in (*scope.split("/"), told):
        derived = hmac.new(derived, part.encode(), hashlib.sha256).digest()
    return f"TC3-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={derived.hex()}"
