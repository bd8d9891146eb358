"""A customer's postal addresses: what is asked of Siebel's "Loyalty Contact", in our words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from customers.contact_service import FIELDS, SERVICE
from loyalty import siebel
from loyalty.callers import Caller


@dataclass(frozen=True)
class Address:
    address_id: str
    is_primary: bool
    country: str | None
    state: str | None
    city: str | None
    zip: str | None
    address: str | None
    contact_name: str | None
    contact_phone: str | None


def list_addresses(*, customer_id: str) -> list[Address]:
    """The primary one first. Raises InvalidMemberID."""
    reply = siebel.call(SERVICE, "ListAddresses", {"MemberNumber": customer_id})
    return [_address(row) for row in reply.get("Addresses") or []]


def add(*, customer_id: str, caller: Caller, **fields: Any) -> Address:
    """Raises InvalidMemberID, or TooManyRequests where the customer has as many as there may be."""
    return _address(_write("AddAddress", customer_id, caller, fields))


def update(*, customer_id: str, address_id: str, caller: Caller, **fields: Any) -> Address:
    """Change what is given; empty text clears. Raises InvalidMemberID, InvalidAddressId."""
    return _address(_write("UpdateAddress", customer_id, caller, fields, AddressId=address_id))


def _write(method: str, customer_id: str, caller: Caller, fields: Mapping[str, Any], **more: str) -> Mapping[str, str]:
    wire = {FIELDS[name]: value or "" for name, value in fields.items() if name in FIELDS}
    if fields.get("is_primary") is not None:
        wire["IsPrimary"] = "Y" if fields["is_primary"] else "N"
    return siebel.change(SERVICE, method, customer_id, {**wire, **more}, caller=caller)


def _address(row: Mapping[str, str]) -> Address:
    texts = {name: row.get(field) or None for name, field in FIELDS.items()}
    return Address(address_id=row["AddressId"], is_primary=row.get("IsPrimary") == "Y", **texts)
