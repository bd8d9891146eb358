"""The budget of wrong card PINs: one for every operation that compares a card's PIN, whatever CRM stands behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from loyalty import budgets, errors
from loyalty.budgets import DAY, HOUR, Rule, Window

PER_CARD = "card-pin"
PER_ADDRESS = "card-pin-address"


@contextmanager
def guess(card_number: str, address: str) -> Iterator[None]:
    """Count one guess at a card's PIN while the block compares it; only a wrong one stays counted.

    Raises FrequentVerify, whether the PIN would have been right or not.
    """
    wrong = (errors.IncorrectPin,)
    with (
        budgets.attempt(PER_CARD, card_number, _per_card(), errors.FrequentVerify, kept_by=wrong),
        budgets.attempt(PER_ADDRESS, address, _per_address(), errors.FrequentVerify, kept_by=wrong),
    ):
        yield


def unlock(card_number: str) -> bool:
    """Staff: forget a card's wrong PINs; tells whether there were any."""
    return budgets.clear(PER_CARD, card_number)


def _per_card() -> Rule:
    windows = [Window(HOUR, settings.CARD_PIN_PER_CARD_HOUR), Window(DAY, settings.CARD_PIN_PER_CARD_DAY)]
    return Rule(windows, ever=settings.CARD_PIN_PER_CARD_EVER)


def _per_address() -> Rule:
    return Rule([Window(HOUR, budgets.scaled(settings.CARD_PIN_PER_ADDRESS_HOUR))])
