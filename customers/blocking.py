"""Blocking a customer: no log-in and no change until staff take it back; the cards stay as they are."""

from customers import siebel
from loyalty import authentication
from loyalty.callers import Caller


def block(*, reason: str, caller: Caller) -> None:
    """Raises InvalidMemberID for whoever is no active customer."""
    siebel.block(customer_id=caller.customer_id, reason=reason, caller=caller)
    authentication.revoke_tokens(caller.customer_id)


def unblock(*, reason: str, caller: Caller) -> None:
    """Raises InvalidMemberID for whoever is not blocked."""
    siebel.unblock(customer_id=caller.customer_id, reason=reason, caller=caller)
