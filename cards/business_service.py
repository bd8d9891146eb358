"""The embedded CRM's side of cards: the business service "Loyalty Card"."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from cards import lifecycle, members
from cards.lifecycle import Cause
from cards.members import MemberStatus
from cards.models import ATTACHED, Card, CardStatus
from loyalty import digests, errors
from loyalty.business_services import business_service, remember
from loyalty.dates import wire_date, wire_moment
from loyalty.siebel import Reply

SERVICE = "Loyalty Card"
_OVER = (
    CardStatus.EXPIRED,
    CardStatus.CANCELLED,
    CardStatus.RETURNED,
    CardStatus.ABOLISHED,
    CardStatus.OBSOLETE,
)


@business_service(SERVICE, "Validate")
def validate(*, card_number: str, card_password: str) -> Reply:
    """Tell a card's status to whoever knows its PIN. Raises IncorrectPin."""
    card = Card.objects.filter(number=card_number).only("number", "pin_digest", "status", "end_date").first()
    if card is None:
        digests.matches("", "card-pin", card_number, card_password)  # the same work as for a wrong PIN
        return {"CardNumber": card_number, "CardStatus": "NotFound", "StateCode": "CardNotFound", "ExpirationDate": ""}
    if not card.has_pin(card_password):
        raise errors.IncorrectPin
    return {
        "CardNumber": card.number,
        "CardStatus": card.status,
        "StateCode": state_code(card, timezone.localdate()),
        "ExpirationDate": wire_date(card.end_date),
    }


def state_code(card: Card, today: date) -> str:
    if card.status in ATTACHED:
        return "CardAlreadyRegistered"
    if card.status in _OVER or (card.status == CardStatus.ACTIVE and card.has_ended(today)):
        return "CardExpiredOrCancelled"
    return "CardInactive" if card.status == CardStatus.INACTIVE else "CardActive"


@business_service(SERVICE, "GetStatus")
def get_status(*, card_numbers: Sequence[str]) -> Reply:
    """Tell the status of cards, and whether each could be registered by somebody now; no PIN is asked for."""
    today = timezone.localdate()
    known = lifecycle.standing(card_numbers)
    return {"Cards": [_standing(number, known.get(number), today) for number in card_numbers]}


def _standing(number: str, known: lifecycle.Standing | None, today: date) -> dict[str, str]:
    if known is None:
        return {"CardNumber": number, "CardStatus": "NotFound", "IsFree": "N"}
    ended = known.end_date is not None and known.end_date < today
    free = known.status == CardStatus.ACTIVE and known.member_status == MemberStatus.OPEN and not ended
    return {"CardNumber": number, "CardStatus": known.status, "IsFree": "Y" if free else "N"}


@business_service(SERVICE, "List")
def list_cards(*, member_number: str) -> Reply:
    """A customer's cards, the live one first, then the most recently attached. Raises InvalidMemberID."""
    if not members.is_active_customer(member_number):
        raise errors.InvalidMemberID
    cards = Card.objects.filter(customer_id=member_number).select_related("replaced_by")
    newest_first = cards.order_by(F("registered_at").desc(nulls_last=True), "-id")
    return {"Cards": [_on_wire(card) for card in sorted(newest_first, key=lambda card: not _is_live(card))]}


@business_service(SERVICE, "Add")
def add(
    *,
    request_id: str,
    actor: str,
    trace_id: str,
    member_number: str,
    card_number: str,
    card_password: str,
    make_live: str,
) -> Reply:
    """Attach a free card to a customer. Raises InvalidMemberID and what lifecycle.lock_to_add raises."""
    with transaction.atomic():
        members.lock_customer(member_number)
        card = lifecycle.lock_to_add(card_number, card_password)
        lifecycle.add(card, member_number, live=make_live == "Y", cause=Cause(actor, trace_id))
        return remember(request_id, SERVICE, "Add", _on_wire(card))


@business_service(SERVICE, "Delete")
def delete(*, request_id: str, actor: str, trace_id: str, member_number: str, card_number: str, reason: str) -> Reply:
    """Remove a dormant card. Raises InvalidMemberID, what lifecycle.lock_own raises, CardNotDormant."""
    with transaction.atomic():
        members.lock_customer(member_number)
        lifecycle.remove(lifecycle.lock_own(card_number, member_number), Cause(actor, trace_id, reason))
        return remember(request_id, SERVICE, "Delete", {})


@business_service(SERVICE, "Wake")
def wake(*, request_id: str, actor: str, trace_id: str, member_number: str, card_number: str) -> Reply:
    """Make a card live. Raises InvalidMemberID, what lifecycle.lock_own raises, CardNotDormant."""
    with transaction.atomic():
        members.lock_customer(member_number)
        lifecycle.wake(lifecycle.lock_own(card_number, member_number), member_number, Cause(actor, trace_id))
        return remember(request_id, SERVICE, "Wake", {})


@business_service(SERVICE, "Lost")
def lost(
    *,
    request_id: str,
    actor: str,
    trace_id: str,
    member_number: str,
    card_number: str,
    reason_code: str,
    send_replacement: str,
) -> Reply:
    """Report a card; the reply is its replacement, or the card itself.

    Raises InvalidMemberID, and what lifecycle.lock_own and lifecycle.lose raise.
    """
    with transaction.atomic():
        members.lock_customer(member_number)
        card = lifecycle.lock_own(card_number, member_number)
        cause = Cause(actor, trace_id, reason_code)
        shown = lifecycle.lose(card, member_number, replace=send_replacement == "Y", cause=cause)
        return remember(request_id, SERVICE, "Lost", _on_wire(shown))


def _is_live(card: Card) -> bool:
    return card.status == CardStatus.REGISTERED


def _on_wire(card: Card) -> dict[str, str]:
    return {
        "CardNumber": card.number,
        "CardStatus": card.status,
        "IsLive": "Y" if _is_live(card) else "N",
        "ExpirationDate": wire_date(card.end_date),
        "RegisteredDate": wire_moment(card.registered_at),
        "ReplacedBy": card.replaced_by.number if card.replaced_by else "",
        "Reason": card.reason,
    }
