"""The outcome ledger: a row for each write, made before it is sent. What is not known is asked for, never guessed.

A write that had no effect is `refused`, whether Siebel said so or never got it; the same work tried again then has a
RequestId of its own. Siebel promises (GetOutcome) that what it calls not done never will be.
"""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from loyalty import errors, siebel
from loyalty.models import SiebelWrite
from loyalty.siebel import Reply

log = structlog.get_logger()
State = SiebelWrite.State
SERVICE, METHOD = "Loyalty Request", "GetOutcome"
FORGOTTEN_AFTER = timedelta(seconds=60)  # whoever sent it is gone
_PAUSE = timedelta(seconds=60)
_AT_A_TIME = 200
_MANY_ASKS = 4


def request_ids(first: str) -> Iterator[str]:
    """The RequestIds under which a piece of work is sent, each after the one before had no effect."""
    yield first
    for number in count(1):
        yield hashlib.sha256(f"{first}\x1f{number}".encode()).hexdigest()


def begin(request_id: str, service: str, method: str, trace_id: str) -> str:
    """Note that a write is about to be sent; answers `""`, or the state of the row that is there already."""
    row, is_new = SiebelWrite.objects.get_or_create(
        request_id=request_id, defaults={"service": service, "method": method, "trace_id": trace_id}
    )
    return "" if is_new else row.state


def end(request_id: str, state: str) -> None:
    """What is known of it now; what was known before stays."""
    settled_at = None if state == State.UNKNOWN else timezone.now()
    _open().filter(request_id=request_id).update(state=state, settled_at=settled_at)


def question(request_id: str) -> dict[str, str]:
    return {"OfRequestId": request_id}


def done_reply(answer: Reply) -> Reply | None:
    """The first reply of a write that was done, as GetOutcome tells it; None for one that never will be."""
    if answer["Outcome"] == "Done":
        return {"ResponseCode": "0", **(answer.get("Reply") or [{}])[0]}
    if answer["Outcome"] == "NotDone":
        return None
    raise errors.SiebelUnavailable


def settle() -> None:
    """Ask Siebel what became of the writes that nobody knows of, until it does not answer; once a minute for each."""
    if settings.SIEBEL_TRANSPORT != "rest":
        return  # rows of an earlier setting: nobody else knows of them
    now = timezone.now()
    due = _open().filter(Q(state=State.UNKNOWN) | Q(sent_at__lt=now - FORGOTTEN_AFTER)).filter(ask_at__lte=now)
    for row in due.order_by("ask_at")[:_AT_A_TIME]:
        asked = {"state": State.UNKNOWN, "asks": F("asks") + 1, "ask_at": now + _PAUSE}
        if not _open().filter(pk=row.pk, asks=row.asks).update(**asked):
            continue  # somebody else asks
        try:
            reply = done_reply(siebel.call(SERVICE, METHOD, question(row.request_id)))
        except (errors.SiebelUnavailable, errors.SiebelTimeout) as refusal:
            say = log.error if row.asks >= _MANY_ASKS else log.warning
            say("siebel_write_unsettled", siebel_request=row.request_id, asks=row.asks + 1, reason=refusal.reason)
            break
        end(row.request_id, State.REFUSED if reply is None else State.DONE)


def _open() -> QuerySet[SiebelWrite]:
    return SiebelWrite.objects.filter(state__in=(State.SENT, State.UNKNOWN))
