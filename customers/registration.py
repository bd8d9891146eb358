"""Joining: a PIN to the phone of whoever holds a free card, then the card's member becomes a customer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from cards import card_pins
from cards import siebel as cards
from customers import siebel
from loyalty import budgets, errors, passwords
from loyalty.budgets import HOUR, Limit, Window
from loyalty.callers import Caller
from sms import limits, notices, outbox, pins
from sms.models import Purpose
from sms.notices import Reader
from sms.pins import Subject

# Why a card that is not free gets no PIN.
_NOT_FREE: dict[str, type[errors.Refusal]] = {
    "NotFound": errors.CardNotFound,
    "Inactive": errors.CardInactive,
    "Registered": errors.CardAlreadyRegistered,
    "Dormant": errors.CardAlreadyRegistered,
    "InTransit": errors.CardAlreadyRegistered,
    "Expired": errors.CardExpired,
    "Active": errors.CardExpired,  # with its end date passed
    "Obsolete": errors.CardReturnedOrAbolished,
    "Cancelled": errors.CardReturnedOrAbolished,
    "Returned": errors.CardReturnedOrAbolished,
    "Abolished": errors.CardReturnedOrAbolished,
}
PIN_REFUSALS = (
    errors.CardNotFound,
    errors.IncorrectPin,
    errors.CardAlreadyRegistered,
    errors.CardInactive,
    errors.CardExpired,
    errors.CardReturnedOrAbolished,
    errors.PhoneNotValid,
    errors.TemplateNotValid,
    *outbox.REFUSALS,
    errors.MissingNo,
    errors.MissingMsg,
    errors.FrequentVerify,
    errors.RegisterSMSTooFrenquently,
)
REFUSALS = (
    errors.CardNotFound,
    errors.IncorrectPin,
    errors.CardNotActive,
    errors.EmailRegisteredActive,
    errors.EmailRegisteredInactive,
    errors.EmailInUse,
    errors.InvalidStore,
    errors.CardExpired,
    errors.MemberNotOpen,
    errors.UserNameInUse,
    errors.InvalidMemberID,
    errors.PasswordNotStrong,
    *outbox.REFUSALS,
    errors.WrongCaptcha,
    errors.MissingNo,
    errors.MissingCaptcha,
    errors.FrequentVerify,
    errors.CaptchaRequired,
)

# They tell whether somebody is a customer, so they count as a registration does.
_TAKEN = (errors.EmailRegisteredActive, errors.EmailRegisteredInactive, errors.EmailInUse, errors.UserNameInUse)


def send_pin(*, phone: str, template: str, card_number: str, card_password: str, caller: Caller) -> None:
    """Send a PIN to register with, only to who knows a free card's own PIN.

    Waits a moment for the gateway's verdict. Raises one of PIN_REFUSALS.
    """
    card = cards.validate(card_number=card_number, pin=card_password, caller=caller)
    if card.state_code != "CardActive":
        raise _NOT_FREE.get(card.state, errors.CardReturnedOrAbolished)
    with limits.sending(
        phone=phone, card=card_number, address=caller.address, refusal=errors.RegisterSMSTooFrenquently
    ):
        message = pins.send(Subject(Purpose.CREATE, phone), template=template, request_id=caller.request_id)
        outbox.wait(message)


def register(*, caller: Caller, cell_phone: str, cell_phone_valid_flag: str | None = None, **fields: Any) -> str:
    """Turn the card's pre-created member into a customer; the PIN is used up only if Siebel agrees.

    Answers the customer id. Raises one of REFUSALS.
    """
    with (
        pins.held(Subject(Purpose.CREATE, cell_phone), pin=cell_phone_valid_flag),
        _strong_password(**fields),
        budgets.attempt([_per_address(caller.address)], errors.TooManyRequests, kept_by=_TAKEN, kept_by_success=True),
        card_pins.guess(fields["card_number"], caller.address),
    ):
        customer_id = siebel.register(caller=caller, cell_phone=cell_phone, **fields)
    reader = Reader(customer_id, fields["language"], cell_phone=cell_phone)
    notices.tell(reader, "welcome", request_id=caller.request_id)
    return customer_id


@contextmanager
def _strong_password(*, password: str, **fields: Any) -> Iterator[None]:
    """Judged once the PIN has been. Raises PasswordNotStrong."""
    profile = {name: fields.get(name) or "" for name in ("user_name", "email", "first_name", "last_name")}
    passwords.demand_strong(password, **profile)
    yield


def _per_address(address: str) -> Limit:
    return Limit("create-address", address, [Window(HOUR, budgets.scaled(settings.CREATE_PER_ADDRESS_HOUR))])
