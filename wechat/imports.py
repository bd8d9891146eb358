"""Importing a batch: streamed, a chunk of rows a time, each chunk and the progress it makes in one transaction.

A worker that dies leaves the batch where the last chunk ended; the next one goes on from there. Two at once are kept
apart by a lease. The same card twice is written once.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from itertools import islice
from operator import attrgetter

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from loyalty import bulk, encryption, errors, relay
from wechat import batches, inbox, pool, rows, siebel, spool
from wechat.models import Batch, PoolCard, RejectedRow
from wechat.rows import BadRow, CardRow

log = structlog.get_logger()
State = Batch.State
CHUNK = 2000
MAX_ATTEMPTS = 5
SHIFT = 240.0
Report = Callable[[Batch], None]


def run(batch_id: int, *, seconds: float = SHIFT, report: Report = lambda batch: None) -> None:
    """Import a batch, or what is left of it; does nothing where another worker is at it or it has ended.

    After so many `seconds` what is left goes back to the queue, so that no task runs into a time limit. `report` is
    told after each chunk.
    """
    now = timezone.now()
    batch = _take(batch_id, now)
    if batch is None:
        return
    if batch.attempts > MAX_ATTEMPTS:
        _finish(batch, State.FAILED, problem=f"It was interrupted {MAX_ATTEMPTS} times behind line {batch.line}.")
        return
    try:
        _bring(batch)
        whole = _import(batch, time.monotonic() + seconds, timezone.localdate(now), report)
    except spool.Known:
        _finish(batch, State.DONE, problem="The same content came in by the inbox before.")
    except spool.TooLarge:
        _finish(batch, State.FAILED, problem=f"The file has more than {settings.CARD_FILE_LIMIT} bytes.")
    except (spool.Replaced, inbox.Changed):
        _finish(batch, State.FAILED, problem="The file changed while it was being imported.")
    except errors.Refusal as refusal:
        if refusal.status >= 500 and not isinstance(refusal, errors.CardFilesNotTrusted):
            _wait(batch, refusal)
        else:
            _finish(batch, State.FAILED, problem=refusal.message)
    else:
        if whole:
            _finish(batch, State.DONE)
            pool.refill()
        else:
            Batch.objects.filter(pk=batch.pk).update(state=State.QUEUED, published_at=None)
            relay.ring()


def _take(batch_id: int, now: datetime) -> Batch | None:
    """The batch, leased, unless another worker is at it or it has ended."""
    free = Q(state=State.QUEUED) | Q(state=State.IMPORTING, leased_until__lt=now)
    taken = Batch.objects.filter(free, pk=batch_id).update(
        state=State.IMPORTING,
        problem="",
        leased_until=now + batches.lease(),
        attempts=F("attempts") + 1,
        started_at=now,
        started_rows=F("rows"),
        started_bytes=F("bytes_read"),
    )
    return Batch.objects.get(pk=batch_id) if taken else None


def _import(batch: Batch, until: float, today: date, report: Report) -> bool:
    """Go on behind the batch's last line; tells whether that was all of it."""
    with spool.path(batch).open("rb") as stream:
        header = rows.read_header(stream)
        for chunk in _chunks(row for row in rows.read_rows(stream, header, today=today) if row.line > batch.line):
            _import_chunk(batch, chunk, stream.tell())
            report(batch)
            if time.monotonic() > until and batch.bytes_read < batch.bytes_total:
                return False
    return True


def _bring(batch: Batch) -> None:
    """The content into the spool. Raises what spool.py, inbox.demand_unchanged and CardFiles raise."""
    spool.bring(batch, Renewal(batch))
    if batch.from_inbox and not batch.sha256:
        inbox.demand_unchanged(batch)
    spool.demand_same(batch)


class Renewal:
    """Prolongs the lease of a batch whose file is being copied."""

    def __init__(self, batch: Batch) -> None:
        self.batch, self.at = batch, time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self.at > batches.lease().total_seconds() / 4:
            self.at = time.monotonic()
            Batch.objects.filter(pk=self.batch.pk).update(leased_until=timezone.now() + batches.lease())


def _wait(batch: Batch, refusal: errors.Refusal) -> None:
    """Siebel or the file server is away: the relay tries again in a minute."""
    Batch.objects.filter(pk=batch.pk).update(
        state=State.QUEUED, published_at=timezone.now(), attempts=0, problem=refusal.message
    )
    log.warning("batch_waits", batch_id=batch.pk, reason=refusal.reason)


def _chunks(every: Iterator[CardRow | BadRow]) -> Iterator[list[CardRow | BadRow]]:
    while chunk := list(islice(every, CHUNK)):
        yield chunk


def _import_chunk(batch: Batch, chunk: Sequence[CardRow | BadRow], bytes_read: int) -> None:
    for last in (False, False, True):
        try:
            _write_chunk(batch, chunk, bytes_read)
            break
        except IntegrityError:  # another batch pooled one of these cards meanwhile: now it is seen
            if last:
                raise


def _write_chunk(batch: Batch, chunk: Sequence[CardRow | BadRow], bytes_read: int) -> None:
    bad = [row for row in chunk if isinstance(row, BadRow)]
    good = [row for row in chunk if isinstance(row, CardRow)]
    fresh, repeated = only_new(good)
    allotted, refused = siebel.pre_allot(fresh, actor=f"batch {batch.pk}", trace_id=batch.request_id)
    bad += [BadRow(row.line, refused[row.number]) for row in fresh if row.number in refused]
    cards = [
        (row.number, encryption.seal(row.pin, owner=row.number), allotted[row.number], row.end_date, batch.pk)
        for row in sorted(fresh, key=attrgetter("number"))  # one order for all, so that no two batches wait in a ring
        if row.number in allotted
    ]
    with transaction.atomic():
        before = batch.line
        moved = Batch.objects.filter(pk=batch.pk, state=State.IMPORTING, line=before).update(
            line=chunk[-1].line,
            bytes_read=bytes_read,
            rows=F("rows") + len(chunk),
            imported=F("imported") + len(cards),
            duplicates=F("duplicates") + repeated,
            rejected=F("rejected") + len(bad),
            leased_until=timezone.now() + batches.lease(),
            attempts=1,
        )
        if not moved:
            raise RuntimeError("Another worker has taken this batch over.")
        bulk.insert(PoolCard, ["number", "pin", "customer_id", "end_date", "batch_id"], cards)
        bulk.insert(RejectedRow, ["batch_id", "line", "reason"], ((batch.pk, row.line, row.reason) for row in bad))
    batch.line, batch.bytes_read, batch.rows = chunk[-1].line, bytes_read, batch.rows + len(chunk)


def only_new(good: Sequence[CardRow]) -> tuple[list[CardRow], int]:
    """The rows whose card the pool does not have, each card once; and how many that leaves out."""
    numbers = bulk.among([row.number for row in good])
    there = set(PoolCard.objects.filter(number__in=numbers).values_list("number", flat=True))
    fresh: dict[str, CardRow] = {}
    for row in good:
        if row.number not in there:
            fresh.setdefault(row.number, row)
    return list(fresh.values()), len(good) - len(fresh)


def _finish(batch: Batch, state: str, problem: str = "") -> None:
    Batch.objects.filter(pk=batch.pk, state=State.IMPORTING).update(
        state=state, problem=problem, finished_at=timezone.now(), leased_until=None, bytes_read=F("bytes_total")
    )
    log.info("batch", batch_id=batch.pk, state=state)
    spool.drop(batch)
    if batch.from_inbox:
        with suppress(errors.CardFilesUnavailable, errors.CardFilesNotTrusted):
            inbox.put_away(batch)
