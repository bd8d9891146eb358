"""The life of a card as data: what may happen in which status, what comes of it, and who may let it happen.

The rules (lifecycle.py), the admin and docs/cards.md read this table; nothing else changes a card's status.
"""

from dataclasses import dataclass

from django.db import models

from cards.models import CardStatus


class Event(models.TextChoices):
    REGISTER = "register", "Registered by a new customer"
    ADD = "add", "Added to a customer, not live"
    ADD_LIVE = "add live", "Added to a customer, live"
    WAKE = "wake", "Made live"
    REST = "rest", "Gave way to another live card"
    LOSE = "lose", "Reported lost, stolen or damaged"
    REPLACE = "replace", "Sent to replace a lost card"
    REMOVE = "remove", "Removed by its customer"
    CLOSE = "close", "Cancelled with its customer's account"
    REOPEN = "reopen", "Brought back with its customer's account"


class Who(models.TextChoices):
    CUSTOMER = "customer", "the customer"
    RULE = "rule", "a rule, with another card or the account"
    STAFF = "staff", "staff, within fourteen days"


@dataclass(frozen=True)
class Transition:
    event: Event
    source: CardStatus
    target: CardStatus
    who: Who


TRANSITIONS = (
    Transition(Event.REGISTER, CardStatus.ACTIVE, CardStatus.REGISTERED, Who.CUSTOMER),
    Transition(Event.ADD, CardStatus.ACTIVE, CardStatus.DORMANT, Who.CUSTOMER),
    Transition(Event.ADD_LIVE, CardStatus.ACTIVE, CardStatus.REGISTERED, Who.CUSTOMER),
    Transition(Event.WAKE, CardStatus.DORMANT, CardStatus.REGISTERED, Who.CUSTOMER),
    Transition(Event.WAKE, CardStatus.IN_TRANSIT, CardStatus.REGISTERED, Who.CUSTOMER),
    Transition(Event.REST, CardStatus.REGISTERED, CardStatus.DORMANT, Who.RULE),
    Transition(Event.LOSE, CardStatus.REGISTERED, CardStatus.OBSOLETE, Who.CUSTOMER),
    Transition(Event.LOSE, CardStatus.DORMANT, CardStatus.OBSOLETE, Who.CUSTOMER),
    Transition(Event.REPLACE, CardStatus.ACTIVE, CardStatus.IN_TRANSIT, Who.RULE),
    Transition(Event.REMOVE, CardStatus.DORMANT, CardStatus.CANCELLED, Who.CUSTOMER),
    Transition(Event.CLOSE, CardStatus.REGISTERED, CardStatus.CANCELLED, Who.RULE),
    Transition(Event.CLOSE, CardStatus.DORMANT, CardStatus.CANCELLED, Who.RULE),
    Transition(Event.CLOSE, CardStatus.IN_TRANSIT, CardStatus.CANCELLED, Who.RULE),
    Transition(Event.REOPEN, CardStatus.CANCELLED, CardStatus.REGISTERED, Who.STAFF),
    Transition(Event.REOPEN, CardStatus.CANCELLED, CardStatus.DORMANT, Who.STAFF),
    Transition(Event.REOPEN, CardStatus.CANCELLED, CardStatus.IN_TRANSIT, Who.STAFF),
)
_STEPS = {(step.event, step.source, step.target) for step in TRANSITIONS}


class Impossible(Exception):
    """No transition of the table; the rules in front of it should have refused by name."""


def target(event: Event, source: str, wanted: str | None = None) -> CardStatus:
    """What comes of an event; `wanted` where more than one thing may. Raises Impossible."""
    found = [end for e, start, end in _STEPS if (e, start) == (event, source) and wanted in (None, end)]
    if len(found) != 1:
        raise Impossible(f"{event} in {source}")
    return found[0]


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = [f"    {step.source} --> {step.target}: {step.event.value}" for step in TRANSITIONS]
    return "\n".join(["stateDiagram-v2", "    [*] --> Active", *lines, "    Obsolete --> [*]", "    Cancelled --> [*]"])
