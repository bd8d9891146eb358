"""The claim of a request on its `Idempotency-Key`: what the work below the views asks of it and notes in it.

Should the process die, the next request with the key does the work again, to the same effect: its writes carry the
RequestIds of the first run, which Siebel answers with the first result, and what is done in this database alone is
remembered by the transaction that does it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.utils import timezone

from loyalty import encryption, errors
from loyalty.models import IdempotencyKey


class Claim:
    """The right to do the work of a key, until its lease runs out and somebody else takes it over."""

    def __init__(self, row: IdempotencyKey) -> None:
        self.has_written_before = row.has_written
        self.remembered = unsealed(row, row.result)
        self._row = row
        self._mine = IdempotencyKey.objects.filter(pk=row.pk, runs=row.runs)
        self._writes: Counter[tuple[str, str]] = Counter()

    def request_id(self, service: str, method: str) -> str:
        """The RequestId of the next write: in each run the same. Raises RequestInProgress where it was taken over."""
        if not self._row.has_written:
            self._note(has_written=True)
            self._row.has_written = True
        self._writes[service, method] += 1
        parts = (self._row.reference.hex, service, method, str(self._writes[service, method]))
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    def remember(self, result: Mapping[str, Any]) -> None:
        self._note(result=sealed(self._row, result))

    def answer(self, answer: Mapping[str, Any]) -> None:
        """The work is done."""
        self._mine.update(answer=sealed(self._row, answer), result="")

    def release(self) -> None:
        """The work may be tried again."""
        self._mine.update(leased_until=timezone.now())

    def _note(self, **columns: Any) -> None:
        if not self._mine.update(**columns):
            raise errors.RequestInProgress


_CLAIM: ContextVar[Claim | None] = ContextVar("claim", default=None)


@contextmanager
def working_on(claim: Claim) -> Iterator[None]:
    """What this thread does in the block is the claim's work."""
    token = _CLAIM.set(claim)
    try:
        yield
    finally:
        _CLAIM.reset(token)


def current() -> Claim | None:
    """The claim of the request that is being answered, where it has one."""
    return _CLAIM.get()


def has_written_before() -> bool:
    """Whether an earlier run of the same request sent a write to Siebel: what goes before a write was in order then."""
    claim = _CLAIM.get()
    return claim is not None and claim.has_written_before


def remember(result: Mapping[str, Any]) -> None:
    """In the transaction that does the work: keep, encrypted, what another run needs to answer alike.

    Raises RequestInProgress, so that the transaction is undone, where somebody else has taken the work over.
    """
    if claim := _CLAIM.get():
        claim.remember(result)


def remembered() -> dict[str, Any] | None:
    """What an earlier run of the same request remembered: its work is done."""
    claim = _CLAIM.get()
    return claim.remembered if claim else None


def sealed(row: IdempotencyKey, content: Mapping[str, Any]) -> str:
    return encryption.seal(json.dumps(content), owner=row.digest)


def unsealed(row: IdempotencyKey, text: str) -> dict[str, Any] | None:
    return json.loads(encryption.unseal(text, owner=row.digest)) if text else None
