"""A new password: by the current one, by a PIN to the phone, by a link to the e-mail address.

The public ways answer the same, after the same work, whether there is such a customer or not.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.conf import settings
from django.db import transaction

from customers import mobile, proofs, siebel
from customers.models import login_key
from customers.proofs import Proof
from loyalty import authentication, budgets, errors, passwords, rates, relay
from loyalty.budgets import HOUR, Limit, Window
from loyalty.callers import Caller
from sms import limits, notices, outbox, pins
from sms.models import Channel, Purpose
from sms.notices import Reader
from sms.pins import Subject

SEND_REFUSALS = (
    *outbox.REFUSALS,
    errors.PhoneNotValid,
    errors.TemplateNotValid,
    errors.MissingNo,
    errors.MissingMsg,
    errors.RegisterSMSTooFrenquently,
    errors.MultiAccountBoundToOnePhone,
)
RESET_REFUSALS = (
    errors.TokenAlreadyUsed,
    errors.TokenInvalid,
    errors.EmailsDontMatch,
    errors.PasswordNotStrong,
    errors.InvalidMemberID,
    errors.EmailNotFound,
    errors.IncorrectUserPassword,
)
_KIND = "password"
_NOBODY = siebel.Found("", "", "", "")


def change(*, password: str, new_password: str, caller: Caller) -> None:
    """By the current password; ends every log-in.

    Raises InvalidMemberID, EmailNotFound, IncorrectUserPassword, PasswordNotStrong, or TooManyRequests after too many
    wrong ones.
    """
    with _wrong_passwords(caller.customer_id):
        customer = siebel.get(customer_id=caller.customer_id)
        _demand_strong(new_password, customer)
        siebel.set_password(
            customer_id=customer.customer_id, new_password=new_password, password=password, caller=caller
        )
    _has_changed(customer, caller)


def send_pin(*, phone: str, template: str, user: str = "", caller: Caller) -> None:
    """A PIN to the phone of a customer who forgot his password; nobody learns whether there is one.

    Raises one of SEND_REFUSALS, of which MultiAccountBoundToOnePhone needs no `user` to have been given.
    """
    with limits.sending(phone=phone, address=caller.address, refusal=errors.RegisterSMSTooFrenquently):
        found = siebel.find(user=user, cell_phone=phone)
        if len(found) > 1:
            raise errors.MultiAccountBoundToOnePhone
        subject = Subject(Purpose.PASSWORD, phone)
        pins.send(subject, template=template, request_id=caller.request_id, to_nobody=not found)


def verify_pin(*, phone: str, pin: str, user: str = "") -> tuple[str, str]:
    """Answers the customer's id and a token for a new password.

    Raises what pins.held raises, and MultiAccountBoundToOnePhone, in which case the PIN stays usable with a `user`.
    """
    with pins.held(Subject(Purpose.PASSWORD, phone), pin=pin):
        found = siebel.find(user=user, cell_phone=phone)
        if len(found) > 1:
            raise errors.MultiAccountBoundToOnePhone
        if not found:
            raise errors.WrongCaptcha
        proof = Proof(found[0].customer_id, proofs.Purpose.PASSWORD, Channel.SMS, phone)
        return proof.customer_id, proofs.issue(proof, seconds=settings.PROOF_TOKEN_LIFETIME_SECONDS)


def send_link(*, email: str, caller: Caller) -> None:
    """A link to the address on file; nobody learns whether there is one. Raises TooManyRequests."""
    with limits.emailing(login_key(email), address=caller.address, refusal=errors.TooManyRequests):
        found = next(iter(siebel.find(user=email)), None)
        with _kept_if(found is not None):
            _queue_link(found or _NOBODY, caller)


def reset(*, token: str, new_password: str, channel: Channel, caller: Caller) -> str:
    """By a token that proved the phone or the e-mail address; ends every log-in. Answers the customer's id.

    Raises one of RESET_REFUSALS, or TooManyRequests.
    """
    if caller.address:
        rates.hit(caller.address, [("tokens", budgets.scaled(settings.TOKEN_TRIES_PER_ADDRESS_MINUTE), 60)])
    with proofs.held(token, proofs.Purpose.PASSWORD, channel) as proof:
        customer = siebel.get(customer_id=proof.customer_id)
        _demand_strong(new_password, customer)
        proved = {"cell_phone" if channel == Channel.SMS else "email": proof.proved}
        siebel.set_password(customer_id=proof.customer_id, new_password=new_password, caller=caller, **proved)
    _has_changed(customer, caller)
    return proof.customer_id


def _queue_link(customer: siebel.Found, caller: Caller) -> None:
    proof = Proof(customer.customer_id, proofs.Purpose.PASSWORD, Channel.EMAIL, customer.email)
    token = proofs.issue(proof, seconds=settings.RESET_LINK_LIFETIME_SECONDS)
    outbox.queue(
        channel=Channel.EMAIL,
        recipient=customer.email,
        customer_id=customer.customer_id,
        template=f"reset-{notices.suffix(customer.language)}",
        request_id=caller.request_id,
        link=settings.RESET_LINK.replace("{token}", token),
        minutes=settings.RESET_LINK_LIFETIME_SECONDS // 60,
    )


@contextmanager
def _kept_if(wanted: bool) -> Iterator[None]:
    """What is not wanted is done all the same and rolled back, so that it takes as long."""
    with transaction.atomic():
        yield
        transaction.set_rollback(not wanted)
    if not wanted:
        relay.ring()


def _wrong_passwords(customer_id: str) -> AbstractContextManager[None]:
    windows = [
        Window(60, settings.PASSWORD_TRIES_PER_CUSTOMER_MINUTE),
        Window(HOUR, settings.PASSWORD_TRIES_PER_CUSTOMER_HOUR),
    ]
    limit = Limit(_KIND, customer_id, windows)
    return budgets.attempt([limit], errors.TooManyRequests, kept_by=(errors.IncorrectUserPassword,))


def unlock(customer_id: str) -> None:
    """Staff: forget the wrong current passwords."""
    budgets.clear(_KIND, customer_id)


def _demand_strong(new_password: str, customer: siebel.Customer) -> None:
    names = ("user_name", "email", "first_name", "last_name")
    passwords.demand_strong(new_password, **{name: customer.profile[name] or "" for name in names})


def _has_changed(customer: siebel.Customer, caller: Caller) -> None:
    authentication.revoke_tokens(customer.customer_id)
    proofs.void(customer.customer_id, proofs.Purpose.PASSWORD)
    pins.void(Subject(Purpose.PASSWORD, customer.profile["cell_phone"] or ""))
    mobile.close_window(customer.customer_id)
    profile = customer.profile
    reader = Reader(
        customer.customer_id, profile["language"] or "", profile["cell_phone"] or "", profile["email"] or ""
    )
    notices.tell(reader, "password-changed", request_id=caller.request_id)
