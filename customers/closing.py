"""Closing an account: the member, the cards, and every log-in. Staff may undo it for fourteen days."""

from django.conf import settings

from customers import siebel
from loyalty import authentication, budgets, errors
from loyalty.budgets import DAY, Limit, Window
from loyalty.callers import Caller


def disable(*, reason: str, caller: Caller) -> None:
    """Raises InvalidMemberID, or TooManyRequests."""
    customer_id = caller.customer_id
    limit = Limit("disable", customer_id, [Window(DAY, settings.DISABLES_PER_CUSTOMER_DAY)])
    with budgets.attempt([limit], errors.TooManyRequests, kept_by=(errors.Refusal,), kept_by_success=True):
        siebel.disable(customer_id=customer_id, reason=reason, caller=caller)
    authentication.revoke_tokens(customer_id)
