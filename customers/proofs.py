"""Proofs that somebody holds a customer's phone or e-mail address: tokens of one use, bound to what they proved."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from customers.models import ProofToken
from loyalty import claims, errors
from loyalty.digests import token_digest
from sms.models import Channel

Purpose = ProofToken.Purpose


@dataclass(frozen=True)
class Proof:
    """`proved` is the phone or e-mail address, as `channel` says."""

    customer_id: str
    purpose: Purpose
    channel: Channel
    proved: str


def issue(proof: Proof, *, seconds: int) -> str:
    """Answers the token, which is not kept."""
    token = secrets.token_urlsafe(32)
    ProofToken.objects.create(
        customer_id=proof.customer_id,
        purpose=proof.purpose,
        channel=proof.channel,
        proved=proof.proved,
        digest=token_digest(token),
        expires_at=timezone.now() + timedelta(seconds=seconds),
    )
    return token


def void(customer_id: str, purpose: Purpose) -> None:
    """What was proved for this purpose proves nothing any more."""
    ProofToken.objects.filter(customer_id=customer_id, purpose=purpose, used_at=None).update(used_at=timezone.now())


@contextmanager
def held(token: str, purpose: Purpose, channel: Channel, **bound: str) -> Iterator[Proof]:
    """Use a token up while the block runs; what the block refuses gives it back.

    `bound` is what must stand in the token besides, `customer_id` or `proved`. A request that was let through before
    and is sent again with its Idempotency-Key is let through again. Raises TokenInvalid (unknown, expired, for another
    purpose), TokenAlreadyUsed.
    """
    rows = ProofToken.objects.filter(digest=token_digest(token), purpose=purpose, channel=channel)
    row = rows.filter(**bound).first()
    if row is None:
        raise errors.TokenInvalid
    this, now = ProofToken.objects.filter(pk=row.pk), timezone.now()
    if row.used_at is None and row.expires_at <= now:
        raise errors.TokenInvalid
    if not this.filter(used_at=None).update(used_at=now) and not claims.has_written_before():
        raise errors.TokenAlreadyUsed
    try:
        yield Proof(row.customer_id, purpose, channel, row.proved)
    except errors.SiebelTimeout:  # it may have been done
        raise
    except errors.Refusal:
        this.filter(used_at=now).update(used_at=None)
        raise
