"""What may happen to a card. Each function changes cards inside the caller's transaction, under a lock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from cards.models import Card, CardStatus, pin_digest
from loyalty import errors


def lock_to_register(number: str, pin: str) -> Card:
    """The free card `number`, locked.

    Raises CardNotFound, IncorrectPin, CardNotActive or CardExpired, in this order.
    """
    card = Card.objects.select_for_update(of=("self",)).filter(number=number).first()
    if card is None:
        raise errors.CardNotFound
    if not card.has_pin(pin):
        raise errors.IncorrectPin
    if card.status != CardStatus.ACTIVE:
        raise errors.CardNotActive
    if card.has_ended(timezone.localdate()):
        raise errors.CardExpired
    return card


def register(card: Card, customer_id: str) -> None:
    """Attach a locked free card to a customer who has none, live."""
    card.status = CardStatus.REGISTERED
    card.customer_id = customer_id
    card.registered_at = timezone.now()
    card.save(update_fields=["status", "customer", "registered_at"])


@dataclass(frozen=True)
class NewCard:
    """A pre-printed card as a card file names it."""

    number: str
    pin: str
    member_id: str
    end_date: date | None = None


def take_into_stock(cards: Iterable[NewCard]) -> None:
    """Write new Active cards, all in one statement. Raises IntegrityError where one of them is there already."""
    Card.objects.bulk_create(
        [
            Card(
                number=card.number,
                pin_digest=pin_digest(card.number, card.pin),
                status=CardStatus.ACTIVE,
                end_date=card.end_date,
                member_id=card.member_id,
            )
            for card in cards
        ]
    )


def known(numbers: Sequence[str]) -> dict[str, Card]:
    """The cards of these numbers that exist, with their members."""
    return {card.number: card for card in Card.objects.filter(number__in=numbers).select_related("member")}
