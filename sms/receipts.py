"""Delivery receipts: what became of messages, told by the gateway afterwards. No part of the API.

They are not signed, so the path has a key in it that nobody guesses, and the addresses that they come from are listed.
"""

import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from loyalty import callers, errors
from sms import settlement

log = structlog.get_logger()
MOST = 1000
# What a receipt says: our reference, whether it was delivered, and the gateway's word for that.
Receipt = tuple[Any, Any, Any]
_READERS: dict[str, Callable[[Mapping[str, Any]], Receipt]] = {
    "http": lambda receipt: (receipt.get("reference"), receipt.get("delivered"), receipt.get("reason")),
    "aliyun": lambda receipt: (receipt.get("out_id"), receipt.get("success"), receipt.get("err_code")),
}


@csrf_exempt
@require_POST
def page(request: HttpRequest, key: str, gateway: str) -> JsonResponse:
    """Answers `{"code": 0}` once everything is written down; a receipt that comes again changes nothing."""
    known = settings.SMS_RECEIPT_KEY and hmac.compare_digest(key.encode(), settings.SMS_RECEIPT_KEY.encode())
    if not known or gateway not in _READERS:
        raise errors.NotFound({"path": ["Nothing is there."]})
    if not callers.within(callers.connecting_address(request), tuple(settings.SMS_RECEIPT_NETWORKS)):
        raise errors.AccessDenied
    outcomes = _outcomes(request.body, _READERS[gateway])
    if outcomes is None:
        return JsonResponse(
            {"code": 1, "msg": f"Not an array of at most {MOST} receipts."}, status=HTTPStatus.BAD_REQUEST
        )
    settled = settlement.of_receipts(outcomes)
    log.info("receipts", gateway=gateway, receipts=len(outcomes), settled=settled)
    return JsonResponse({"code": 0, "msg": "OK"})


def _outcomes(body: bytes, read: Callable[[Mapping[str, Any]], Receipt]) -> dict[str, str | None] | None:
    """By reference, None for delivered, else why not; of what is no receipt nothing. None where it is no array."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, list) or len(said) > MOST:
        return None
    outcomes: dict[str, str | None] = {}
    for reference, delivered, reason in (read(receipt) for receipt in said if isinstance(receipt, dict)):
        if isinstance(delivered, bool) and (name := _uuid(reference)):
            outcomes[name] = None if delivered else str(reason)
    return outcomes


def _uuid(text: Any) -> str:
    try:
        return str(uuid.UUID(text)) if isinstance(text, str) else ""
    except ValueError:
        return ""
