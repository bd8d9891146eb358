"""Handing out cards: each at most once, ever. Redis proposes an id at once, the database decides.

Redis holds a window of ids of pooled rows. Whatever it says, empty, stale or twice the same, a card is claimed by an
update that only one caller's can be the first of; with Redis away the next pooled row is claimed directly.
"""

from contextlib import suppress
from dataclasses import asdict, dataclass

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from redis.exceptions import RedisError

from loyalty import claims, encryption, errors, metrics
from loyalty.callers import Caller
from loyalty.redis_store import redis
from wechat.models import PoolCard

log = structlog.get_logger()
WINDOW = "pool:ids"
_REFILLING = "pool:refilling"
_MISSES = 3
Status = PoolCard.Status


@dataclass(frozen=True)
class DrawnCard:
    """The one time that a pool card's PIN leaves."""

    msr_card: str
    pin: str
    customer_id: str


def draw(*, caller: Caller) -> DrawnCard:
    """Hand out the next card, or once more the one that a request with the same Idempotency-Key died over.

    Raises NoCardAvailable.
    """
    if handed_out := claims.remembered():
        return DrawnCard(**handed_out)
    for _ in range(_MISSES):
        proposed = _propose()
        if proposed is None:
            break
        if drawn := _claim(proposed, caller):
            return drawn
    drawn = _claim_next(caller)
    refill()
    return drawn


def claim_replacement(request_id: str) -> str | None:
    """For a lost card: take the next pooled card in the caller's transaction. Its PIN is asked for by nobody."""
    pooled = PoolCard.objects.select_for_update(skip_locked=True).filter(status=Status.POOLED)
    card = pooled.order_by("pk").first()
    if card is None or not _take(card, request_id):
        return None
    metrics.CARDS_DRAWN.labels("replacement").inc()
    return card.number


def refill() -> None:
    """Fill the window in Redis anew from the database, by one process at a time."""
    with suppress(RedisError), redis() as connection:
        if not connection.set(_REFILLING, 1, nx=True, ex=5):
            return
        pooled = PoolCard.objects.filter(status=Status.POOLED).order_by("pk").values_list("pk", flat=True)
        ids = list(pooled[: settings.POOL_WINDOW])
        fresh = connection.pipeline()
        fresh.delete(WINDOW)
        if ids:
            fresh.rpush(WINDOW, *ids)
        fresh.delete(_REFILLING)
        fresh.execute()


def _propose() -> int | None:
    with suppress(RedisError), redis() as connection:
        proposed = connection.lpop(WINDOW)
        return int(proposed) if proposed is not None else None
    return None


def _claim(pk: int, caller: Caller) -> DrawnCard | None:
    """The card of this row, unless somebody else has it already."""
    with transaction.atomic():
        card = PoolCard.objects.select_for_update(skip_locked=True).filter(pk=pk, status=Status.POOLED).first()
        return _issue(card, caller) if card else None


def _claim_next(caller: Caller) -> DrawnCard:
    """The first pooled card that nobody is taking at this moment. Raises NoCardAvailable."""
    while True:
        with transaction.atomic():
            pooled = PoolCard.objects.select_for_update(skip_locked=True).filter(status=Status.POOLED)
            card = pooled.order_by("pk").first()
            if card is None:
                raise errors.NoCardAvailable
            if drawn := _issue(card, caller):
                return drawn


def _issue(card: PoolCard, caller: Caller) -> DrawnCard | None:
    try:
        pin = encryption.unseal(card.pin, owner=card.number)
    except encryption.Unreadable:
        log.error("pool_card_unreadable", pool_card=card.pk)
        PoolCard.objects.filter(pk=card.pk).update(status=Status.UNREADABLE)
        return None
    if not _take(card, caller.request_id, caller.client.pk if caller.client else None):
        return None
    drawn = DrawnCard(card.number, pin, card.customer_id)
    claims.remember(asdict(drawn))
    metrics.CARDS_DRAWN.labels("getCard").inc()
    return drawn


def _take(card: PoolCard, request_id: str, client: int | None = None) -> bool:
    """Mark a card as handed out, its PIN forgotten; tells whether this caller was the first."""
    claimed = PoolCard.objects.filter(pk=card.pk, status=Status.POOLED).update(
        status=Status.ISSUED, pin="", issued_at=timezone.now(), issued_to=client, request_id=request_id
    )
    return bool(claimed)
