"""Whether a gateway is worth a call. After some failures in a row it is left alone, but for one probe a pause.

Kept in the database, so that all workers know it.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F
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
    if alive:
        _went_well(gateway)
    else:
        _failed(gateway)


def _failed(gateway: str) -> None:
    Line.objects.bulk_create([Line(gateway=gateway)], ignore_conflicts=True)
    line = Line.objects.filter(pk=gateway)
    line.update(failures=F("failures") + 1, closed_until=timezone.now() + _pause())
    if line.filter(failures=FAILURES).exists():
        log.error("gateway_left_alone", gateway=gateway, failures=FAILURES)


def _went_well(gateway: str) -> None:
    failing = Line.objects.filter(pk=gateway, failures__gt=0)
    failures = failing.values_list("failures", flat=True).first() or 0
    if not failures or not failing.update(failures=0, closed_until=None) or failures < FAILURES:
        return
    log.warning("gateway_is_back", gateway=gateway)
    now = timezone.now()
    waiting = Message.objects.filter(channel=Channel.SMS, state=Message.State.QUEUED, due_at__gt=now)
    waiting.update(due_at=now, published_at=None)


def _pause() -> timedelta:
    return timedelta(seconds=settings.SMS_GATEWAY_PAUSE_SECONDS)
