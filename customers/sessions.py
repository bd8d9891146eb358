"""Logging in: counted before any hash, the same for a name that exists and one that does not."""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from customers import mobile, siebel, storms
from customers.models import KnownAddress, login_key
from loyalty import authentication, budgets, digests, errors
from loyalty.budgets import HOUR, Limit, Window
from loyalty.callers import Caller

PER_NAME, PER_KNOWN = "login-name", "login-known"
KNOWN_FOR = timedelta(days=30)
RIGHT_PASSWORD = (errors.NeedEmailActiveMember, errors.RefuseLoginDueUnverifiedMobile)
REFUSALS = (errors.InvalidEmailAndPassword, *RIGHT_PASSWORD)


@dataclass(frozen=True)
class Session:
    """`expires_in` in seconds."""

    customer_id: str
    token: str
    expires_in: int


def log_in(*, user: str, password: str, caller: Caller) -> Session:
    """Raises one of REFUSALS, or TooManyRequests after too many wrong passwords, with the right one too.

    RefuseLoginDueUnverifiedMobile carries the ticket that sendMobilePin takes for another number.
    """
    name = login_key(user)
    per_name = _per_name(name)
    if _is_known(name, caller.address):
        per_name = replace(per_name, kind=PER_KNOWN, subject=_known(name, caller.address))
    proved_at = timezone.now()
    try:
        with budgets.attempt(
            [per_name, _per_address(caller.address)],
            errors.TooManyRequests,
            kept_by=(errors.InvalidEmailAndPassword,),
        ):
            customer_id = siebel.check_password(user=user, password=password)
    except errors.InvalidEmailAndPassword:
        storms.note()
        raise
    except RIGHT_PASSWORD as refusal:
        budgets.clear(per_name.kind, per_name.subject)
        if isinstance(refusal, errors.RefuseLoginDueUnverifiedMobile):
            refusal.extra["ticket"] = mobile.open_window(user)
        raise
    budgets.clear(per_name.kind, per_name.subject)
    _remember(name, caller.address)
    return Session(customer_id, *authentication.issue_token(customer_id, proved_at=proved_at))


def _is_known(name: str, address: str) -> bool:
    """Whether this name logged in from here lately: then others' guesses elsewhere do not lock it out here."""
    seen = KnownAddress.objects.filter(pk=_known(name, address), seen_at__gt=timezone.now() - KNOWN_FOR)
    return bool(address) and seen.exists()


def _remember(name: str, address: str) -> None:
    if address:
        seen = {"name": _known(name), "seen_at": timezone.now()}
        KnownAddress.objects.update_or_create(pk=_known(name, address), defaults=seen)


def _known(*parts: str) -> str:
    return digests.keyed_for_ever("known-address", *parts)


def unlock(*names: str) -> None:
    """Staff: forget the wrong passwords that were tried for these user names and e-mail addresses, from anywhere."""
    for name in filter(None, names):
        budgets.clear(PER_NAME, login_key(name))
        for address in KnownAddress.objects.filter(name=_known(login_key(name))):
            budgets.clear(PER_KNOWN, address.pk)


def _per_name(name: str) -> Limit:
    return Limit(PER_NAME, name, [Window(15 * 60, settings.LOGIN_PER_NAME_15MIN)], lock=(15 * 60, HOUR))


def _per_address(address: str) -> Limit:
    return Limit("login-address", address, [Window(5 * 60, budgets.scaled(settings.LOGIN_PER_ADDRESS_5MIN))])
