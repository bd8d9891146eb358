"""How a message ends: by the provider's verdict, by its receipt, or because nobody knows.

Each step is a conditional update: of two that come at once one wins, and an end is never taken back.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from loyalty import errors, metrics
from sms.models import Channel, Message

log = structlog.get_logger()
State = Message.State
MAX_STARTS = 5
CLAIM_LEASE = timedelta(seconds=30)  # from its claim to its hand-over a message has nothing to wait for
ABANDONED_AFTER = timedelta(minutes=5)
_BATCH = 200


def end(
    ids: Sequence[int],
    state: str,
    *,
    of: Collection[str] = (State.SENDING, State.UNKNOWN),
    code: int | None = None,
    reason: str = "",
    **columns: str,
) -> int:
    """Keep how messages in one of the states `of` ended, and forget what they said; answer how many they were."""
    ended = 0
    for channel in Channel.values:
        open_ones = Message.objects.filter(pk__in=ids, channel=channel, state__in=of)
        count = open_ones.update(
            state=state,
            code=code,
            reason=as_told(reason),
            text="",
            variables="",
            ended_at=timezone.now(),
            **columns,
        )
        if count:
            _measure(channel, state, count, was_sent=State.SENT in of)
        ended += count
        if ended == len(ids):
            break
    return ended


def as_told(words: str) -> str:
    """What a provider said, fit for a column."""
    return "".join(filter(str.isprintable, words))[:100]


def _measure(channel: str, state: str, count: int, *, was_sent: bool) -> None:
    """What is delivered was sent, too, though its receipt may come before the answer, or instead of it."""
    metrics.MESSAGES.labels(channel, state).inc(count)
    if state == State.DELIVERED and not was_sent:
        metrics.MESSAGES.labels(channel, State.SENT).inc(count)
    if channel == Channel.SMS and not was_sent and state in (State.SENT, State.DELIVERED):
        metrics.SMS_COST.inc(count * settings.SMS_PRICE)


def hand_over(message: Message) -> bool:
    """Note that the provider is called now; not where the claim has run out meanwhile."""
    mine = Message.objects.filter(pk=message.pk, state=State.SENDING, attempts=message.attempts, handed_over_at=None)
    return bool(mine.update(handed_over_at=timezone.now()))


def put_back(message: Message, wait: timedelta, *, started: bool = True) -> None:
    """Into the queue again, due after `wait`. `started`: this start counts."""
    mine = Message.objects.filter(pk=message.pk, state=State.SENDING, attempts=message.attempts)
    mine.update(
        state=State.QUEUED,
        due_at=timezone.now() + wait,
        published_at=None,
        handed_over_at=None,
        attempts=F("attempts") - (0 if started else 1),
    )


def of_abandoned(now: datetime) -> None:
    """Messages whose worker died: sent again only where the provider cannot have been called."""
    sending = Message.objects.filter(state=State.SENDING)
    kept = sending.filter(handed_over_at=None, due_at__lt=now - CLAIM_LEASE)
    kept.filter(attempts__lt=MAX_STARTS).update(state=State.QUEUED, due_at=now, published_at=None)
    if poison := list(kept.filter(attempts__gte=MAX_STARTS).values_list("pk", flat=True)[:_BATCH]):
        log.error("messages_given_up", message_ids=poison, starts=MAX_STARTS)
        code, reason = errors.SendFailed.code, f"Its worker died {MAX_STARTS} times."
        end(poison, State.FAILED, of=[State.SENDING], code=code, reason=reason)
    gone = sending.filter(handed_over_at__lt=now - ABANDONED_AFTER)
    if ids := list(gone.values_list("pk", flat=True)[:_BATCH]):
        end(ids, State.UNKNOWN, of=[State.SENDING], reason="Its worker died while the provider was called.")


def of_expired(now: datetime) -> None:
    """Messages that waited until nobody wants them any more."""
    late = Message.objects.filter(state=State.QUEUED, expires_at__lte=now)
    if ids := list(late.values_list("pk", flat=True)[:_BATCH]):
        end(ids, State.EXPIRED, of=[State.QUEUED])


def of_receipts(outcomes: dict[str, str | None]) -> int:
    """What the provider says became of messages, by reference: None for delivered, else why not.

    Answers how many messages that settled; the same receipt again settles none.
    """
    ids = {str(reference): pk for reference, pk in _by_reference(outcomes)}
    delivered = [ids[reference] for reference, reason in outcomes.items() if reason is None and reference in ids]
    failed: dict[str, list[int]] = {}
    for reference, reason in outcomes.items():
        if reason is not None and reference in ids:
            failed.setdefault(reason, []).append(ids[reference])
    undecided = (State.QUEUED, State.SENDING, State.UNKNOWN)
    settled = end(delivered, State.DELIVERED, of=[State.SENT]) + end(delivered, State.DELIVERED, of=undecided)
    for reason, messages in failed.items():
        settled += end(messages, State.FAILED, of=[State.SENT, *undecided], code=errors.SendFailed.code, reason=reason)
    return settled


def _by_reference(references: Collection[str]) -> list[tuple[object, int]]:
    return list(Message.objects.filter(reference__in=references).values_list("reference", "pk"))
