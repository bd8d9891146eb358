"""What stands in a file of orders or rewards: CSV or JSON Lines, in one form behind this page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from rest_framework import serializers

from loyalty import lines
from loyalty.forms import details_of, strict_json
from loyalty.lines import BadLine

LONGEST = 65_536
MOST_ITEMS = 1000
FORMATS = (".csv", ".jsonl")


class BadFile(Exception):
    """Why a file can't be read at all."""


@dataclass
class Row:
    """One order or reward as the file says it. `last` is the last line that belongs to it."""

    line: int
    last: int
    said: dict[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class Layout:
    """`columns` of a CSV file; lines one behind the other with the same `key` are one row, their `items` a list."""

    key: str
    columns: Sequence[str]
    items: Sequence[str]
    form: type[serializers.Serializer[Any]]


def read(stream: IO[bytes], name: str, layout: Layout, *, behind: int = 0) -> Iterator[Row]:
    """Every row that ends behind a line, with what its form made of it or with its problem. Raises BadFile."""
    if not name.endswith(FORMATS):
        raise BadFile(f"The name ends neither in {' nor in '.join(FORMATS)}.")
    for row in _csv(stream, layout) if name.endswith(".csv") else _json(stream):
        if row.last > behind:
            yield _validated(row, layout)


def _validated(row: Row, layout: Layout) -> Row:
    if not row.problem:
        form = layout.form(data=row.said)
        if form.is_valid():
            row.said = form.validated_data
        else:
            details = details_of(form.errors)
            row.problem = "; ".join(f"{field}: {messages[0]}" for field, messages in sorted(details.items()))[:200]
    return row


def _json(stream: IO[bytes]) -> Iterator[Row]:
    for number, raw in lines.numbered(stream, LONGEST):
        try:
            said = strict_json(lines.text(raw))
            yield Row(number, number, said) if isinstance(said, dict) else Row(number, number, {}, "Not an object.")
        except (BadLine, ValueError) as bad:
            yield Row(number, number, {}, str(bad))


def _csv(stream: IO[bytes], layout: Layout) -> Iterator[Row]:
    every = lines.numbered(stream, LONGEST)
    header = [*layout.columns, *layout.items]
    try:
        if lines.cells(next(every, (0, b""))[1]) != header:
            raise BadFile(f"The header is not {','.join(header)}.")
    except BadLine as bad:
        raise BadFile(f"The header: {bad}") from None
    row: Row | None = None
    for number, raw in every:
        new = _line(number, raw, header, layout)
        if row and layout.items and new.said and row.said.get(layout.key) == new.said[layout.key]:
            _join(row, new, layout)
            continue
        if row:
            yield row
        row = new
    if row:
        yield row


def _line(number: int, raw: bytes | None, header: list[str], layout: Layout) -> Row:
    try:
        said: dict[str, Any] = dict(zip(header, lines.cells(raw, len(header)), strict=True))
    except BadLine as bad:
        return Row(number, number, {}, str(bad))
    if layout.items:
        said["items"] = [{name: said.pop(name) for name in layout.items}]
    return Row(number, number, said)


def _join(row: Row, new: Row, layout: Layout) -> None:
    row.last = new.line
    if any(row.said[name] != new.said[name] for name in layout.columns):
        row.problem = "Its lines contradict each other."
    if len(row.said["items"]) < MOST_ITEMS:
        row.said["items"] += new.said["items"]
    else:
        row.problem = f"It has more than {MOST_ITEMS} items."
