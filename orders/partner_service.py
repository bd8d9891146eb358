"""The embedded CRM's side of partners: the business service "Loyalty Partner"."""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from cards import members
from loyalty import errors
from loyalty.business_services import business_service, remember
from loyalty.dates import moment_from_wire
from loyalty.models import Store
from loyalty.siebel import Reply
from orders import ledger
from orders.ledger import Cause
from orders.models import PartnerTransaction, StarEntry

SERVICE, METHOD = "Loyalty Partner", "RecordTransaction"
ACCEPTED = "Accepted"
CARD = "CardNumber"


@dataclass(frozen=True)
class Receipt:
    """What tells transactions apart, and the digest of what one says."""

    source_code: str
    number: str
    fingerprint: str


@business_service(SERVICE, METHOD)
def record_transaction(
    *, request_id: str, actor: str, trace_id: str, source_code: str, receipt_number: str, **content: str
) -> Reply:
    """Take a transaction in, once a receipt; the same again is answered with the first result.

    Raises DuplicateReceipt for a receipt known with other content, CardNotFound, InvalidMemberID, InvalidStore,
    StarBalanceOutOfRange, in this order.
    """
    fingerprint = _fingerprint(content)
    if first := _known(source_code, receipt_number, fingerprint):
        return remember(request_id, SERVICE, METHOD, _reply(first))
    try:
        with transaction.atomic():
            member_id = _lock_member(content)
            taken = _known(source_code, receipt_number, fingerprint) or _take_in(
                Receipt(source_code, receipt_number, fingerprint), member_id, content, actor, trace_id
            )
            return remember(request_id, SERVICE, METHOD, _reply(taken))
    except IntegrityError:  # another request was first with this receipt
        if first := _known(source_code, receipt_number, fingerprint):
            return remember(request_id, SERVICE, METHOD, _reply(first))
        raise


def svc_balance_of(customer_id: str) -> str:
    """The last SVC balance that a partner named for a customer."""
    named = PartnerTransaction.objects.filter(member_id=customer_id).exclude(external_identity="")
    amount = named.order_by("-effective_at", "-created_at").values_list("amount", flat=True).first()
    return "" if amount is None else str(amount)


def _fingerprint(content: dict[str, str]) -> str:
    """Of what a transaction says, its numbers in one form."""
    said = {**content, "amount": f"{Decimal(content['amount']):.2f}"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _known(source_code: str, receipt_number: str, fingerprint: str) -> PartnerTransaction | None:
    first = PartnerTransaction.objects.filter(source_code=source_code, receipt_number=receipt_number).first()
    if first and first.fingerprint != fingerprint:
        raise errors.DuplicateReceipt
    return first


def _lock_member(content: dict[str, str]) -> str:
    """The customer whom an id or a card names. Raises CardNotFound, InvalidMemberID."""
    identity = content["member_identity_number"]
    member_id = members.holder_of(identity) if content["member_identity_type"] == CARD else identity
    members.lock_customer(member_id)
    return member_id


def _take_in(
    receipt: Receipt, member_id: str, content: dict[str, str], actor: str, trace_id: str
) -> PartnerTransaction:
    store_id = _open_store(content["store_number"])
    now, txn_at, points = timezone.now(), moment_from_wire(content["txn_date"]), int(content["points"])
    if points:
        cause = Cause(
            f"partner {content['partner_code']}", f"receipt {receipt.source_code} {receipt.number}", actor, trace_id
        )
        kind = StarEntry.Kind.EARN if points > 0 else StarEntry.Kind.REDEEM
        balance = ledger.post(member_id=member_id, kind=kind, points=points, cause=cause).balance
    else:
        balance = ledger.balance_of(member_id)
    return PartnerTransaction.objects.create(
        source_code=receipt.source_code,
        receipt_number=receipt.number,
        fingerprint=receipt.fingerprint,
        partner_code=content["partner_code"],
        member_id=member_id,
        card_number=content["member_identity_number"] if content["member_identity_type"] == CARD else "",
        external_identity=content["external_identity"],
        type_code=content["type_code"],
        product_code=content["product_code"],
        quantity=int(content["quantity"]),
        points=points,
        amount=Decimal(content["amount"]),
        txn_at=txn_at,
        operator=content["operator"],
        store_id=store_id,
        reserve1=content["reserve1"],
        reserve2=content["reserve2"],
        reserve3=content["reserve3"],
        star_balance=balance,
        effective_at=min(txn_at, now),
        actor=actor,
        request_id=trace_id,
        created_at=now,
    )


def _open_store(number: str) -> int | None:
    if not number:
        return None
    store_id = Store.objects.filter(number=number, is_open=True).values_list("pk", flat=True).first()
    if store_id is None:
        raise errors.InvalidStore
    return store_id


def _reply(row: PartnerTransaction) -> dict[str, str]:
    return {
        "TransactionId": row.pk,
        "ReceiptNumber": row.receipt_number,
        "MemberNumber": row.member_id,
        "AvailablePoints": str(row.star_balance),
        "SvcBalance": f"{row.amount:.2f}" if row.external_identity else "",
        "TransactionStatus": ACCEPTED,
    }
