"""A customer's profile: the same fields in our words, on Siebel's wire and in the API's forms, paired once."""

from collections.abc import Mapping
from typing import Any

from loyalty.dates import from_wire, wire_date

# Our name → Siebel's. The API's names stand in serializers.py.
TEXT = {
    "user_name": "LoginName",
    "email": "EmailAddress",
    "first_name": "FirstName",
    "last_name": "LastName",
    "gender": "Gender",
    "primary_country": "PrimaryCountry",
    "primary_state": "PrimaryState",
    "primary_city": "PrimaryCity",
    "primary_zip": "PrimaryPostalCode",
    "primary_address": "PrimaryStreetAddress",
    "hobbies": "Hobbies",
    "language": "PreferredLanguage",
    "notes": "Comments",
    "favourite_product": "FavouriteProduct",
    "favourite_product_alternate": "FavouriteProductAlternate",
    "cell_phone": "CellularPhone",
    "home_phone": "HomePhone",
    "work_phone": "WorkPhone",
    "fax": "FaxPhone",
    "source_code": "SourceCode",
}
PRIMARY = {name: name.removeprefix("primary_") for name in TEXT if name.startswith("primary_")}
OF_MEMBER = tuple(name for name in TEXT if name not in PRIMARY)


def to_wire(profile: Mapping[str, Any]) -> dict[str, str]:
    """What is not given is left out: a null on the wire would blank the field."""
    wire = {TEXT[name]: value for name, value in profile.items() if name in TEXT and value is not None}
    if profile.get("birthday"):
        wire["BirthDate"] = wire_date(profile["birthday"])
    if profile.get("opt_out") is not None:
        wire["OptOut"] = str(profile["opt_out"])
    return wire


def changes_to_wire(profile: Mapping[str, Any]) -> dict[str, str]:
    """What is not given is left out; what is given and empty blanks the field."""
    wire = {TEXT[name]: value or "" for name, value in profile.items() if name in TEXT}
    if "birthday" in profile:
        wire["BirthDate"] = wire_date(profile["birthday"])
    if "opt_out" in profile:
        wire["OptOut"] = "" if profile["opt_out"] is None else str(profile["opt_out"])
    return wire


def from_reply(wire: Mapping[str, str]) -> dict[str, Any]:
    """Absent and empty are the same: nothing."""
    opt_out = wire.get("OptOut")
    return {
        **{name: wire.get(field) or None for name, field in TEXT.items()},
        "birthday": from_wire(wire.get("BirthDate")),
        "opt_out": int(opt_out) if opt_out else None,
    }
