"""How full the pool is and how long it lasts, kept from minute to minute: what came in less what left.

Departures are counted by day once they have settled, so each is counted once, and what is counted anew each minute is
what the last minutes brought.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from wechat.models import Batch, Departure, PoolDay, PoolLevel

log = structlog.get_logger()
SETTLED = timedelta(minutes=5)  # a departure is committed long before
FORECAST = timedelta(days=7)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.get_fixed_timezone(0))


@transaction.atomic
def measure(now: datetime) -> PoolLevel:
    """Count what has settled since the last time, and write down the level; a second one at once waits its turn."""
    PoolLevel.objects.bulk_create(
        [PoolLevel(pk=PoolLevel.ONLY, counted_until=_LONG_AGO, at=now)], ignore_conflicts=True
    )
    level = PoolLevel.objects.select_for_update().get(pk=PoolLevel.ONLY)
    until = max(now - SETTLED, level.counted_until)
    _count_by_day(level.counted_until, until)
    fresh = Departure.objects.filter(at__gte=until).count()
    came = Batch.objects.aggregate(cards=Sum("imported", default=0))["cards"]
    left = PoolDay.objects.aggregate(cards=Sum("departures", default=0))["cards"] + fresh
    pace = _per_day(now, fresh)
    was_low = level.is_low
    level.cards, level.counted_until, level.at = max(came - left, 0), until, now
    level.days_left = level.cards / pace if pace else None
    level.is_low = level.cards < settings.POOL_LOW_CARDS or (
        level.days_left is not None and level.days_left < settings.POOL_LOW_DAYS
    )
    level.save()
    if level.is_low and not was_low:
        log.error("pool_is_low", cards=level.cards, days_left=level.days_left)
    return level


def current() -> PoolLevel | None:
    """As of the last minute; nothing before the first."""
    return PoolLevel.objects.filter(pk=PoolLevel.ONLY).first()


class LevelMetrics:
    """For Prometheus, whichever process is asked."""

    def collect(self) -> Iterator[Metric]:
        level = current()
        if level is None:
            return
        yield GaugeMetricFamily("loyalty_pool_cards", "Pooled cards", value=level.cards)
        yield GaugeMetricFamily("loyalty_pool_low", "1 while the pool is low", value=level.is_low)
        if level.days_left is not None:
            yield GaugeMetricFamily("loyalty_pool_days_left", "Days that the pool lasts", value=level.days_left)


def _count_by_day(since: datetime, until: datetime) -> None:
    settled = Departure.objects.filter(at__gte=since, at__lt=until).annotate(day=TruncDate("at")).order_by()
    by_day = dict(settled.values("day").annotate(cards=Count("pk")).values_list("day", "cards"))
    PoolDay.objects.bulk_create([PoolDay(day=day) for day in by_day], ignore_conflicts=True)
    for day, cards in by_day.items():
        PoolDay.objects.filter(pk=day).update(departures=F("departures") + cards)


def _per_day(now: datetime, fresh: int) -> float:
    """Over the last days, or as many of them as there are."""
    days = PoolDay.objects.filter(day__gt=timezone.localdate(now - FORECAST))
    found = list(days.values_list("day", "departures"))
    first = min((day for day, _ in found), default=timezone.localdate(now))
    return (sum(cards for _, cards in found) + fresh) / ((timezone.localdate(now) - first).days + 1)
