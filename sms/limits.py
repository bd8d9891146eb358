"""How often messages may be sent: each costs money, and each rings somebody's phone."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import timezone

from loyalty import budgets, errors
from loyalty.budgets import DAY, HOUR, Limit, Window
from sms import desk
from sms.models import Channel


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
    of_phone = Limit("sms-phone", phone, per_phone)
    others = (
        Limit("sms-card", card, per_card),
        Limit("sms-address", address, [Window(HOUR, budgets.scaled(settings.SMS_PER_ADDRESS_HOUR))]),
    )
    with (
        budgets.attempt(others, refusal, kept_by_success=True),
        # The gateway's own FrequentSend means that messages did go out to this phone.
        budgets.attempt([of_phone], refusal, kept_by=(errors.FrequentSend,), kept_by_success=True),
    ):
        day = _count_of_the_day(refusal)
        try:
            yield
        except errors.FrequentSend:
            raise
        except BaseException:
            budgets.uncount("sms-day", day)
            raise


@contextmanager
def emailing(recipient: str, *, address: str = "", refusal: type[errors.Refusal]) -> Iterator[None]:
    """The same for an e-mail; `recipient` is the customer's id or the address that was asked for.

    Raises `refusal` with the seconds to wait.
    """
    per_recipient = [Window(settings.EMAIL_COOLDOWN_SECONDS, 1), Window(DAY, settings.EMAILS_PER_RECIPIENT_DAY)]
    per_address = [Window(HOUR, budgets.scaled(settings.RESET_EMAILS_PER_ADDRESS_HOUR))]
    limits = (Limit("email", recipient, per_recipient), Limit("email-address", address, per_address))
    with budgets.attempt(limits, refusal, kept_by_success=True):
        yield


def count_notice(channel: Channel, recipient: str) -> None:
    """Count a message that nobody asked for. Raises TooManyRequests where it must not be sent."""
    window = Window(DAY, settings.NOTICES_PER_RECIPIENT_DAY)
    budgets.take([Limit("notice", recipient, [window])], errors.TooManyRequests)
    if channel == Channel.SMS:
        _count_of_the_day(errors.TooManyRequests)


def _count_of_the_day(refusal: type[errors.Refusal]) -> str:
    """Answers the day that it was counted for."""
    day = str(timezone.localdate())
    budgets.count("sms-day", day, budgets.scaled(settings.SMS_PER_DAY), refusal)
    return day


def share_of_the_day() -> float:
    """How much of the daily ceiling is used up, 1 for all of it."""
    return budgets.counted("sms-day", str(timezone.localdate())) / budgets.scaled(settings.SMS_PER_DAY)
