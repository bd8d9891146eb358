"""Dates as the API (`MM/DD/YYYY`) and Siebel's wire (`MM/DD/YYYY HH:MM:SS`, no offset, in Asia/Shanghai) write them."""

import re
from datetime import UTC, date, datetime, timedelta
from datetime import timezone as offset

from django.utils import timezone

DATE = "%m/%d/%Y"
WIRE = "%m/%d/%Y %H:%M:%S"
_DATE = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}", re.ASCII)
_MOMENT = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
_CHINA = offset(timedelta(hours=8))


def parse_date(text: str) -> date:
    """Read `MM/DD/YYYY`, two and four digits to the letter. Raises ValueError."""
    if not _DATE.fullmatch(text):
        raise ValueError("not MM/DD/YYYY")
    return datetime.strptime(text, DATE).date()  # noqa: DTZ007 (a day, not a moment)


def format_date(day: date | None) -> str:
    """`MM/DD/YYYY`, or nothing at all for no date."""
    if isinstance(day, datetime):
        day = timezone.localtime(day).date()
    return f"{day.month:02}/{day.day:02}/{day.year:04}" if day else ""


def wire_date(day: date | None) -> str:
    """A date on Siebel's wire; `""` stands for none."""
    return f"{format_date(day)} 00:00:00" if day else ""


def wire_moment(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime(WIRE) if moment else ""


def from_wire(text: str | None) -> date | None:
    """The day of a wire date. Raises ValueError where it is none."""
    return datetime.strptime(text, WIRE).date() if text else None  # noqa: DTZ007 (a day, not a moment)


def parse_moment(text: str) -> datetime:
    """Read `MM/DD/YYYY HH:MM:SS` in GMT+8, to the letter. Raises ValueError."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("not MM/DD/YYYY HH:MM:SS")
    return datetime.strptime(text, WIRE).replace(tzinfo=_CHINA).astimezone(UTC)
