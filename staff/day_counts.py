"""How much there was of something on each of the last days: days long over are counted once and kept."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from staff.models import DayCount

DAYS = 14
STILL_MOVES = timedelta(days=1)


def per_day(name: str, rows: QuerySet[Any], moment: str) -> Mapping[date, int]:
    """`moment` is the rows' column, which must lead an index of them. Today and yesterday are counted each time."""
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    kept = dict(DayCount.objects.filter(name=name, day__gte=days[0]).values_list("day", "count"))
    missing = [day for day in days if day not in kept]
    since = timezone.make_aware(datetime.combine(missing[0], time.min))
    found: dict[Any, int] = dict(
        rows.filter(**{f"{moment}__gte": since})
        .order_by()
        .annotate(day=TruncDate(moment))
        .values("day")
        .annotate(count=Count("*"))
        .values_list("day", "count")
    )
    counts = {day: kept.get(day, found.get(day, 0)) for day in days}
    final = [DayCount(name=name, day=day, count=counts[day]) for day in missing if day < today - STILL_MOVES]
    if final:
        DayCount.objects.bulk_create(final, ignore_conflicts=True)
    return counts
