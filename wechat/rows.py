"""Reading a card file: the header, and each line by itself, so that one broken line breaks nothing behind it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO

from loyalty import errors, lines
from loyalty.dates import parse_date
from loyalty.ids import PATTERN
from loyalty.lines import BadLine

HEADERS = (
    ["msrCard", "pin"],
    ["msrCard", "pin", "customerId"],
    ["msrCard", "pin", "endDate"],
    ["msrCard", "pin", "customerId", "endDate"],
)
MAX_LINE = 4096
_CARD = re.compile(r"[0-9A-Za-z]{4,30}", re.ASCII)
_PIN = re.compile(r"[0-9A-Za-z]{4,16}", re.ASCII)


@dataclass(frozen=True)
class CardRow:
    """One good line. `customer_id` is empty and `end_date` None where the file names none."""

    line: int
    number: str
    pin: str
    customer_id: str
    end_date: date | None


@dataclass(frozen=True)
class BadRow:
    line: int
    reason: str


def read_header(stream: IO[bytes]) -> list[str]:
    """Read the first line, a byte order mark left out. Raises WrongExcelHeader unless it is one of HEADERS."""
    try:
        header = lines.cells(stream.readline(MAX_LINE).removeprefix(lines.BOM))
    except BadLine:
        raise errors.WrongExcelHeader from None
    if header not in HEADERS:
        raise errors.WrongExcelHeader
    return header


def read_rows(stream: IO[bytes], header: list[str], *, today: date) -> Iterator[CardRow | BadRow]:
    """Every line behind the header but blank ones, numbered from 2; streamed, a line at a time."""
    for line, raw in lines.numbered(stream, MAX_LINE, behind=1):
        try:
            yield _row(line, dict(zip(header, lines.cells(raw, len(header)), strict=True)), today)
        except BadLine as bad:
            yield BadRow(line, str(bad))


def _row(line: int, cells: dict[str, str], today: date) -> CardRow:
    if not _CARD.fullmatch(cells["msrCard"]):
        raise BadLine("msrCard is not 4 to 30 ASCII letters or digits.")
    if not _PIN.fullmatch(cells["pin"]):
        raise BadLine("pin is not 4 to 16 ASCII letters or digits.")
    customer_id = cells.get("customerId", "")
    if customer_id and not PATTERN.fullmatch(customer_id):
        raise BadLine("customerId is not of the form 1-ABC123.")
    try:
        end_date = parse_date(cells["endDate"]) if cells.get("endDate") else None
    except ValueError:
        raise BadLine("endDate is not MM/DD/YYYY.") from None
    if end_date and end_date < today:
        raise BadLine("endDate has passed.")
    return CardRow(line, cells["msrCard"], cells["pin"], customer_id, end_date)
