"""Verifying a cell phone: for some minutes after a log-in that was refused because the phone is not verified."""

import hmac
import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from customers import siebel
from customers.models import MobileWindow
from customers.siebel import Found
from loyalty import errors
from loyalty.callers import Caller
from loyalty.digests import token_digest
from sms import limits, notices, outbox, pins
from sms.models import Pin, Purpose
from sms.notices import Reader
from sms.pins import Subject

SEND_REFUSALS = (
    *outbox.REFUSALS,
    errors.PhoneNotValid,
    errors.TemplateNotValid,
    errors.MissingNo,
    errors.MissingMsg,
    errors.RegisterSMSTooFrenquently,
    errors.NeedLoginFirstBeforeVerifyMobile,
)
VERIFY_REFUSALS = (
    errors.PhoneNotValid,
    errors.WrongAccessKey,
    errors.MissingParams,
    errors.WrongSign,
    errors.WrongParams,
    errors.WrongCaptcha,
    errors.MissingNo,
    errors.MissingCaptcha,
    errors.FrequentVerify,
    errors.NeedLoginFirstBeforeVerifyMobile,
    errors.CaptchaRequired,
)


def open_window(user: str) -> str:
    """For whoever has just given this user's right password; answers the ticket that allows another number."""
    ticket = secrets.token_urlsafe(24)
    for customer in siebel.find(user=user):
        MobileWindow.objects.update_or_create(
            customer_id=customer.customer_id,
            defaults={
                "ticket_digest": token_digest(ticket),
                "opened_at": timezone.now(),
                "expires_at": timezone.now() + timedelta(seconds=settings.MOBILE_WINDOW_SECONDS),
            },
        )
    return ticket


def close_window(customer_id: str) -> None:
    """Whoever opened it with a password that is gone has no business here any more."""
    MobileWindow.objects.filter(pk=customer_id).delete()


def send_pin(*, phone: str, template: str, user: str, ticket: str = "", caller: Caller) -> None:
    """Raises one of SEND_REFUSALS; never waits for the gateway, as that would tell who there is."""
    with limits.sending(phone=phone, address=caller.address, refusal=errors.RegisterSMSTooFrenquently):
        customer = _inside(user, phone, ticket)
        subject = Subject(Purpose.MOBILE, phone, customer.customer_id)
        pins.send(subject, template=template, request_id=caller.request_id)


def verify(*, phone: str, pin: str | None, user: str, ticket: str = "", caller: Caller) -> None:
    """The phone is on file, verified, from now on. Raises one of VERIFY_REFUSALS."""
    if pin is None:
        raise errors.CaptchaRequired
    customer = _inside(user, phone, ticket)
    with pins.held(Subject(Purpose.MOBILE, phone, customer.customer_id), pin=pin):
        siebel.update(customer_id=customer.customer_id, cell_phone=phone, verified_cell_phone=phone, caller=caller)
    close_window(customer.customer_id)
    if phone != customer.cell_phone:
        old = Reader(customer.customer_id, customer.language, customer.cell_phone, customer.email)
        notices.tell(old, "phone-changed", request_id=caller.request_id)


def _inside(user: str, phone: str, ticket: str) -> Found:
    """The user, if his window is open and this phone is on file, or the ticket is right.

    A live PIN that was sent to another phone on the strength of this window's ticket vouches for it too. Raises
    NeedLoginFirstBeforeVerifyMobile.
    """
    for customer in siebel.find(user=user):
        window = MobileWindow.objects.filter(pk=customer.customer_id, expires_at__gt=timezone.now()).first()
        if window is None:
            continue
        if phone == customer.cell_phone or hmac.compare_digest(window.ticket_digest, token_digest(ticket)):
            return customer
        sent = Pin.objects.filter(purpose=Purpose.MOBILE, recipient=phone, customer_id=customer.customer_id)
        if sent.filter(used_at=None, expires_at__gt=timezone.now(), issued_at__gte=window.opened_at).exists():
            return customer
    raise errors.NeedLoginFirstBeforeVerifyMobile
