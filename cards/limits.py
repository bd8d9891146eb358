"""What one customer may try with cards: how many to add, how many numbers to guess at, how many to have replaced."""

from contextlib import AbstractContextManager

from django.conf import settings

from loyalty import budgets, errors
from loyalty.budgets import DAY, HOUR, Limit, Window

_MISSES = (errors.CardNotFound, errors.CardRegisteredWithAnotherCustomer)


def adding(customer_id: str) -> AbstractContextManager[None]:
    """Counts whatever comes of it. Raises TooManyRequests."""
    limit = Limit("card-add", customer_id, [Window(DAY, settings.CARD_ADDS_PER_CUSTOMER_DAY)])
    return budgets.attempt([limit], errors.TooManyRequests, kept_by=(errors.Refusal,), kept_by_success=True)


def naming(customer_id: str) -> AbstractContextManager[None]:
    """Counts numbers that are not the customer's own. Raises TooManyRequests."""
    limit = Limit("card-misses", customer_id, [Window(HOUR, settings.CARD_MISSES_PER_CUSTOMER_HOUR)])
    return budgets.attempt([limit], errors.TooManyRequests, kept_by=_MISSES)


def replacing(customer_id: str, *, wanted: bool) -> AbstractContextManager[None]:
    """Counts replacements that were sent. Raises TooManyRequests."""
    window = Window(30 * DAY, settings.REPLACEMENTS_PER_CUSTOMER_30DAYS)
    limit = Limit("replacements", customer_id if wanted else "", [window])
    return budgets.attempt([limit], errors.TooManyRequests, kept_by_success=True)
