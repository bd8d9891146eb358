"""What may happen to a card. Each function changes cards inside the caller's transaction, under locks.

A customer's cards change one request at a time: who changes them holds the customer's row first
(members.lock_customer), then the cards'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F
from django.utils import timezone

from cards import stock, transitions
from cards.members import MemberStatus
from cards.models import ATTACHED, Card, CardEvent, CardStatus, pin_digest
from cards.transitions import Event
from loyalty import bulk, errors


@dataclass(frozen=True)
class Cause:
    """Who lets a card change, by which request, and why; it stands in the card's history."""

    actor: str
    request_id: str
    reason: str = ""


def lock(number: str) -> Card:
    """Raises CardNotFound."""
    card = Card.objects.select_for_update(of=("self",)).filter(number=number).first()
    if card is None:
        raise errors.CardNotFound
    return card


def lock_to_register(number: str, pin: str) -> Card:
    """The free card `number`, locked.

    Raises CardNotFound, IncorrectPin, CardNotActive or CardExpired, in this order.
    """
    card = lock(number)
    if not card.has_pin(pin):
        raise errors.IncorrectPin
    _demand_free(card)
    return card


def lock_to_add(number: str, pin: str) -> Card:
    """The free card `number`, locked.

    Raises CardNotFound, IncorrectPin, CardAlreadyRegistered, CardNotActive, CardExpired or MemberNotActive.
    """
    card = lock(number)
    if not card.has_pin(pin):
        raise errors.IncorrectPin
    if card.status in ATTACHED:
        raise errors.CardAlreadyRegistered
    _demand_free(card)
    if card.member is not None and card.member.status in (MemberStatus.INACTIVE, MemberStatus.CLOSED):
        raise errors.MemberNotActive
    return card


def lock_own(number: str, customer_id: str) -> Card:
    """Raises CardNotFound, or CardRegisteredWithAnotherCustomer."""
    card = lock(number)
    if card.customer_id not in (None, customer_id):
        raise errors.CardRegisteredWithAnotherCustomer
    return card


def register(card: Card, customer_id: str, cause: Cause) -> None:
    """Attach a locked free card to a customer who has none, live."""
    _attach(card, customer_id)
    _move(card, Event.REGISTER, cause)


def add(card: Card, customer_id: str, *, live: bool, cause: Cause) -> None:
    """Attach another locked free card; live on demand, and always where the customer has no card yet."""
    if live or not Card.objects.filter(customer_id=customer_id, status__in=ATTACHED).exists():
        _rest_live(customer_id, cause)
        _attach(card, customer_id)
        _move(card, Event.ADD_LIVE, cause)
    else:
        _attach(card, customer_id)
        _move(card, Event.ADD, cause)


def wake(card: Card, customer_id: str, cause: Cause) -> None:
    """Make an own card live; the former live one rests. Raises CardNotDormant."""
    if card.customer_id is None or card.status not in (CardStatus.DORMANT, CardStatus.IN_TRANSIT):
        raise errors.CardNotDormant
    _rest_live(customer_id, cause)
    _move(card, Event.WAKE, cause)


def remove(card: Card, cause: Cause) -> None:
    """Detach an own dormant card for good. Raises CardNotDormant."""
    if card.customer_id is None or card.status != CardStatus.DORMANT:
        raise errors.CardNotDormant
    card.reason = cause.reason
    _move(card, Event.REMOVE, cause, detach=True)


def lose(card: Card, customer_id: str, *, replace: bool, cause: Cause) -> Card:
    """Report an own card; answers its replacement, claimed from stock, or the card itself.

    The most recently attached dormant card takes the place of a lost live one. Raises CardAlreadyLostOrStolen,
    CardInTransit, CardNotRegisteredOrDormant, NoCardAvailable.
    """
    if card.status == CardStatus.OBSOLETE:
        raise errors.CardAlreadyLostOrStolen
    if card.status == CardStatus.IN_TRANSIT:
        raise errors.CardInTransit
    if card.status not in (CardStatus.REGISTERED, CardStatus.DORMANT):
        raise errors.CardNotRegisteredOrDormant
    was_live = card.status == CardStatus.REGISTERED
    card.reason = cause.reason
    if replace:
        card.replaced_by = _claim_replacement(customer_id, cause)
    _move(card, Event.LOSE, cause)
    if was_live:
        dormant = Card.objects.select_for_update().filter(customer_id=customer_id, status=CardStatus.DORMANT)
        if heir := dormant.order_by(F("registered_at").desc(nulls_last=True), "-pk").first():
            _move(heir, Event.WAKE, cause)
    return card.replaced_by or card


def close_all(customer_id: str, cause: Cause) -> None:
    """Cancel every card of a customer whose account is closed; they stay his, for should it be undone."""
    attached = Card.objects.select_for_update().filter(customer_id=customer_id, status__in=ATTACHED)
    steps = [_step(card, Event.CLOSE, transitions.target(Event.CLOSE, card.status), cause) for card in attached]
    attached.update(status=CardStatus.CANCELLED, reason=cause.reason)
    CardEvent.objects.bulk_create(steps)


def reopen_all(customer_id: str, cause: Cause) -> None:
    """Bring back what close_all has cancelled, each card to the status that it had."""
    closed = Card.objects.select_for_update().filter(customer_id=customer_id, status=CardStatus.CANCELLED)
    cards = {card.pk: card for card in closed}
    events = CardEvent.objects.filter(card__in=cards, event=Event.CLOSE).order_by("pk")
    former = {event.card_id: event.source for event in events}
    steps = []
    for pk, status in former.items():
        steps.append(_step(cards[pk], Event.REOPEN, transitions.target(Event.REOPEN, cards[pk].status, status), cause))
        cards[pk].status, cards[pk].reason = status, ""
    Card.objects.bulk_update([cards[pk] for pk in former], ["status", "reason"])
    CardEvent.objects.bulk_create(steps)


def _claim_replacement(customer_id: str, cause: Cause) -> Card:
    """The first card in stock that is still free; the others leave the stock with it. Raises NoCardAvailable."""
    today = timezone.localdate()
    while True:
        replacement = lock(stock.claim(cause.request_id))
        if replacement.status == CardStatus.ACTIVE and not replacement.has_ended(today):
            break
    _attach(replacement, customer_id)
    _move(replacement, Event.REPLACE, cause)
    return replacement


def _demand_free(card: Card) -> None:
    if card.status != CardStatus.ACTIVE:
        raise errors.CardNotActive
    if card.has_ended(timezone.localdate()):
        raise errors.CardExpired


def _rest_live(customer_id: str, cause: Cause) -> None:
    live = Card.objects.select_for_update().filter(customer_id=customer_id, status=CardStatus.REGISTERED).first()
    if live:
        _move(live, Event.REST, cause)


def _attach(card: Card, customer_id: str) -> None:
    card.customer_id = customer_id
    card.registered_at = timezone.now()


def _move(card: Card, event: Event, cause: Cause, *, detach: bool = False) -> None:
    """Change one card's status, and let its history grow. Raises transitions.Impossible."""
    step = _step(card, event, transitions.target(event, card.status), cause)
    card.status = step.target
    if detach:
        card.customer = None
    card.save(update_fields=["status", "customer", "registered_at", "reason", "replaced_by"])
    step.save()


def _step(card: Card, event: Event, target: str, cause: Cause) -> CardEvent:
    return CardEvent(
        card=card,
        event=event,
        source=card.status,
        target=target,
        customer_id=card.customer_id or "",
        actor=cause.actor,
        reason=cause.reason,
        request_id=cause.request_id,
    )


@dataclass(frozen=True)
class NewCard:
    """A pre-printed card as a card file names it."""

    number: str
    pin: str
    member_id: str
    end_date: date | None = None


def take_into_stock(cards: Iterable[NewCard]) -> None:
    """Write new Active cards, all in one statement. Raises IntegrityError where one of them is there already."""
    bulk.insert(
        Card,
        ["number", "pin_digest", "status", "end_date", "member_id"],
        (
            (card.number, pin_digest(card.number, card.pin), CardStatus.ACTIVE.value, card.end_date, card.member_id)
            for card in cards
        ),
    )


class Standing(NamedTuple):
    """What decides whether a card is free."""

    number: str
    status: str
    end_date: date | None
    member_status: str | None


def standing(numbers: Sequence[str]) -> dict[str, Standing]:
    """The cards of these numbers that exist. The text of a hot statement is made once: each getCard asks for one."""
    if len(numbers) == 1:
        with connection.cursor() as cursor:
            cursor.execute(_standing_of_one(), list(numbers))
            rows = cursor.fetchall()
    else:
        rows = list(_standings(number__in=bulk.among(numbers)))
    return {row[0]: Standing(*row) for row in rows}


@lru_cache
def _standing_of_one() -> str:
    text: str = _standings(number="").query.sql_with_params()[0]
    return text


def _standings(**condition: Any) -> Any:
    return Card.objects.filter(**condition).values_list("number", "status", "end_date", "member__status").order_by()


def existing(numbers: Sequence[str]) -> set[str]:
    return set(Card.objects.filter(number__in=bulk.among(numbers)).values_list("number", flat=True))


def known(numbers: Sequence[str]) -> dict[str, Card]:
    """The cards of these numbers that exist, with their members."""
    cards = Card.objects.filter(number__in=bulk.among(numbers)).select_related("member")
    return {card.number: card for card in cards}
