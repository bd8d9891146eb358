"""One-time PINs: issued, held while the action that they allow is under way, used up by it.

Every try is counted before it is compared, outside of any request's transaction, and a new PIN does not reset what was
counted for the phone or address.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from loyalty import budgets, claims, digests, errors
from loyalty.budgets import DAY, HOUR, Limit, Window
from sms import outbox
from sms.models import Channel, Message, Pin, Purpose

HOLD = timedelta(seconds=30)  # longer than any lock is waited for


@dataclass(frozen=True)
class Subject:
    """What a PIN is for, and to whom it goes; `customer_id` where it allows an action of that customer alone.

    A PIN that was sent for nobody in particular (sms/send) serves any customer who holds the phone.
    """

    purpose: Purpose
    recipient: str
    customer_id: str = ""
    channel: Channel = Channel.SMS


def send(subject: Subject, *, template: str, request_id: str, to_nobody: bool = False) -> Message:
    """Issue a new PIN, the end of the old one, and queue the message that carries it.

    `to_nobody`: all of that, but the message is thrown away, so that neither now nor when the PIN is tried anything
    tells that there is nobody.
    """
    pin = f"{secrets.randbelow(1_000_000):06}"
    expires_at = timezone.now() + timedelta(seconds=settings.PIN_LIFETIME_SECONDS)
    with transaction.atomic():
        message = outbox.queue(
            channel=subject.channel,
            recipient=subject.recipient,
            customer_id=subject.customer_id,
            template=template,
            request_id=request_id,
            expires_at=expires_at,
            pin=pin,
            minutes=settings.PIN_LIFETIME_SECONDS // 60,
        )
        fresh = {
            "customer_id": subject.customer_id,
            "digest": digests.keyed(*_signed(subject.purpose, subject.recipient, subject.customer_id, pin)),
            "message": message,
            "tries": 0,
            "issued_at": timezone.now(),
            "expires_at": expires_at,
            "used_at": None,
            "held_until": None,
        }
        Pin.objects.update_or_create(purpose=subject.purpose, recipient=subject.recipient, defaults=fresh)
        if to_nobody:
            message.delete()
    return message


@contextmanager
def held(
    subject: Subject,
    *,
    pin: str | None,
    wrong: type[errors.Refusal] = errors.WrongCaptcha,
    too_often: type[errors.Refusal] = errors.FrequentVerify,
) -> Iterator[None]:
    """Check a PIN and keep it from everybody else while the block runs; used up if the block succeeds.

    A request that was let through before and is sent again with its Idempotency-Key is let through again. Raises
    CaptchaRequired (none given), MissingCaptcha (empty), `wrong` (wrong, expired, used, somebody else's), `too_often`
    (too many tries, or held by another request), or why the message that carried it was not sent.
    """
    if pin is None:
        raise errors.CaptchaRequired
    if not pin:
        raise errors.MissingCaptcha
    if claims.has_written_before():
        digest = digests.keyed(*_signed(subject.purpose, subject.recipient, subject.customer_id, pin))
        mine = Pin.objects.filter(purpose=subject.purpose, recipient=subject.recipient, digest=digest)
    else:
        row, hold = _checked(subject, pin, wrong, too_often)
        mine = Pin.objects.filter(pk=row.pk, digest=row.digest, held_until=hold)
    try:
        yield
    except BaseException:
        mine.update(held_until=None)
        raise
    mine.update(used_at=timezone.now(), held_until=None)


def check(subject: Subject, *, pin: str, too_often: type[errors.Refusal]) -> None:
    """As `held`, and the PIN stays usable."""
    row, hold = _checked(subject, pin, errors.WrongCaptcha, too_often)
    Pin.objects.filter(pk=row.pk, digest=row.digest, held_until=hold).update(held_until=None)


def newest(recipient: str, purposes: Sequence[Purpose]) -> Purpose:
    """Which of these purposes the last PIN was for that serves anybody who holds the phone; the first where none is."""
    rows = Pin.objects.filter(recipient=recipient, purpose__in=purposes, customer_id="")
    found = rows.order_by("-expires_at").values_list("purpose", flat=True).first()
    return Purpose(found) if found else purposes[0]


def void(subject: Subject) -> None:
    """The live PIN, if there is one, allows nothing any more."""
    live = Pin.objects.filter(purpose=subject.purpose, recipient=subject.recipient, used_at=None)
    live.update(used_at=timezone.now())


def unlock(recipient: str) -> bool:
    """Staff: forget the wrong tries at every PIN of a phone or address; tells whether there were any."""
    found = [budgets.clear(_KIND, _counted(Subject(purpose, recipient))) for purpose in Purpose]
    return any(found)


_KIND = "pin"


def _checked(
    subject: Subject, pin: str, wrong: type[errors.Refusal], too_often: type[errors.Refusal]
) -> tuple[Pin, datetime]:
    now = timezone.now()
    rows = Pin.objects.select_related("message").filter(purpose=subject.purpose, recipient=subject.recipient)
    row = rows.filter(customer_id__in=("", subject.customer_id), used_at=None, expires_at__gt=now).first()
    attempt = budgets.take([_limit(subject, in_a_row=row is not None)], too_often)
    if row is None:
        raise wrong
    tells = subject.purpose != Purpose.PASSWORD  # to nobody no message failed
    if tells and row.message and row.message.state == Message.State.FAILED and not row.message.provider_id:
        attempt.give_back()
        raise outbox.refusal_of(row.message.code)
    this = Pin.objects.filter(pk=row.pk, digest=row.digest, used_at=None)
    if not this.filter(tries__lt=settings.PIN_TRIES_PER_PIN).update(tries=F("tries") + 1):
        raise too_often(retry_after=max((row.expires_at - now).total_seconds(), 1))
    if not digests.matches(row.digest, *_signed(subject.purpose, subject.recipient, row.customer_id, pin)):
        raise wrong
    hold = now + HOLD
    free = Q(held_until=None) | Q(held_until__lte=now)
    won = this.filter(free).update(held_until=hold, tries=F("tries") - 1)
    attempt.give_back(forgiven=bool(won))
    if not won:
        this.update(tries=F("tries") - 1)
        raise too_often(retry_after=HOLD.total_seconds())
    return row, hold


def _signed(purpose: str, recipient: str, customer_id: str, pin: str) -> tuple[str, ...]:
    return "sms-pin", purpose, recipient, customer_id, pin


def _counted(subject: Subject) -> str:
    return f"{subject.purpose}|{subject.recipient}"


def _limit(subject: Subject, *, in_a_row: bool) -> Limit:
    """`in_a_row`: there is a PIN to be guessed; only then a row of wrong ones ends with staff."""
    windows = [Window(HOUR, settings.PIN_TRIES_PER_PHONE_HOUR), Window(DAY, settings.PIN_TRIES_PER_PHONE_DAY)]
    return Limit(_KIND, _counted(subject), windows, ever=settings.PIN_TRIES_IN_A_ROW if in_a_row else None)
