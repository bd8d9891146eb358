"""What was not taken of a card file, as a CSV file that a spreadsheet may open."""

import csv
from collections.abc import Iterable, Iterator

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


class _Echo:
    def write(self, line: str) -> str:
        return line


def as_csv(rejected: Iterable[tuple[int, str]]) -> Iterator[str]:
    """A line at a time; a text that a spreadsheet would take for a formula starts with an apostrophe."""
    writer = csv.writer(_Echo())
    yield writer.writerow(("line", "reason"))
    for line, reason in rejected:
        yield writer.writerow((line, f"'{reason}" if reason.startswith(_FORMULA) else reason))
