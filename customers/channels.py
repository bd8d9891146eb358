"""A customer proves a phone or an e-mail address with a PIN that was sent there."""

from django.conf import settings

from customers import proofs, siebel
from customers.proofs import Proof
from loyalty import budgets, errors
from loyalty.budgets import DAY, Limit, Window
from loyalty.callers import Caller
from sms import limits, notices, outbox, pins
from sms.models import Channel, Pin, Purpose
from sms.pins import Subject

SEND_REFUSALS = (*outbox.REFUSALS, errors.MissingMsg, errors.TemplateNotValid, errors.RegisterSMSTooFrenquently)


def send_update_pin(*, phone: str, template: str, caller: Caller) -> None:
    """A PIN to the number that a customer wants to change to. Raises one of SEND_REFUSALS, InvalidMemberID."""
    siebel.get(customer_id=caller.customer_id)
    subject = Subject(Purpose.UPDATE, phone, caller.customer_id)
    known = Pin.objects.filter(purpose=subject.purpose, recipient=phone, customer_id=caller.customer_id).exists()
    window = Window(DAY, settings.NEW_PHONES_PER_CUSTOMER_DAY)
    new_phones = Limit("new-phones", "" if known else caller.customer_id, [window])
    with budgets.attempt([new_phones], errors.RegisterSMSTooFrenquently, kept_by_success=True):
        _send_and_wait(subject, template, caller)


def send_old_phone_pin(*, template: str, caller: Caller) -> None:
    """A PIN to the phone on file. Raises one of SEND_REFUSALS, MemberNotFound where there is none."""
    _send_and_wait(_old_phone(caller.customer_id), template, caller)


def verify_old_phone(*, pin: str, caller: Caller) -> str:
    """Answers a token that proves the phone on file. Raises MemberNotFound and what pins.held raises."""
    subject = _old_phone(caller.customer_id)
    with pins.held(subject, pin=pin):
        return _proof_of(subject)


def send_email_pin(*, caller: Caller) -> None:
    """A PIN to the e-mail address on file, if there is one. Raises RegisterSMSTooFrenquently."""
    customer = _customer(caller.customer_id)
    subject = Subject(Purpose.EMAIL, customer.profile["email"] or "", caller.customer_id, Channel.EMAIL)
    with limits.emailing(caller.customer_id, refusal=errors.RegisterSMSTooFrenquently):
        if subject.recipient:
            template = f"pin-{notices.suffix(customer.profile['language'])}"
            pins.send(subject, template=template, request_id=caller.request_id)


def verify_email(*, pin: str, caller: Caller) -> str:
    """Answers a token that proves the e-mail address on file, which counts as verified from now on.

    Raises IncorrectPin, RegisterSMSTooFrenquently (too many tries), MemberNotFound.
    """
    email = _customer(caller.customer_id).profile["email"] or ""
    subject = Subject(Purpose.EMAIL, email, caller.customer_id, Channel.EMAIL)
    with pins.held(subject, pin=pin, wrong=errors.IncorrectPin, too_often=errors.RegisterSMSTooFrenquently):
        siebel.update(customer_id=caller.customer_id, verified_email=email, caller=caller)
        return _proof_of(subject)


def _send_and_wait(subject: Subject, template: str, caller: Caller) -> None:
    with limits.sending(phone=subject.recipient, address=caller.address, refusal=errors.RegisterSMSTooFrenquently):
        outbox.wait(pins.send(subject, template=template, request_id=caller.request_id))


def _old_phone(customer_id: str) -> Subject:
    phone = _customer(customer_id).profile["cell_phone"]
    if not phone:
        raise errors.MemberNotFound
    return Subject(Purpose.OLD_PHONE, phone, customer_id)


def _customer(customer_id: str) -> siebel.Customer:
    try:
        return siebel.get(customer_id=customer_id)
    except errors.InvalidMemberID:
        raise errors.MemberNotFound from None


def _proof_of(subject: Subject) -> str:
    proof = Proof(subject.customer_id, proofs.Purpose.UPDATE, subject.channel, subject.recipient)
    return proofs.issue(proof, seconds=settings.PROOF_TOKEN_LIFETIME_SECONDS)
