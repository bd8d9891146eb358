"""The embedded CRM's side of the pool: the business service "Loyalty Card Pool"."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from cards import lifecycle
from cards.lifecycle import NewCard
from cards.models import Card, CardStatus
from customers import members
from loyalty.business_services import business_service, remember
from loyalty.dates import from_wire
from loyalty.ids import new_row_id
from loyalty.siebel import Reply

SERVICE = "Loyalty Card Pool"


@business_service(SERVICE, "PreAllot")
def pre_allot(*, request_id: str, actor: str, trace_id: str, cards: Sequence[dict[str, str]]) -> Reply:
    """Know each card with a member of its own, an `Open` one; what is not known yet is created.

    `Cards` in, each with CardNumber, CardPassword, ExpirationDate and MemberNumber (both may be empty); `Cards` out,
    each with CardNumber and either its MemberNumber or the Problem that keeps it out of a pool.
    """
    for last in (False, False, True):
        try:
            with transaction.atomic():
                created = _create_unknown(cards)
                return remember(request_id, SERVICE, "PreAllot", _verdicts(cards, created))
        except IntegrityError:  # another request took some of them in meanwhile: now they are known
            if last:
                raise
    raise AssertionError("The last try answers or raises.")


def _verdicts(cards: Sequence[dict[str, str]], created: dict[str, str]) -> dict[str, Any]:
    known = lifecycle.known([card["CardNumber"] for card in cards if card["CardNumber"] not in created])
    return {
        "Cards": [
            {"CardNumber": number, "MemberNumber": created[number]}
            if (number := card["CardNumber"]) in created
            else {"CardNumber": number, **_judge(known.get(number), card)}
            for card in cards
        ]
    }


def _create_unknown(cards: Sequence[dict[str, str]]) -> dict[str, str]:
    """Create cards with their members, all or nothing; answers card number → member.

    In one order, so that two requests never wait for each other. A card is left out where its member is another one's.
    """
    there = lifecycle.existing([card["CardNumber"] for card in cards])
    fresh = sorted((card for card in cards if card["CardNumber"] not in there), key=itemgetter("CardNumber"))
    named = [card["MemberNumber"] for card in fresh if card["MemberNumber"]]
    taken = members.existing(named) if named else set()
    new: dict[str, dict[str, str]] = {}
    for card in fresh:
        member_id = card["MemberNumber"] or new_row_id()
        if member_id not in taken:
            new.setdefault(member_id, card)
    members.pre_create(sorted(new))
    lifecycle.take_into_stock(
        NewCard(
            number=card["CardNumber"],
            pin=card["CardPassword"],
            member_id=member_id,
            end_date=from_wire(card["ExpirationDate"]),
        )
        for member_id, card in new.items()
    )
    return {card["CardNumber"]: member_id for member_id, card in new.items()}


def _judge(known: Card | None, wanted: dict[str, str]) -> dict[str, str]:
    """A card may go into a pool if it is the one that the CRM knows, free, and its member is nobody's."""
    if known is None:
        return {"Problem": "customerId belongs to another card."}
    if known.status != CardStatus.ACTIVE:
        return {"Problem": f"The card is {known.status}."}
    if known.has_ended(timezone.localdate()):
        return {"Problem": "The card's end date has passed."}
    if not known.has_pin(wanted["CardPassword"]):
        return {"Problem": "The card is known with another PIN."}
    if known.member is None or not members.is_open(known.member):
        return {"Problem": "The card's member is not Open."}
    if wanted["MemberNumber"] not in ("", known.member.pk):
        return {"Problem": "The card is known with another customerId."}
    return {"MemberNumber": known.member.pk}
