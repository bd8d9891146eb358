"""Who calls: the credential's holder and the address that limits count."""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from loyalty.scopes import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Client:
    """A REST client that sent a live key."""

    pk: int
    name: str
    scopes: frozenset[str]
    is_gateway: bool
    source_codes: tuple[str, ...]
    partner_codes: tuple[str, ...]

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Caller:
    """What functions below the views are told of the request: `address` is the end user's as far as it can be known."""

    address: str
    request_id: str
    client: Client | None = None
    customer_id: str = ""
    staff: str = ""

    @property
    def actor(self) -> str:
        """Who acts, for histories."""
        if self.staff:
            return f"staff {self.staff}"
        return f"client {self.client.name}" if self.client else "customer"


@lru_cache(maxsize=64)
def networks(entries: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(entry, strict=False) for entry in entries)


def within(address: str, entries: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks; never for something that is no address."""
    try:
        parsed = _parsed(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks(entries))


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """`::ffff:192.0.2.1`, as a socket for both families writes it, is 192.0.2.1. Raises ValueError."""
    parsed = ipaddress.ip_address(address)
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed


def connecting_address(request: HttpRequest) -> str:
    """The address that connected to us or to our outermost trusted proxy."""
    address = str(_parsed(request.META.get("REMOTE_ADDR") or "127.0.0.1"))  # a Unix socket has none
    trusted = tuple(settings.TRUSTED_PROXIES)
    for hop in reversed(_forwarded(request)):
        if not within(address, trusted):
            break
        address = hop
    return address


def end_user_address(request: HttpRequest, client: Client | None) -> str:
    """For a gateway's key the address that the gateway forwarded; for anybody else the one that connected.

    Of an IPv6 address the network alone: its owner has the other 64 bits to play with.
    """
    address = connecting_address(request)
    if client is not None and client.is_gateway:
        address = _forwarded_by(address, request)
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _forwarded_by(address: str, request: HttpRequest) -> str:
    hops = [hop for hop in _forwarded(request) if hop != address and not within(hop, tuple(settings.TRUSTED_PROXIES))]
    return hops[-1] if hops else ""


def _forwarded(request: HttpRequest) -> list[str]:
    hops = []
    for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-20:]:
        try:
            hops.append(str(_parsed(hop.strip())))
        except ValueError:
            hops.clear()  # nothing left of a forged entry can be believed
    return hops
