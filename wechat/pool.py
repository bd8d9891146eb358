"""Handing out cards: each at most once, ever. Redis proposes an id at once, the database decides.

Redis holds a window of ids of pooled rows. Whatever it says, empty, stale or twice the same, a card is claimed by an
update that only one caller's can be the first of; with Redis away the next pooled rows are tried directly. Before a
card is handed out the CRM is asked whether it is still free.
"""

import random
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from cards import siebel
from cards.models import CardStatus
from cards.siebel import Standing
from loyalty import claims, encryption, errors
from loyalty.callers import Caller
from loyalty.redis_store import redis
from loyalty.siebel import CircuitOpen
from wechat import leaving
from wechat.models import Departure, PoolCard

log = structlog.get_logger()
WINDOW = "pool:ids"
_REFILLING = "pool:refilling"
_MISSES = 3
_AT_A_TIME = 20
_NO_ID = 2**63
Status = PoolCard.Status
Way = Departure.Way


class Candidate(NamedTuple):
    """A pooled row that may be handed out."""

    pk: int
    number: str
    pin: str
    customer_id: str
    end_date: date | None


@dataclass(frozen=True)
class DrawnCard:
    """The one time that a pool card's PIN leaves."""

    msr_card: str
    pin: str
    customer_id: str


def draw(*, caller: Caller) -> DrawnCard:
    """Hand out the next card that the CRM calls free; what is not free any more leaves the pool on the way.

    While the CRM has failed so often that it is left alone, cards are handed out without its word. Once more the one
    that a request with the same Idempotency-Key died over. Raises NoCardAvailable, SiebelUnavailable, SiebelTimeout.
    """
    if handed_out := claims.remembered():
        return DrawnCard(**handed_out)
    for _ in range(_MISSES):
        proposed = _propose()
        if proposed is None:
            break
        if drawn := _draw_one_of(_row(proposed), caller):
            return drawn
    refill()
    while first := [Candidate(*row) for row in _pooled().values_list(*Candidate._fields)[:_AT_A_TIME]]:
        if drawn := _draw_one_of(first, caller):
            return drawn
    raise errors.NoCardAvailable


def claim_replacement(request_id: str) -> str | None:
    """For a lost card: take the next pooled card in the caller's transaction. Its PIN is asked for by nobody."""
    card = _pooled().exclude(end_date__lt=timezone.localdate()).select_for_update(skip_locked=True).first()
    if card is None or not leaving.issue(card.pk, Way.REPLACEMENT, request_id):
        return None
    leaving.count(Way.REPLACEMENT)
    return card.number


def refill() -> None:
    """Fill the window in Redis anew from the database, by one process at a time."""
    with suppress(RedisError), redis() as connection:
        if not connection.set(_REFILLING, 1, nx=True, ex=5):
            return
        usable = _pooled().exclude(end_date__lt=timezone.localdate())
        ids = list(usable.values_list("pk", flat=True)[: settings.POOL_WINDOW])
        fresh = connection.pipeline()
        fresh.delete(WINDOW)
        if ids:
            fresh.rpush(WINDOW, *ids)
        fresh.delete(_REFILLING)
        fresh.execute()


def _pooled() -> QuerySet[PoolCard]:
    """In the order of the partial index `pool_card_next`.

    By id alone, PostgreSQL might walk the primary key over all that was handed out.
    """
    return PoolCard.objects.filter(status=Status.POOLED).order_by("batch_id", "pk")


def _propose() -> int | None:
    with suppress(RedisError), redis() as connection:
        proposed = connection.lpop(WINDOW)
        return int(proposed) if proposed is not None and proposed.isdigit() else None
    return None


def _row(pk: int) -> list[Candidate]:
    """The pooled row, if it is one. The text of a hot statement, made once."""
    if pk >= _NO_ID:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, number, pin, customer_id, end_date FROM wechat_poolcard WHERE id = %s AND status = 'Pooled'",
            [pk],
        )
        return [Candidate(*row) for row in cursor.fetchall()]


def _draw_one_of(cards: list[Candidate], caller: Caller) -> DrawnCard | None:
    """In no order, so that callers who look at the same cards try different ones."""
    free = _only_free(cards)
    random.shuffle(free)
    return next((drawn for card in free if (drawn := _claim(card, caller))), None)


def _only_free(cards: list[Candidate]) -> list[Candidate]:
    """Those that somebody could register today; the others are set aside. Raises SiebelUnavailable, SiebelTimeout."""
    today = timezone.localdate()
    lasting = [card for card in cards if card.end_date is None or card.end_date >= today]
    try:
        standing = siebel.standing(card_numbers=[card.number for card in lasting]) if lasting else {}
    except CircuitOpen:
        log.warning("pool_cards_unasked", pool_cards=[card.pk for card in lasting])
        standing = {card.number: Standing(status=CardStatus.ACTIVE, is_free=True) for card in lasting}
    why = {card: "Its end date has passed." for card in cards if card not in lasting}
    why |= {
        card: f"The card is {standing[card.number].status}." for card in lasting if not standing[card.number].is_free
    }
    for problem in set(why.values()):
        leaving.set_aside([card.pk for card in why if why[card] == problem], problem)
    return [card for card in lasting if card not in why]


def _claim(card: Candidate, caller: Caller) -> DrawnCard | None:
    """The card, unless somebody else has it already."""
    try:
        pin = encryption.unseal(card.pin, owner=card.number)
    except encryption.Unreadable:
        leaving.keep_unreadable(card.pk)
        return None
    client = caller.client.pk if caller.client else None
    drawn = DrawnCard(card.number, pin, card.customer_id)
    with transaction.atomic():
        if not leaving.issue(card.pk, Way.GET_CARD, caller.request_id, client):
            return None
        claims.remember(asdict(drawn))
    leaving.count(Way.GET_CARD)
    return drawn
