"""What a gateway is given, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from loyalty import errors


@dataclass(frozen=True)
class ShortMessage:
    """`reference` is our name for it.

    `provider_code` and `variables`, under the provider's names and in its order, are for gateways that keep the
    approved text themselves.
    """

    phone: str
    template: str
    text: str
    reference: str
    provider_code: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Accepted:
    """The gateway has taken it; `provider_id` is its own name for the message."""

    provider_id: str


@dataclass(frozen=True)
class Refused:
    """The gateway said no: it was not sent. `again`: the same may be accepted later. `alarm`: somebody must act."""

    refusal: type[errors.Refusal]
    again: bool = False
    reason: str = ""
    alarm: bool = False


@dataclass(frozen=True)
class Unreached:
    """It was not sent, since the gateway is away or broken: worth another try, not worth a storm of them."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """No answer, or none that means anything: it may have been sent, so it is not sent again."""

    reason: str = ""


Verdict = Accepted | Refused | Unreached | Unknown


class Gateway(Protocol):
    """`keeps_texts`: it sends texts that it has approved, so a template must name its own."""

    keeps_texts: bool

    def send(self, message: ShortMessage) -> Verdict:
        """Send once; never raises for what the outside does."""
