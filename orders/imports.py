"""Importing a file of orders or rewards: a chunk of rows and the progress that they make in one transaction.

Whoever dies leaves the file where the last chunk ended; the next one goes on from there. Two at once are kept apart by
a lease, and a row that comes twice is written once.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import IO

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from orders import file_rows
from orders.file_rows import BadFile, Row
from orders.intake import ADDED, KINDS, KNOWN, REJECTED, UPDATED, Kind, Verdict
from orders.models import FileImport, RejectedLine

log = structlog.get_logger()
State = FileImport.State
CHUNK = 500
LEASE = timedelta(seconds=120)
MAX_ATTEMPTS = 5
_NAME = re.compile(r"[!-~]{1,60}", re.ASCII)
Told = Callable[[Sequence[Verdict]], None]


def run(file_import: FileImport, stream: IO[bytes], told: Told | None = None) -> bool:
    """Import what is left of a file; `told` hears the verdicts of each chunk. False where somebody else is at it."""
    if not _leased(file_import):
        return False
    file_import.refresh_from_db()
    if file_import.attempts > MAX_ATTEMPTS:
        _finish(file_import, State.FAILED, f"It was interrupted {MAX_ATTEMPTS} times behind line {file_import.line}.")
        return True
    kind = KINDS[file_import.kind]
    try:
        rows = file_rows.read(stream, file_import.file_name, kind.layout, behind=file_import.line)
        for chunk in _chunks(rows):
            verdicts = _import_chunk(file_import, kind, chunk, stream.tell())
            if told:
                told(verdicts)
    except BadFile as bad:
        _finish(file_import, State.FAILED, str(bad))
    else:
        _finish(file_import, State.DONE)
    return True


def _leased(file_import: FileImport) -> bool:
    now = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    waiting = FileImport.objects.filter(free, pk=file_import.pk, state=State.IMPORTING)
    return bool(waiting.update(leased_until=now + LEASE, attempts=F("attempts") + 1))


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _import_chunk(file_import: FileImport, kind: Kind, chunk: Sequence[Row], bytes_read: int) -> list[Verdict]:
    for last in (False, False, True):
        try:
            return _write_chunk(file_import, kind, chunk, bytes_read)
        except IntegrityError:  # another file added one of these rows meanwhile: now it is known
            if last:
                raise
    raise AssertionError


def _write_chunk(file_import: FileImport, kind: Kind, chunk: Sequence[Row], bytes_read: int) -> list[Verdict]:
    verdicts = [_unreadable(row) for row in chunk if row.problem]
    with transaction.atomic():
        verdicts += kind.take_in([row for row in chunk if not row.problem])
        results = [verdict.result for verdict in verdicts]
        moved = FileImport.objects.filter(pk=file_import.pk, state=State.IMPORTING, line=file_import.line).update(
            line=chunk[-1].last,
            bytes_read=bytes_read,
            rows=F("rows") + len(chunk),
            added=F("added") + results.count(ADDED),
            updated=F("updated") + results.count(UPDATED),
            known=F("known") + results.count(KNOWN),
            rejected=F("rejected") + results.count(REJECTED),
            leased_until=timezone.now() + LEASE,
            attempts=1,
        )
        if not moved:
            raise RuntimeError("Somebody else has taken this file over.")
        RejectedLine.objects.bulk_create(
            RejectedLine(file_import=file_import, line=verdict.line, name=verdict.name, reason=verdict.reason)
            for verdict in verdicts
            if verdict.result == REJECTED
        )
    file_import.line = chunk[-1].last
    return sorted(verdicts, key=lambda verdict: verdict.line)


def _unreadable(row: Row) -> Verdict:
    name = row.said.get("number") or row.said.get("code")
    sane = isinstance(name, str) and _NAME.fullmatch(name)
    return Verdict(row.line, str(name) if sane else "", REJECTED, row.problem)


def _finish(file_import: FileImport, state: str, problem: str = "") -> None:
    FileImport.objects.filter(pk=file_import.pk, state=State.IMPORTING).update(
        state=state, problem=problem, finished_at=timezone.now(), leased_until=None, bytes_read=F("bytes_total")
    )
    file_import.refresh_from_db()
    log.info("file_import", file_import_id=file_import.pk, state=state, rows=file_import.rows)
