"""Limits that guard a secret or cost money: kept in the database, exact under any number of callers, counted first.

An attempt is written down before it is judged, in a transaction of its own, so a refused or crashed request stays
counted. What turned out well is given back.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from loyalty import digests, errors
from loyalty.models import Budget

DAY = 86_400
HOUR = 3_600


@dataclass(frozen=True)
class Window:
    """At most `limit` attempts in any `seconds` running."""

    seconds: int
    limit: int


@dataclass(frozen=True)
class Limit:
    """What one subject may spend: every window must have room; an empty subject is not limited.

    `ever` caps the total until staff clear it. `lock` (first, longest seconds) locks a subject whose windows are full,
    twice as long each time.
    """

    kind: str
    subject: str
    windows: Sequence[Window]
    ever: int | None = None
    lock: tuple[int, int] | None = None

    @property
    def key(self) -> str:
        return key_of(self.kind, self.subject)


@dataclass(frozen=True)
class Attempt:
    """One attempt that was let through and counted for each of its keys."""

    keys: Sequence[str]
    at: float

    def give_back(self, *, forgiven: bool = False) -> None:
        """It was no failure: as if it had not been made. `forgiven`: its success ends a row of failures, too."""
        with transaction.atomic(durable=True):
            for budget in _locked(self.keys):
                if self.at not in budget.hits:
                    continue
                budget.hits.remove(self.at)
                budget.total = 0 if forgiven else max(budget.total - 1, 0)
                if budget.locked_at == self.at:  # it was this attempt that filled the window
                    budget.locked_until, budget.locked_at, budget.locks = 0, 0, max(budget.locks - 1, 0)
                budget.save(update_fields=["hits", "total", "locks", "locked_until", "locked_at"])


def scaled(limit: int) -> int:
    """A limit per address, per client or over all, times LIMITS_SCALE."""
    return max(1, round(limit * float(settings.LIMITS_SCALE)))


def key_of(kind: str, subject: str) -> str:
    """A digest, so that no phone, card or name stands in a table of attempts; a new pepper in front changes none."""
    return digests.keyed_for_ever("budget", kind, subject)


def take(limits: Sequence[Limit], refusal: type[errors.Refusal]) -> Attempt:
    """Count an attempt in each of the limits, or in none.

    Raises `refusal`, with the seconds to wait, where one of them is spent.
    """
    now = round(time.time(), 3)
    by_key = {limit.key: limit for limit in limits if limit.subject}
    while (wait := _try(by_key, now)) is None:  # made while nothing is locked: nobody waits for each other
        fresh = [Budget(key=key, is_permanent=by_key[key].ever is not None) for key in sorted(by_key)]
        Budget.objects.bulk_create(fresh, ignore_conflicts=True)
    if wait:
        raise refusal(retry_after=wait)
    return Attempt(tuple(by_key), now)


def _try(by_key: Mapping[str, Limit], now: float) -> float | None:
    """Count an attempt if every limit has room: 0, or the seconds to wait; None where a row is missing."""
    with transaction.atomic(durable=True):
        budgets = _locked(list(by_key))
        if len(budgets) < len(by_key):
            return None
        wait = max((_seconds_to_wait(budget, by_key[budget.key], now) for budget in budgets), default=0)
        if not wait:
            for budget in budgets:
                _count(budget, by_key[budget.key], now)
        return wait


@contextmanager
def attempt(
    limits: Sequence[Limit],
    refusal: type[errors.Refusal],
    *,
    kept_by: tuple[type[BaseException], ...] = (),
    kept_by_success: bool = False,
) -> Iterator[None]:
    """Count an attempt while the block judges it; given back unless it ends as `kept_by` or `kept_by_success` says.

    Raises `refusal`, see `take`.
    """
    taken = take(limits, refusal)
    try:
        yield
    except kept_by:
        raise
    except BaseException:
        taken.give_back()
        raise
    if not kept_by_success:
        taken.give_back()


def count(kind: str, subject: str, limit: int, refusal: type[errors.Refusal]) -> None:
    """A plain hard ceiling for a subject that names its own window (`2026-11-24`). Raises `refusal` above `limit`."""
    key = key_of(kind, subject)
    Budget.objects.bulk_create([Budget(key=key)], ignore_conflicts=True)
    if not Budget.objects.filter(key=key, total__lt=limit).update(total=F("total") + 1):
        raise refusal(retry_after=HOUR)


def counted(kind: str, subject: str) -> int:
    """What `count` has counted for a subject."""
    return Budget.objects.filter(key=key_of(kind, subject)).values_list("total", flat=True).first() or 0


def uncount(kind: str, subject: str) -> None:
    """Take back what `count` has counted."""
    Budget.objects.filter(key=key_of(kind, subject), total__gt=0).update(total=F("total") - 1)


def clear(kind: str, subject: str) -> bool:
    """Forget what a subject has spent; tells whether it had spent anything."""
    return bool(Budget.objects.filter(key=key_of(kind, subject)).delete()[0])


def _locked(keys: Sequence[str]) -> list[Budget]:
    """In one order for everybody, so that two requests never wait for each other."""
    return list(Budget.objects.select_for_update().filter(key__in=keys).order_by("key"))


def _seconds_to_wait(budget: Budget, limit: Limit, now: float) -> float:
    """0 where there is room for another attempt."""
    wait = max(budget.locked_until - now, 0, *(_full_for(budget.hits, window, now) for window in limit.windows))
    if not wait and limit.ever is not None and budget.total >= limit.ever:
        return DAY
    return wait


def _count(budget: Budget, limit: Limit, now: float) -> None:
    longest = max(window.seconds for window in limit.windows)
    budget.hits = [hit for hit in budget.hits if hit > now - longest] + [now]
    budget.total += limit.ever is not None
    budget.updated_at = timezone.now()
    if limit.lock:
        if now - budget.locked_until > DAY:
            budget.locks = 0
        if any(_full_for(budget.hits, window, now) for window in limit.windows):
            first, most = limit.lock
            budget.locked_until, budget.locked_at = now + min(first * 2**budget.locks, most), now
            budget.locks += 1
    budget.save(update_fields=["hits", "total", "locks", "locked_until", "locked_at", "updated_at"])


def _full_for(hits: list[float], window: Window, now: float) -> float:
    """Seconds until the window has room again; 0 where it has."""
    if not window.seconds:  # switched off
        return 0
    if window.limit < 1:
        return window.seconds
    inside = [hit for hit in hits if hit > now - window.seconds]
    return inside[-window.limit] + window.seconds - now if len(inside) >= window.limit else 0
