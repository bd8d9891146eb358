"""What an import of a file would do, without doing it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import IO

from wechat import imports, rows
from wechat.rows import BadRow, CardRow


@dataclass
class Outcome:
    """`known`: the pool has the card already. Whether the CRM would take a card, only the import can tell."""

    rows: int = 0
    fresh: int = 0
    known: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


def rehearse(stream: IO[bytes], *, today: date, report: Callable[[Outcome], None]) -> Outcome:
    """Raises WrongExcelHeader."""
    outcome = Outcome()
    every = rows.read_rows(stream, rows.read_header(stream), today=today)
    while chunk := list(islice(every, imports.CHUNK)):
        fresh, known = imports.only_new([row for row in chunk if isinstance(row, CardRow)])
        outcome.rows += len(chunk)
        outcome.fresh += len(fresh)
        outcome.known += known
        outcome.rejected += [(row.line, row.reason) for row in chunk if isinstance(row, BadRow)]
        report(outcome)
    return outcome
