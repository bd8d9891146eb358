"""Aliyun's Dysmsapi, signed as its V3 has it (ACS3-HMAC-SHA256). Its text is a template that it has approved.

https://help.aliyun.com/document_detail/55284.html, …/document_detail/101346.html (codes).
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from loyalty import errors
from sms.gateways import remote
from sms.gateways.verdicts import Accepted, Refused, ShortMessage, Verdict

URL = "https://dysmsapi.aliyuncs.com/"
_CODES: dict[str, Refused] = {}


def _codes(refused: Refused, *codes: str) -> None:
    _CODES.update(dict.fromkeys(codes, refused))


_codes(Refused(errors.FrequentSend), "isv.BUSINESS_LIMIT_CONTROL")
_codes(
    Refused(errors.SendFailed, alarm=True),
    "isv.DAY_LIMIT_CONTROL",
    "isv.MONTH_LIMIT_CONTROL",
    "isv.OUT_OF_SERVICE",
    "isv.AMOUNT_NOT_ENOUGH",
)
_codes(Refused(errors.WrongParams), "isv.MOBILE_NUMBER_ILLEGAL")
_codes(Refused(errors.MissingParams, alarm=True), "isv.TEMPLATE_MISSING_PARAMETERS")
_codes(
    Refused(errors.WrongParams, alarm=True),
    "isv.INVALID_PARAMETERS",
    "isv.INVALID_JSON_PARAM",
    "isv.PARAM_LENGTH_LIMIT",
    "isv.SMS_TEMPLATE_ILLEGAL",
    "isv.SMS_SIGNATURE_ILLEGAL",
)
_codes(Refused(errors.WrongSign, alarm=True), "SignatureDoesNotMatch", "IncompleteSignature")
_codes(Refused(errors.WrongAccessKey, alarm=True), "InvalidAccessKeyId.NotFound", "isp.RAM_PERMISSION_DENY")
_codes(Refused(errors.SendFailed, again=True), "isp.SYSTEM_ERROR", "Throttling")


class AliyunGateway:
    keeps_texts = True

    def send(self, message: ShortMessage) -> Verdict:
        return remote.send(self, message)

    def call(self, message: ShortMessage) -> remote.Call:
        query = canonical_query(
            {
                "PhoneNumbers": message.phone,
                "SignName": settings.SMS_SIGN_NAME,
                "TemplateCode": message.provider_code,
                "TemplateParam": json.dumps(message.variables, ensure_ascii=False),
                "OutId": message.reference,
            }
        )
        url = settings.SMS_URL or URL
        headers = {
            "host": urlsplit(url).netloc,
            "x-acs-action": "SendSms",
            "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-version": "2017-05-25",
        }
        headers["Authorization"] = authorization(query, headers, settings.SMS_ACCESS_KEY, settings.SMS_SECRET_KEY)
        return remote.Call(f"{url}?{query}", headers, b"")

    def verdict(self, answer: Mapping[str, Any]) -> Verdict | None:
        code = answer.get("Code")
        if not isinstance(code, str):
            return None
        if code == "OK":
            return Accepted(str(answer.get("BizId", "")))
        known = _CODES.get(code) or _CODES.get(code.partition(".")[0])  # Throttling.User and the like
        known = known or Refused(errors.SendFailed, alarm=True)
        return Refused(known.refusal, again=known.again, alarm=known.alarm, reason=code)


def canonical_query(arguments: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(arguments[name], safe='')}" for name in sorted(arguments))


def authorization(query: str, headers: Mapping[str, str], key: str, secret: str) -> str:
    """For a POST to `/` without a body; every one of `headers`, their names in lower case, is signed."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    request = "\n".join(("POST", "/", query, lines, names, headers["x-acs-content-sha256"]))
    told = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), told.encode(), hashlib.sha256).hexdigest()
    return f"ACS3-HMAC-SHA256 Credential={key},SignedHeaders={names},Signature={signature}"
