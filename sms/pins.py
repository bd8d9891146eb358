"""One-time PINs sent by SMS: issued, held while the action that they allow is under way, used up by it.

Every try is counted before it is compared, outside of any request's transaction, and a new PIN does not reset what was
counted for the phone.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from loyalty import budgets, claims, digests, errors
from loyalty.budgets import DAY, HOUR, Limit, Window
from sms import outbox
from sms.models import Message, Pin, Purpose

HOLD = timedelta(seconds=10)


def send(purpose: Purpose, *, phone: str, template: str, request_id: str) -> Message:
    """Issue a new PIN for a purpose and phone, the old one's end, and queue the message that carries it."""
    pin = f"{secrets.randbelow(1_000_000):06}"
    expires_at = timezone.now() + timedelta(seconds=settings.PIN_LIFETIME_SECONDS)
    with transaction.atomic():
        message = outbox.queue(
            phone=phone,
            template=template,
            request_id=request_id,
            expires_at=expires_at,
            pin=pin,
            minutes=settings.PIN_LIFETIME_SECONDS // 60,
        )
        fresh = {
            "digest": _digest(purpose, phone, pin),
            "message": message,
            "tries": 0,
            "expires_at": expires_at,
            "used_at": None,
            "held_until": None,
        }
        Pin.objects.update_or_create(purpose=purpose, phone=phone, defaults=fresh)
    return message


@contextmanager
def held(purpose: Purpose, *, phone: str, pin: str | None) -> Iterator[None]:
    """Check a PIN and keep it from everybody else while the block runs; used up if the block succeeds.

    A request that was let through before and is sent again with its Idempotency-Key is let through again. Raises
    CaptchaRequired (none given), MissingCaptcha (empty), WrongCaptcha (wrong, expired, used), FrequentVerify
    (too many tries, or held by another request), or why the message that carried it was not sent.
    """
    if pin is None:
        raise errors.CaptchaRequired
    if not pin:
        raise errors.MissingCaptcha
    if claims.has_written_before():
        mine = Pin.objects.filter(purpose=purpose, phone=phone, digest=_digest(purpose, phone, pin))
    else:
        row, hold = _checked(purpose, phone, pin)
        mine = Pin.objects.filter(pk=row.pk, digest=row.digest, held_until=hold)
    try:
        yield
    except BaseException:
        mine.update(held_until=None)
        raise
    mine.update(used_at=timezone.now(), held_until=None)


def _checked(purpose: Purpose, phone: str, pin: str) -> tuple[Pin, datetime]:
    attempt = budgets.take([_per_phone(purpose, phone)], errors.FrequentVerify)
    now = timezone.now()
    row = Pin.objects.select_related("message").filter(purpose=purpose, phone=phone).first()
    if row is None or row.used_at or row.expires_at <= now:
        raise errors.WrongCaptcha
    if row.message and row.message.state == Message.State.FAILED:
        attempt.give_back()
        raise errors.BY_CODE[row.message.code or errors.SendFailed.code]
    this = Pin.objects.filter(pk=row.pk, digest=row.digest, used_at=None)
    if not this.filter(tries__lt=settings.PIN_TRIES_PER_PIN).update(tries=F("tries") + 1):
        raise errors.FrequentVerify(retry_after=max((row.expires_at - now).total_seconds(), 1))
    if not digests.matches(row.digest, "sms-pin", purpose, phone, pin):
        raise errors.WrongCaptcha
    hold = now + HOLD
    free = Q(held_until=None) | Q(held_until__lte=now)
    won = this.filter(free).update(held_until=hold, tries=F("tries") - 1)
    attempt.give_back()
    if not won:
        this.update(tries=F("tries") - 1)
        raise errors.FrequentVerify(retry_after=HOLD.total_seconds())
    return row, hold


def _digest(purpose: Purpose, phone: str, pin: str) -> str:
    return digests.keyed("sms-pin", purpose, phone, pin)


def _per_phone(purpose: Purpose, phone: str) -> Limit:
    windows = [Window(HOUR, settings.PIN_TRIES_PER_PHONE_HOUR), Window(DAY, settings.PIN_TRIES_PER_PHONE_DAY)]
    return Limit("pin", f"{purpose}|{phone}", windows)
