"""What orders and partners ask of Siebel, in our words. Siebel's field names stop here."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from loyalty import siebel
from loyalty.callers import Caller
from loyalty.dates import wire_moment


@dataclass(frozen=True)
class PartnerTransaction:
    transaction_id: str
    receipt_number: str
    customer_id: str
    star_balance: int
    svc_balance: str | None
    status: str


def record_transaction(
    *,
    caller: Caller,
    member_identity_type: str,
    member_identity_number: str,
    partner_code: str,
    source_code: str,
    receipt_number: str,
    type_code: str,
    product_code: str,
    quantity: int,
    points: int,
    amount: Decimal,
    txn_at: datetime,
    external_identity: str,
    operator: str,
    store_number: str,
    reserve1: str,
    reserve2: str,
    reserve3: str,
) -> PartnerTransaction:
    """Report a partner's transaction; once a receipt. Raises partner_service.record_transaction's refusals."""
    reply = siebel.call(
        "Loyalty Partner",
        "RecordTransaction",
        {
            **siebel.write(caller.actor, caller.request_id),
            "MemberIdentityType": member_identity_type,
            "MemberIdentityNumber": member_identity_number,
            "PartnerCode": partner_code,
            "SourceCode": source_code,
            "ReceiptNumber": receipt_number,
            "TypeCode": type_code,
            "ProductCode": product_code,
            "Quantity": str(quantity),
            "Points": str(points),
            "Amount": f"{amount:.2f}",
            "TxnDate": wire_moment(txn_at),
            "ExternalIdentity": external_identity,
            "Operator": operator,
            "StoreNumber": store_number,
            "Reserve1": reserve1,
            "Reserve2": reserve2,
            "Reserve3": reserve3,
        },
    )
    return PartnerTransaction(
        transaction_id=reply["TransactionId"],
        receipt_number=reply["ReceiptNumber"],
        customer_id=reply["MemberNumber"],
        star_balance=int(reply["AvailablePoints"]),
        svc_balance=reply.get("SvcBalance") or None,
        status=reply["TransactionStatus"],
    )
