"""The embedded CRM's side of the pool: the business service "Loyalty Card Pool"."""

from collections.abc import Sequence

from django.db import transaction

from cards import lifecycle
from cards.lifecycle import NewCard
from cards.models import Card, CardStatus
from customers import members
from loyalty.business_services import business_service
from loyalty.dates import from_wire
from loyalty.ids import new_row_id
from loyalty.siebel import Reply

SERVICE = "Loyalty Card Pool"


@business_service(SERVICE, "PreAllot")
def pre_allot(*, request_id: str, cards: Sequence[dict[str, str]]) -> Reply:
    """Know each card with a member of its own, an `Open` one; what is not known yet is created.

    `Cards` in, each with CardNumber, CardPassword, ExpirationDate and MemberNumber (both may be empty); `Cards` out,
    each with CardNumber and either its MemberNumber or the Problem that keeps it out of a pool. A repeated request
    finds its cards known and is answered alike, so its RequestId need not be remembered.
    """
    with transaction.atomic():
        known = lifecycle.known([card["CardNumber"] for card in cards])
        fresh = [card for card in cards if card["CardNumber"] not in known]
        wanted = {card["CardNumber"]: card["MemberNumber"] or new_row_id() for card in fresh}
        taken = members.existing(list(wanted.values()))
        new = []
        for card in fresh:
            member_id = wanted[card["CardNumber"]]
            if member_id not in taken:
                taken.add(member_id)
                new.append(card)
        members.pre_create([wanted[card["CardNumber"]] for card in new])
        lifecycle.take_into_stock(
            NewCard(
                number=card["CardNumber"],
                pin=card["CardPassword"],
                member_id=wanted[card["CardNumber"]],
                end_date=from_wire(card["ExpirationDate"]),
            )
            for card in new
        )
        created = {card["CardNumber"] for card in new}
        answers = []
        for card in cards:
            number = card["CardNumber"]
            if number in known:
                answers.append({"CardNumber": number, **_judge(known[number], card)})
            elif number in created:
                answers.append({"CardNumber": number, "MemberNumber": wanted[number]})
            else:
                answers.append({"CardNumber": number, "Problem": "customerId belongs to another card."})
        return {"Cards": answers}


def _judge(known: Card, wanted: dict[str, str]) -> dict[str, str]:
    """A card that the CRM had already may go into a pool if it is the same one, free, and its member is nobody's."""
    if known.status != CardStatus.ACTIVE:
        return {"Problem": f"The card is {known.status}."}
    if not known.has_pin(wanted["CardPassword"]):
        return {"Problem": "The card is known with another PIN."}
    if known.member is None or not members.is_open(known.member):
        return {"Problem": "The card's member is not Open."}
    if wanted["MemberNumber"] not in ("", known.member.pk):
        return {"Problem": "The card is known with another customerId."}
    return {"MemberNumber": known.member.pk}
