"""A partner's day, receipt by receipt, as a file to be held against the partner's own books."""

import csv
import heapq
import os
import secrets
from collections.abc import Iterator
from datetime import date, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet, Value
from django.utils import timezone

from loyalty.dates import day_begins
from orders.models import PartnerTransaction, ReconciliationFile, RefusedTransaction
from orders.partner_service import ACCEPTED

HEADER = ("receipt", "customer", "points", "amount", "result")
LOOKED_BACK = 7  # days whose files are made up for where no task ran
KEPT = timedelta(days=90)  # refused transactions
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def make_due(today: date) -> list[ReconciliationFile]:
    """Every file of the days before today that is not there yet."""
    made = []
    for ago in range(LOOKED_BACK, 0, -1):
        day = today - timedelta(days=ago)
        there = set(ReconciliationFile.objects.filter(day=day).values_list("partner_code", flat=True))
        made += [make(code, day) for code in sorted(_partners(day) - there)]
    return made


def make(partner_code: str, day: date) -> ReconciliationFile:
    """Write a partner's file of a day that is over, whole or not at all; again it says the same."""
    path = path_of(partner_code, day)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    counts = {True: 0, False: 0}
    try:
        with open(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
        ) as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            for _, *cells in _rows(partner_code, day):
                writer.writerow(cells)
                counts[cells[-1] == ACCEPTED] += 1
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    row, _ = ReconciliationFile.objects.update_or_create(
        partner_code=partner_code,
        day=day,
        defaults={"accepted": counts[True], "refused": counts[False], "made_at": timezone.now()},
    )
    return row


def path_of(partner_code: str, day: date) -> Path:
    path: Path = settings.RECONCILIATION_DIR / f"{partner_code}-{day:%Y-%m-%d}.csv"
    return path


def sweep_refused() -> int:
    """Forget refused transactions whose files were made long ago."""
    return RefusedTransaction.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def safe(cell: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _of_day(rows: QuerySet[Any], day: date) -> QuerySet[Any]:
    first = day_begins(day)
    return rows.filter(created_at__gte=first, created_at__lt=first + timedelta(days=1))


def _partners(day: date) -> set[str]:
    tables: tuple[QuerySet[Any], ...] = (PartnerTransaction.objects.all(), RefusedTransaction.objects.all())
    return {
        code
        for rows in tables
        for code in _of_day(rows, day).order_by().values_list("partner_code", flat=True).distinct()
    }


def _rows(partner_code: str, day: date) -> Iterator[tuple[Any, ...]]:
    """The moment and the cells of each, in the order they came in; streamed."""
    cells = ("created_at", "receipt_number", "customer", "points", "amount", "result")
    accepted = PartnerTransaction.objects.annotate(customer=F("member_id"), result=Value(ACCEPTED))
    refused = RefusedTransaction.objects.annotate(customer=F("customer_id"), result=F("reason"))
    both: tuple[QuerySet[Any], ...] = (accepted, refused)
    sorted_ = (
        _of_day(rows.filter(partner_code=partner_code), day).order_by("created_at").values_list(*cells).iterator()
        for rows in both
    )
    for at, receipt, customer, points, amount, result in heapq.merge(*sorted_, key=itemgetter(0)):
        yield at, safe(receipt), safe(customer), points, f"{amount:.2f}", safe(result)
