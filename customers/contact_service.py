"""The embedded CRM's side of addresses: the business service "Loyalty Contact"."""

from django.db import transaction

from cards import members
from customers.models import Address
from loyalty import errors
from loyalty.business_services import argument_of, business_service, remember
from loyalty.siebel import Reply

SERVICE = "Loyalty Contact"
MOST = 20
# Our name → Siebel's.
FIELDS = {
    "country": "Country",
    "state": "State",
    "city": "City",
    "zip": "PostalCode",
    "address": "StreetAddress",
    "contact_name": "ContactName",
    "contact_phone": "ContactPhone",
}


@business_service(SERVICE, "ListAddresses")
def list_addresses(*, member_number: str) -> Reply:
    """A customer's addresses, the primary one first. Raises InvalidMemberID."""
    if not members.is_active_customer(member_number):
        raise errors.InvalidMemberID
    return {"Addresses": [_on_wire(address) for address in Address.objects.filter(member_id=member_number)]}


@business_service(SERVICE, "AddAddress")
def add_address(*, request_id: str, actor: str, trace_id: str, member_number: str, **wire: str) -> Reply:
    """The first one is the primary one. Raises InvalidMemberID, or TooManyRequests above MOST."""
    with transaction.atomic():
        members.lock_customer(member_number)
        own = Address.objects.filter(member_id=member_number)
        count = own.count()
        if count >= MOST:
            raise errors.TooManyRequests
        address = Address(member_id=member_number)
        _write(address, wire, primary=count == 0 or wire.get("is_primary") == "Y")
        return remember(request_id, SERVICE, "AddAddress", _on_wire(address))


@business_service(SERVICE, "UpdateAddress")
def update_address(
    *, request_id: str, actor: str, trace_id: str, member_number: str, address_id: str, **wire: str
) -> Reply:
    """What is not given stays as it is. Raises InvalidMemberID, InvalidAddressId (another's is as unknown as none)."""
    with transaction.atomic():
        members.lock_customer(member_number)
        address = Address.objects.filter(member_id=member_number, pk=address_id).first()
        if address is None:
            raise errors.InvalidAddressId
        _write(address, wire, primary=wire["is_primary"] == "Y" if "is_primary" in wire else address.is_primary)
        return remember(request_id, SERVICE, "UpdateAddress", _on_wire(address))


def _write(address: Address, wire: dict[str, str], *, primary: bool) -> None:
    """Save the address; one that becomes the primary one takes that from the former."""
    for column, field in FIELDS.items():
        if argument_of(field) in wire:
            setattr(address, column, wire[argument_of(field)])
    if primary and not address.is_primary:
        Address.objects.filter(member_id=address.member_id, is_primary=True).update(is_primary=False)
    address.is_primary = primary
    address.save()


def _on_wire(address: Address) -> dict[str, str]:
    return {
        "AddressId": address.pk,
        "IsPrimary": "Y" if address.is_primary else "N",
        **{field: getattr(address, column) for column, field in FIELDS.items()},
    }
