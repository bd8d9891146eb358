"""`Idempotency-Key`: whoever sends a request again with the same key gets one effect, and the first answer for a day.

A row stands for each key of a caller and an operation. It is leased while the work is done, then holds the answer.
Where the process died in between, the lease runs out, and the next request with the key goes on (claims.py).
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from loyalty import claims, digests, errors
from loyalty.callers import Caller
from loyalty.models import IdempotencyKey

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,255}")  # two headers of one name arrive with a comma between them
_NOT_KEPT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)


class Replays(Enum):
    """Whose keys an operation honours."""

    NEVER = "nobody's"
    TO_KNOWN_CALLERS = "customers' and clients'"
    TO_ANYBODY = "everybody's"


def key_of(request: HttpRequest, caller: Caller, replays: Replays) -> str | None:
    """The key that was sent, None where there is none to honour. Raises ValidationError."""
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    known = caller.client is not None or caller.customer_id
    if key is None or replays is Replays.NEVER or not (known or replays is Replays.TO_ANYBODY):
        return None
    if not _KEY.fullmatch(key):
        raise errors.ValidationError({HEADER: ["1 to 255 visible ASCII characters but the comma; sent once."]})
    return key


def once(key: str, *, caller: Caller, operation: str, asked: Any, work: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer of `work`, which is done unless it was before. `asked` tells one request from another.

    Raises IdempotencyKeyReused where the key came with another request, RequestInProgress while it is being worked on.
    """
    row = _claimed_or_answered(key, _name_of(caller), operation, json.dumps(asked, sort_keys=True, default=str))
    if kept := claims.unsealed(row, row.answer):
        return _replay(kept)
    claim = claims.Claim(row)
    with claims.working_on(claim):
        response = work()
    if _is_final(response):
        claim.answer(_written_down(response))
    else:
        claim.release()
    return response


def sweep() -> None:
    """Forget the keys whose day is over."""
    IdempotencyKey.objects.filter(created_at__lte=timezone.now() - KEPT).delete()


def _claimed_or_answered(key: str, caller: str, operation: str, asked: str) -> IdempotencyKey:
    """The key's row: with its answer, or leased to us."""
    now = timezone.now()
    until = now + timedelta(seconds=settings.IDEMPOTENCY_LEASE_SECONDS)
    row, is_new = IdempotencyKey.objects.get_or_create(
        digest=hashlib.sha256("\x1f".join((caller, operation, key)).encode()).hexdigest(),
        defaults={
            "caller": caller,
            "operation": operation,
            "fingerprint": digests.keyed("idempotency", asked),
            "reference": uuid.uuid4(),
            "leased_until": until,
        },
    )
    if is_new:
        return row
    if row.created_at <= now - KEPT:
        row.delete()
        return _claimed_or_answered(key, caller, operation, asked)
    if not digests.matches(row.fingerprint, "idempotency", asked):
        raise errors.IdempotencyKeyReused({HEADER: ["It came with another request before."]})
    if row.answer:
        return row
    free = IdempotencyKey.objects.filter(pk=row.pk, runs=row.runs, answer="", leased_until__lte=now)
    if not free.update(runs=row.runs + 1, leased_until=until):
        raise errors.RequestInProgress
    return IdempotencyKey.objects.get(pk=row.pk)  # the run before us may have got on since we looked


def _name_of(caller: Caller) -> str:
    if caller.client is None:
        return f"customer {caller.customer_id}" if caller.customer_id else "anybody"
    return f"client {caller.client.pk}" + (f" for {caller.customer_id}" if caller.customer_id else "")


def _is_final(response: HttpResponse) -> bool:
    """Not "who are you", not "later", not a crash."""
    status = response.status_code
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _NOT_KEPT and "Retry-After" not in response


def _written_down(response: HttpResponse) -> dict[str, Any]:
    body = JSONRenderer().render(response.data) if isinstance(response, Response) else response.content
    headers = {name: value for name, value in response.items() if name != "Content-Type"}
    return {"status": response.status_code, "headers": headers, "body": body.decode()}


def _replay(kept: Mapping[str, Any]) -> HttpResponse:
    headers = {**kept["headers"], REPLAYED: "true"}
    return HttpResponse(kept["body"], status=kept["status"], content_type="application/json", headers=headers)
