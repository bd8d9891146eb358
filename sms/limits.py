"""How often messages may be sent: each costs money, and each rings somebody's phone."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import timezone

from loyalty import budgets, errors
from loyalty.budgets import DAY, HOUR, Limit, Window
from sms import desk


@contextmanager
def sending(*, phone: str, address: str, card: str = "", refusal: type[errors.Refusal]) -> Iterator[None]:
    """Count one message to `phone` in every limit while the block sends it; given back where it was not sent.

    Raises `refusal` with the seconds to wait, or SendFailed where staff let nothing go to this phone.
    """
    desk.demand_open(phone)
    per_phone = [
        Window(settings.SMS_PHONE_COOLDOWN_SECONDS, 1),
        Window(HOUR, settings.SMS_PER_PHONE_HOUR),
        Window(DAY, settings.SMS_PER_PHONE_DAY),
    ]
    per_card = [Window(settings.SMS_CARD_COOLDOWN_SECONDS, 1), Window(DAY, settings.SMS_PER_CARD_DAY)]
    limits = (
        Limit("sms-phone", phone, per_phone),
        Limit("sms-card", card, per_card),
        Limit("sms-address", address, [Window(HOUR, budgets.scaled(settings.SMS_PER_ADDRESS_HOUR))]),
    )
    # The gateway's own FrequentSend means that messages did go out to this phone.
    with budgets.attempt(limits, refusal, kept_by=(errors.FrequentSend,), kept_by_success=True):
        budgets.count("sms-day", str(timezone.localdate()), budgets.scaled(settings.SMS_PER_DAY), refusal)
        yield


def share_of_the_day() -> float:
    """How much of the daily ceiling is used up, 1 for all of it."""
    return budgets.counted("sms-day", str(timezone.localdate())) / budgets.scaled(settings.SMS_PER_DAY)
