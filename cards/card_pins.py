"""The budget of wrong card PINs: one for every operation that compares a card's PIN, whatever CRM stands behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from loyalty import budgets, errors
from loyalty.budgets import DAY, HOUR, Limit, Window

PER_CARD = "card-pin"


@contextmanager
def guess(card_number: str, address: str) -> Iterator[None]:
    """Count one guess at a card's PIN while the block compares it; only a wrong one stays counted.

    Raises FrequentVerify, whether the PIN would have been right or not.
    """
    limits = (_per_card(card_number), _per_address(address))
    with budgets.attempt(limits, errors.FrequentVerify, kept_by=(errors.IncorrectPin,)):
        yield


def unlock(card_number: str) -> bool:
    """Staff: forget a card's wrong PINs; tells whether there were any."""
    return budgets.clear(PER_CARD, card_number)


def _per_card(card_number: str) -> Limit:
    windows = [Window(HOUR, settings.CARD_PIN_PER_CARD_HOUR), Window(DAY, settings.CARD_PIN_PER_CARD_DAY)]
    return Limit(PER_CARD, card_number, windows, ever=settings.CARD_PIN_PER_CARD_EVER)


def _per_address(address: str) -> Limit:
    return Limit("card-pin-address", address, [Window(HOUR, budgets.scaled(settings.CARD_PIN_PER_ADDRESS_HOUR))])
