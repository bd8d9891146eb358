"""Partners report transactions under their own codes; what is refused is noted for their reconciliation."""

from http import HTTPStatus
from typing import Any

from loyalty import errors
from loyalty.callers import Caller
from orders import siebel
from orders.models import RefusedTransaction

ANY = "*"
REFUSALS = (
    errors.DuplicateReceipt,
    errors.CardNotFound,
    errors.InvalidMemberID,
    errors.InvalidStore,
    errors.StarBalanceOutOfRange,
)


def record(*, caller: Caller, **said: Any) -> siebel.PartnerTransaction:
    """Raises AccessDenied for codes that are not the client's own, and REFUSALS."""
    _demand_own_codes(caller, said["source_code"], said["partner_code"])
    try:
        return siebel.record_transaction(caller=caller, **said)
    except errors.Refusal as refusal:
        if refusal.status == HTTPStatus.BAD_REQUEST:
            _note(refusal, caller, said)
        raise


def _demand_own_codes(caller: Caller, source_code: str, partner_code: str) -> None:
    client = caller.client
    if client is None or not (
        _is_own(source_code, client.source_codes) and _is_own(partner_code, client.partner_codes)
    ):
        raise errors.AccessDenied


def _is_own(code: str, codes: tuple[str, ...]) -> bool:
    return code in codes or ANY in codes


def _note(refusal: errors.Refusal, caller: Caller, said: dict[str, Any]) -> None:
    RefusedTransaction.objects.create(
        partner_code=said["partner_code"],
        source_code=said["source_code"],
        receipt_number=said["receipt_number"],
        customer_id=said["member_identity_number"] if said["member_identity_type"] == "CRMMemberID" else "",
        points=said["points"],
        amount=said["amount"],
        reason=refusal.reason,
        actor=caller.actor,
        request_id=caller.request_id,
    )
