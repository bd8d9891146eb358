"""Whether a gateway is worth a call. After some failures in a row it is left alone, but for one probe a pause.

Kept in the database, so that all workers know it.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from sms.models import Channel, Line, Message

log = structlog.get_logger()
FAILURES = 3


def seconds_to_wait(gateway: str) -> float:
    """0: call it now, and `note` how that went. Of those who ask once the pause is over, one hears 0."""
    line = Line.objects.filter(pk=gateway, failures__gte=FAILURES).first()
    if line is None or line.closed_until is None:
        return 0
    now = timezone.now()
    left = (line.closed_until - now).total_seconds()
    if left > 0:
        return left
    free = Line.objects.filter(pk=gateway, closed_until=line.closed_until)
    return 0 if free.update(closed_until=now + _pause()) else _pause().total_seconds()


def note(gateway: str, *, alive: bool) -> None:
    """How a call went. The first that went well after a pause makes everything that waits due."""
    if not alive:
        closed_until = timezone.now() + _pause()
        if not Line.objects.filter(pk=gateway).update(failures=F("failures") + 1, closed_until=closed_until):
            Line.objects.bulk_create([Line(gateway=gateway)], ignore_conflicts=True)
            Line.objects.filter(pk=gateway).update(failures=F("failures") + 1, closed_until=closed_until)
        if Line.objects.filter(pk=gateway, failures=FAILURES).exists():
            log.error("gateway_left_alone", gateway=gateway, failures=FAILURES)
        return
    was_closed = Q(failures__gte=FAILURES)
    if Line.objects.filter(was_closed, pk=gateway).update(failures=0, closed_until=None):
        log.warning("gateway_is_back", gateway=gateway)
        waiting = Message.objects.filter(channel=Channel.SMS, state=Message.State.QUEUED)
        waiting.filter(due_at__gt=timezone.now()).update(due_at=timezone.now(), published_at=None)
    else:
        Line.objects.filter(pk=gateway, failures__gt=0).update(failures=0)


def _pause() -> timedelta:
    return timedelta(seconds=settings.SMS_GATEWAY_PAUSE_SECONDS)
