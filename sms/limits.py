"""How often messages may be sent: each costs money, and each rings somebody's phone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.utils import timezone

from loyalty import budgets, errors
from loyalty.budgets import DAY, HOUR, Rule, Window


@contextmanager
def sending(*, phone: str, address: str, card: str = "", refusal: type[errors.Refusal]) -> Iterator[None]:
    """Count one message to `phone` in every limit while the block sends it; given back where it was not sent.

    Raises `refusal` with the seconds to wait.
    """
    with ExitStack() as stack:
        for kind, subject, rule in _limits(phone, address, card):
            stack.enter_context(
                budgets.attempt(
                    kind, subject, rule, refusal, kept_by=(errors.FrequentSend,), kept_by_success=True
                )  # the gateway's own FrequentSend means that messages did go out
            )
        budgets.count("sms-day", str(timezone.localdate()), budgets.scaled(settings.SMS_PER_DAY), refusal)
        yield


def _limits(phone: str, address: str, card: str) -> Iterator[tuple[str, str, Rule]]:
    yield (
        "sms-phone",
        phone,
        Rule(
            [
                Window(settings.SMS_PHONE_COOLDOWN_SECONDS, 1),
                Window(HOUR, settings.SMS_PER_PHONE_HOUR),
                Window(DAY, settings.SMS_PER_PHONE_DAY),
            ]
        ),
    )
    yield (
        "sms-card",
        card,
        Rule([Window(settings.SMS_CARD_COOLDOWN_SECONDS, 1), Window(DAY, settings.SMS_PER_CARD_DAY)]),
    )
    yield "sms-address", address, Rule([Window(HOUR, budgets.scaled(settings.SMS_PER_ADDRESS_HOUR))])
