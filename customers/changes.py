"""Changing a profile. A new phone or e-mail address takes the account nowhere without proof of one on file."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from customers import proofs, siebel
from customers.models import login_key
from loyalty import errors
from loyalty.callers import Caller
from sms import notices, outbox, pins
from sms.models import Channel, Purpose
from sms.notices import Reader
from sms.pins import Subject

REFUSALS = (
    errors.EmailInUse,
    errors.InvalidMemberID,
    errors.UserNameInUse,
    errors.InvalidStore,
    *outbox.REFUSALS,
    errors.WrongCaptcha,
    errors.MissingNo,
    errors.MissingCaptcha,
    errors.FrequentVerify,
    errors.CaptchaRequired,
    errors.ValidationNotMatch,
)


def change(
    *,
    caller: Caller,
    cell_phone_valid_flag: str | None = None,
    phone_token: str | None = None,
    email_token: str | None = None,
    **fields: Any,
) -> None:
    """Change the fields that are given; empty ones are cleared. PIN and token are used up only if Siebel agrees.

    Raises one of REFUSALS, or ValidationError for a user name that is another one's e-mail address.
    """
    before = siebel.get(customer_id=caller.customer_id).profile
    fields = _without_unchanged(fields, before)
    _demand_own_name(fields, before)
    phone, email = fields.get("cell_phone", ""), fields.get("email", "")
    with ExitStack() as proven:
        if phone:
            subject = Subject(Purpose.UPDATE, phone, caller.customer_id)
            proven.enter_context(pins.held(subject, pin=cell_phone_valid_flag))
        if phone or email:
            tokens = {Channel.SMS: phone_token, Channel.EMAIL: email_token}
            _prove(proven, caller.customer_id, tokens, before)
        if fields:
            siebel.update(customer_id=caller.customer_id, caller=caller, verified_cell_phone=phone, **fields)
    _tell(caller, before, phone, email)


def _without_unchanged(fields: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The phone and e-mail address only where they are new ones."""
    same = {
        name
        for name, key in (("cell_phone", str), ("email", login_key))
        if name in fields and key(fields[name]) == key(before[name] or "")
    }
    return {name: value for name, value in fields.items() if name not in same}


def _demand_own_name(fields: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    name = login_key(fields.get("user_name", ""))
    if "@" in name and name != login_key(fields.get("email") or before["email"] or ""):
        raise errors.ValidationError({"userName": ["With an @ it can only be the e-mail address itself."]})


def _prove(
    proven: ExitStack, customer_id: str, tokens: Mapping[Channel, str | None], before: Mapping[str, Any]
) -> None:
    """Hold the first token that proves what is on file. Raises ValidationNotMatch."""
    on_file = {Channel.SMS: before["cell_phone"], Channel.EMAIL: before["email"]}
    for channel, token in tokens.items():
        bound = {"customer_id": customer_id, "proved": on_file[channel] or ""}
        with suppress(errors.TokenInvalid, errors.TokenAlreadyUsed):
            proven.enter_context(proofs.held(token or "", proofs.Purpose.UPDATE, channel, **bound))
            return
    raise errors.ValidationNotMatch


def _tell(caller: Caller, before: Mapping[str, Any], phone: str, email: str) -> None:
    """The old and the new one of what has changed, and the other channel."""
    language = before["language"] or ""
    old_phone, old_email = before["cell_phone"] or "", before["email"] or ""
    readers = []
    if phone:
        readers += [("phone-changed", Reader(caller.customer_id, language, old_phone, old_email))]
        readers += [("phone-changed", Reader(caller.customer_id, language, phone))]
    if email:
        readers += [("email-changed", Reader(caller.customer_id, language, phone or old_phone, old_email))]
        readers += [("email-changed", Reader(caller.customer_id, language, email=email))]
    for notice, reader in readers:
        notices.tell(reader, notice, request_id=caller.request_id)
