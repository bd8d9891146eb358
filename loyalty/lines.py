"""Reading a text file a line at a time, so that one broken line breaks nothing behind it."""

import csv
from collections.abc import Iterator
from typing import IO

BOM = b"\xef\xbb\xbf"


class BadLine(Exception):
    """The reason, which never quotes the line."""


def numbered(stream: IO[bytes], longest: int, *, behind: int = 0) -> Iterator[tuple[int, bytes | None]]:
    """Every line but blank ones; None for one that is longer than `longest` bytes.

    `behind`: how many lines were read before, so that the first one here is the next.
    """
    number = behind
    while raw := stream.readline(longest):
        number += 1
        too_long = len(raw) == longest and not raw.endswith(b"\n")
        while too_long and raw and not raw.endswith(b"\n"):
            raw = stream.readline(longest)
        if too_long:
            yield number, None
        elif (raw.removeprefix(BOM) if number == 1 else raw).strip():
            yield number, raw.removeprefix(BOM) if number == 1 else raw


def text(raw: bytes | None) -> str:
    """Raises BadLine."""
    if raw is None:
        raise BadLine("The line is too long.")
    try:
        return raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadLine("It is not UTF-8.") from None


def cells(raw: bytes | None, width: int | None = None) -> list[str]:
    """A line of CSV, of `width` cells where that is given. Raises BadLine."""
    try:
        found = next(csv.reader([text(raw)], strict=True), [])
    except csv.Error:
        raise BadLine("Its quotes don't match.") from None
    if width is not None and len(found) != width:
        raise BadLine(f"It has {len(found)} cells instead of {width}.")
    return found
