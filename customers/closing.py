"""Closing an account: the member, the cards, and every log-in. Staff may undo it for fourteen days."""

from django.conf import settings

from customers import siebel
from loyalty import authentication, budgets, errors
from loyalty.budgets import DAY, Limit, Window
from loyalty.callers import Caller
from sms import notices
from sms.notices import Reader


def disable(*, reason: str, caller: Caller) -> None:
    """Raises InvalidMemberID, or TooManyRequests."""
    limit = Limit("disable", caller.customer_id, [Window(DAY, settings.DISABLES_PER_CUSTOMER_DAY)])
    with budgets.attempt([limit], errors.TooManyRequests, kept_by=(errors.Refusal,), kept_by_success=True):
        close(reason=reason, caller=caller)


def close(*, reason: str, caller: Caller) -> None:
    """Close the account of `caller.customer_id`, and tell its owner. Raises InvalidMemberID."""
    customer = siebel.get(customer_id=caller.customer_id)
    siebel.disable(customer_id=caller.customer_id, reason=reason, caller=caller)
    authentication.revoke_tokens(caller.customer_id)
    profile = {name: customer.profile[name] or "" for name in ("language", "cell_phone", "email")}
    notices.tell(Reader(caller.customer_id, **profile), "account-closed", request_id=caller.request_id)


def reopen(*, reason: str, caller: Caller) -> None:
    """Undo it: the account is open again, each card what it was. Raises InvalidMemberID after fourteen days."""
    siebel.reopen(customer_id=caller.customer_id, reason=reason, caller=caller)
