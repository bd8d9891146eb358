"""Reporting a card lost, stolen or damaged: the report, its limits, and word of it to the card's owner."""

from contextlib import suppress

from cards import limits, siebel
from loyalty import errors
from loyalty.callers import Caller
from sms import notices


def report(*, card_number: str, reason_code: str, send_replacement: bool, caller: Caller) -> siebel.Card:
    """Answers the replacement, or the card itself. Raises business_service.lost's refusals, TooManyRequests."""
    customer_id = caller.customer_id
    with limits.naming(customer_id), limits.replacing(customer_id, wanted=send_replacement):
        card = siebel.lost(
            customer_id=customer_id,
            card_number=card_number,
            reason_code=reason_code,
            send_replacement=send_replacement,
            caller=caller,
        )
    with suppress(errors.Refusal):  # the card is reported, whatever becomes of the notice
        owner = siebel.owner_of(customer_id)
        notices.tell(owner, "card-lost", request_id=caller.request_id, card=card_number[-4:])
    return card
