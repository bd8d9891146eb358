"""What customers ask of Siebel, in our words. Siebel's field names stop here and in profile.py."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from customers import profile
from loyalty import siebel
from loyalty.callers import Caller
from loyalty.dates import from_wire

SERVICE = "Loyalty Member"


@dataclass(frozen=True)
class Customer:
    """A customer as the CRM knows it; what it does not know is None. `profile` is what profile.from_reply reads."""

    customer_id: str
    status: str
    profile: dict[str, Any]
    email_verified: bool
    cell_phone_verified: bool
    registered_date: date | None
    star_balance: int
    svc: str | None


@dataclass(frozen=True)
class Found:
    """What must be known of a customer to write to him; empty where nothing is on file. `language` is CHS or ENU."""

    customer_id: str
    cell_phone: str
    email: str
    language: str


def register(*, caller: Caller, card_number: str, card_password: str, password: str, **fields: Any) -> str:
    """Make a customer of a card's member; answers the customer id. Raises what business_service.register raises."""
    reply = siebel.call(
        SERVICE,
        "Register",
        {
            **siebel.write(caller.actor, caller.request_id),
            "CardNumber": card_number,
            "CardPassword": card_password,
            "Password": password,
            **profile.to_wire(fields),
        },
    )
    customer_id: str = reply["MemberNumber"]
    return customer_id


def get(*, customer_id: str) -> Customer:
    """Raises InvalidMemberID unless it is an active customer."""
    return _customer(siebel.call(SERVICE, "Get", {"MemberNumber": customer_id}))


@siebel.readable
def _customer(reply: Mapping[str, str]) -> Customer:
    return Customer(
        customer_id=reply["MemberNumber"],
        status=reply["MemberStatus"],
        profile=profile.from_reply(reply),
        email_verified=reply.get("EmailVerified") == "Y",
        cell_phone_verified=reply.get("CellularPhoneVerified") == "Y",
        registered_date=from_wire(reply.get("RegisteredDate")),
        star_balance=int(reply.get("AvailablePoints") or 0),
        svc=reply.get("SvcBalance") or None,
    )


def find(*, user: str = "", cell_phone: str = "") -> list[Found]:
    """The active customers with this user name or e-mail address, this verified or unverified phone, or both."""
    given = {name: text for name, text in (("Login", user), ("CellularPhone", cell_phone)) if text}
    return [
        Found(
            customer_id=row["MemberNumber"],
            cell_phone=row.get("CellularPhone") or "",
            email=row.get("EmailAddress") or "",
            language=row.get("PreferredLanguage") or "",
        )
        for row in siebel.call(SERVICE, "FindByLogin", given).get("Members") or []
    ]


def check_available(*, user: str) -> None:
    """Raises EmailRegisteredActive or EmailRegisteredInactive for a user name or e-mail address in use."""
    siebel.call(SERVICE, "CheckAvailable", {"Login": user})


def check_password(*, user: str, password: str) -> str:
    """Answers the id of the customer with this user name or e-mail address and password.

    Raises InvalidEmailAndPassword, NeedEmailActiveMember, RefuseLoginDueUnverifiedMobile.
    """
    customer_id: str = siebel.call(SERVICE, "CheckPassword", {"Login": user, "Password": password})["MemberNumber"]
    return customer_id


def update_opt(*, customer_id: str, opt_out: str | None, reason: str | None, caller: Caller) -> None:
    """What the customer allows: 0, 1 or 2; saying nothing changes nothing. Raises InvalidMemberID."""
    given = {name: text for name, text in (("OptOut", opt_out), ("Reason", reason)) if text}
    if given:
        siebel.change(SERVICE, "UpdateOpt", customer_id, given, caller=caller)
    else:
        get(customer_id=customer_id)


def update(
    *, customer_id: str, caller: Caller, verified_cell_phone: str = "", verified_email: str = "", **fields: Any
) -> None:
    """Change what is given; empty text clears.

    What has been proved counts as verified if it is, from now on, what stands on file. Raises InvalidMemberID,
    UserNameInUse, EmailInUse, InvalidStore; EmailsDontMatch where something proved is not on file.
    """
    proved = {"VerifiedCellularPhone": verified_cell_phone, "VerifiedEmailAddress": verified_email}
    given = {name: text for name, text in proved.items() if text}
    siebel.change(SERVICE, "Update", customer_id, {**profile.changes_to_wire(fields), **given}, caller=caller)


def set_password(
    *, customer_id: str, new_password: str, caller: Caller, password: str = "", cell_phone: str = "", email: str = ""
) -> None:
    """Give a customer a new password: by the current one, or by the phone or e-mail address that was proved.

    Raises InvalidMemberID, EmailsDontMatch (what was proved is not on file), EmailNotFound, IncorrectUserPassword.
    """
    proof = {"Password": password, "CellularPhone": cell_phone, "EmailAddress": email}
    given = {name: text for name, text in proof.items() if text}
    siebel.change(SERVICE, "SetPassword", customer_id, {"NewPassword": new_password, **given}, caller=caller)


def export(*, customer_id: str) -> dict[str, Any]:
    """All rows that the CRM holds on a customer, by kind."""
    found: dict[str, Any] = json.loads(siebel.call(SERVICE, "Export", {"MemberNumber": customer_id})["Data"])
    return found


def erase(*, customer_id: str, caller: Caller) -> dict[str, int]:
    """Let the CRM forget a person; answers the number of rows, by kind. Raises InvalidMemberID."""
    rows: dict[str, int] = json.loads(siebel.change(SERVICE, "Erase", customer_id, {}, caller=caller)["Rows"])
    return rows


def reopen(*, customer_id: str, reason: str, caller: Caller) -> None:
    """Undo `disable`, for fourteen days. Raises InvalidMemberID."""
    siebel.change(SERVICE, "Reopen", customer_id, {"Reason": reason}, caller=caller)


def disable(*, customer_id: str, reason: str, caller: Caller) -> None:
    """Close the account. Raises InvalidMemberID."""
    siebel.change(SERVICE, "Disable", customer_id, {"Reason": reason}, caller=caller)


def block(*, customer_id: str, reason: str, caller: Caller) -> None:
    """Raises InvalidMemberID."""
    siebel.change(SERVICE, "Block", customer_id, {"Reason": reason}, caller=caller)


def unblock(*, customer_id: str, reason: str, caller: Caller) -> None:
    """Raises InvalidMemberID."""
    siebel.change(SERVICE, "Unblock", customer_id, {"Reason": reason}, caller=caller)
