"""What cards ask of Siebel, in our words. Siebel's field names stop here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cards import card_pins
from loyalty import errors, siebel
from loyalty.callers import Caller
from loyalty.dates import from_wire
from sms.notices import Reader

SERVICE = "Loyalty Card"


@dataclass(frozen=True)
class CardState:
    """`state` is the card's status; `state_code` what a person may do with it."""

    card_number: str
    state: str
    state_code: str
    end_date: date | None


@dataclass(frozen=True)
class Card:
    card_number: str
    status: str
    is_live: bool
    end_date: date | None
    registered_date: date | None
    replaced_by: str | None
    reason: str | None


def validate(*, card_number: str, pin: str, caller: Caller) -> CardState:
    """Look a card up by its number and PIN. Raises IncorrectPin, or FrequentVerify after too many."""
    with card_pins.guess(card_number, caller.address):
        return _state(siebel.call(SERVICE, "Validate", {"CardNumber": card_number, "CardPassword": pin}))


@siebel.readable
def _state(reply: Mapping[str, str]) -> CardState:
    return CardState(
        card_number=reply["CardNumber"],
        state=reply["CardStatus"],
        state_code=reply["StateCode"],
        end_date=from_wire(reply.get("ExpirationDate")),
    )


@dataclass(frozen=True)
class Standing:
    """`is_free`: somebody could register the card now."""

    status: str
    is_free: bool


def standing(*, card_numbers: Sequence[str]) -> dict[str, Standing]:
    """How cards stand, by number; no PIN is compared. Raises SiebelUnavailable where the answer leaves one out."""
    reply = siebel.call(SERVICE, "GetStatus", {"CardNumbers": list(card_numbers)})
    found = {
        row["CardNumber"]: Standing(status=row["CardStatus"], is_free=row.get("IsFree") == "Y")
        for row in reply.get("Cards") or []
    }
    if not found.keys() >= set(card_numbers):
        raise errors.SiebelUnavailable
    return found


def list_cards(*, customer_id: str) -> list[Card]:
    """All cards of a customer, the live one first. Raises InvalidMemberID."""
    reply = siebel.call(SERVICE, "List", {"MemberNumber": customer_id})
    return [_card(row) for row in reply.get("Cards") or []]


@siebel.readable
def _card(row: Mapping[str, str]) -> Card:
    return Card(
        card_number=row["CardNumber"],
        status=row["CardStatus"],
        is_live=row.get("IsLive") == "Y",
        end_date=from_wire(row.get("ExpirationDate")),
        registered_date=from_wire(row.get("RegisteredDate")),
        replaced_by=row.get("ReplacedBy") or None,
        reason=row.get("Reason") or None,
    )


def owner_of(customer_id: str) -> Reader:
    """Whom notices about a customer's cards go to. Raises InvalidMemberID."""
    reply = siebel.call("Loyalty Member", "Get", {"MemberNumber": customer_id})
    return Reader(
        customer_id=customer_id,
        language=reply.get("PreferredLanguage") or "",
        cell_phone=reply.get("CellularPhone") or "",
        email=reply.get("EmailAddress") or "",
    )


def add(*, customer_id: str, card_number: str, pin: str, make_live: bool, caller: Caller) -> Card:
    """Attach another card. Raises business_service.add's refusals, FrequentVerify after too many wrong PINs."""
    arguments = {"CardNumber": card_number, "CardPassword": pin, "MakeLive": _flag(make_live)}
    with card_pins.guess(card_number, caller.address):
        return _card(siebel.change(SERVICE, "Add", customer_id, arguments, caller=caller))


def delete(*, customer_id: str, card_number: str, reason: str, caller: Caller) -> None:
    """Remove a dormant card. Raises business_service.delete's refusals."""
    siebel.change(SERVICE, "Delete", customer_id, {"CardNumber": card_number, "Reason": reason}, caller=caller)


def wake(*, customer_id: str, card_number: str, caller: Caller) -> None:
    """Make a card live. Raises business_service.wake's refusals."""
    siebel.change(SERVICE, "Wake", customer_id, {"CardNumber": card_number}, caller=caller)


def lost(*, customer_id: str, card_number: str, reason_code: str, send_replacement: bool, caller: Caller) -> Card:
    """Report a card; answers its replacement, or the card itself. Raises business_service.lost's refusals."""
    arguments = {"CardNumber": card_number, "ReasonCode": reason_code, "SendReplacement": _flag(send_replacement)}
    return _card(siebel.change(SERVICE, "Lost", customer_id, arguments, caller=caller))


def _flag(value: bool) -> str:
    return "Y" if value else "N"
