"""Limits that guard a secret or cost money: kept in the database, exact under any number of callers, counted first.

An attempt is written down before it is judged, in a transaction of its own, so a refused or crashed request stays counted.
What turned out well is given back.
"""

import time
from collections.abc import Iterator, Sequence
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
class Rule:
    """`windows` must all hold; `ever` caps the total until staff clear it; `lock` (first, longest seconds) doubles."""

    windows: Sequence[Window]
    ever: int | None = None
    lock: tuple[int, int] | None = None


@dataclass(frozen=True)
class Attempt:
    """One attempt that was let through and counted."""

    key: str
    at: float

    def give_back(self) -> None:
        """It was no failure: as if it had not been made."""
        with transaction.atomic(durable=True):
            budget = Budget.objects.select_for_update().filter(key=self.key).first()
            if budget and self.at in budget.hits:
                budget.hits.remove(self.at)
                budget.total = max(budget.total - 1, 0)
                if budget.locked_until:
                    budget.locked_until, budget.locks = 0, max(budget.locks - 1, 0)
                budget.save(update_fields=["hits", "total", "locks", "locked_until"])

    def forgive(self) -> None:
        """It proved its owner: forget every failure before it."""
        Budget.objects.filter(key=self.key).delete()


def scaled(limit: int) -> int:
    """A limit per address, per client or over all, times LIMITS_SCALE."""
    return max(1, round(limit * settings.LIMITS_SCALE))


def key_of(kind: str, subject: str) -> str:
    """A digest, so that no phone, card or name stands in a table of attempts."""
    return digests.keyed("budget", kind, subject)


def take(kind: str, subject: str, rule: Rule, refusal: type[errors.Refusal]) -> Attempt:
    """Count an attempt of `kind` on `subject`.

    Raises `refusal`, with the seconds to wait, where the budget is spent; a refused attempt is not counted.
    """
    key = key_of(kind, subject)
    now = round(time.time(), 3)
    longest = max((window.seconds for window in rule.windows), default=0)
    with transaction.atomic(durable=True):
        Budget.objects.bulk_create([Budget(key=key)], ignore_conflicts=True)
        budget = Budget.objects.select_for_update().get(key=key)
        hits = [hit for hit in budget.hits if hit > now - longest]
        wait = max(budget.locked_until - now, 0, *(_wait(hits, window, now) for window in rule.windows))
        if not wait and rule.ever is not None and budget.total >= rule.ever:
            wait = DAY
        if not wait:
            if rule.lock and budget.locked_until and now - budget.locked_until > DAY:
                budget.locks = 0
            hits.append(now)
            if rule.lock and any(_wait(hits, window, now) for window in rule.windows):
                first, longest_lock = rule.lock
                budget.locked_until = now + min(first * 2**budget.locks, longest_lock)
                budget.locks += 1
            budget.hits, budget.total, budget.updated_at = hits, budget.total + 1, timezone.now()
            budget.save(update_fields=["hits", "total", "locks", "locked_until", "updated_at"])
    if wait:
        raise refusal(retry_after=wait)
    return Attempt(key, now)


@contextmanager
def attempt(
    kind: str,
    subject: str,
    rule: Rule,
    refusal: type[errors.Refusal],
    *,
    kept_by: tuple[type[BaseException], ...] = (),
    kept_by_success: bool = False,
) -> Iterator[None]:
    """Count an attempt while the block judges it; given back unless it ends as `kept_by` or `kept_by_success` says.

    An empty subject is not limited. Raises `refusal`, see `take`.
    """
    if not subject:
        yield
        return
    taken = take(kind, subject, rule, refusal)
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


def clear(kind: str, subject: str) -> bool:
    """Staff unlock a subject; tells whether there was anything to clear."""
    return bool(Budget.objects.filter(key=key_of(kind, subject)).delete()[0])


def _wait(hits: list[float], window: Window, now: float) -> float:
    """Seconds until the window has room again; 0 where it has."""
    if window.limit < 1:
        return window.seconds
    inside = [hit for hit in hits if hit > now - window.seconds]
    return inside[-window.limit] + window.seconds - now if len(inside) >= window.limit else 0
