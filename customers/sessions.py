"""Logging in: counted before any hash, the same for a name that exists and one that does not."""

from dataclasses import dataclass

from django.conf import settings

from customers import siebel
from customers.models import login_key
from loyalty import authentication, budgets, errors
from loyalty.budgets import HOUR, Rule, Window
from loyalty.callers import Caller

REFUSALS = (errors.InvalidEmailAndPassword, errors.NeedEmailActiveMember, errors.RefuseLoginDueUnverifiedMobile)


@dataclass(frozen=True)
class Session:
    """`expires_in` in seconds."""

    customer_id: str
    token: str
    expires_in: int


def log_in(*, user: str, password: str, caller: Caller) -> Session:
    """Raises one of REFUSALS, or TooManyRequests after too many wrong passwords, with the right one too."""
    by_name = budgets.take("login-name", login_key(user), _per_name(), errors.TooManyRequests)
    wrong = (errors.InvalidEmailAndPassword,)
    try:
        with budgets.attempt(
            "login-address", caller.address, _per_address(), errors.TooManyRequests, kept_by=wrong
        ):
            customer_id = siebel.check_password(user=user, password=password)
    except wrong:
        raise
    except (errors.NeedEmailActiveMember, errors.RefuseLoginDueUnverifiedMobile):
        by_name.forgive()  # the password was right
        raise
    except BaseException:
        by_name.give_back()
        raise
    by_name.forgive()
    return Session(customer_id, *authentication.issue_token(customer_id))


def _per_name() -> Rule:
    return Rule([Window(15 * 60, settings.LOGIN_PER_NAME_15MIN)], lock=(15 * 60, HOUR))


def _per_address() -> Rule:
    return Rule([Window(5 * 60, budgets.scaled(settings.LOGIN_PER_ADDRESS_5MIN))])
