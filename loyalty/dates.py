"""Dates as the API (`MM/DD/YYYY`) and Siebel's wire (SIEBEL_DATE_FORMAT, no offset, in Asia/Shanghai) write them."""

import re
from datetime import UTC, date, datetime, time, timedelta
from datetime import timezone as offset

from django.conf import settings
from django.utils import timezone

DATE = "%m/%d/%Y"
MOMENT = "%m/%d/%Y %H:%M:%S"
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
    if isinstance(day, datetime):
        day = timezone.localtime(day).date()
    return _written(datetime.combine(day, time.min)) if day else ""


def wire_moment(moment: datetime | None) -> str:
    return _written(timezone.localtime(moment)) if moment else ""


def _written(moment: datetime) -> str:
    """strftime would write the year 33 with two digits, which strptime does not read."""
    return moment.strftime(settings.SIEBEL_DATE_FORMAT.replace("%Y", f"{moment.year:04}"))


def from_wire(text: str | None) -> date | None:
    """The day of a wire date. Raises ValueError where it is none."""
    return datetime.strptime(text, settings.SIEBEL_DATE_FORMAT).date() if text else None  # noqa: DTZ007 (a day)


def day_begins(day: date) -> datetime:
    """Its first moment, in the time zone of the shops."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


def moment_from_wire(text: str) -> datetime:
    """Raises ValueError where it is none."""
    return datetime.strptime(text, settings.SIEBEL_DATE_FORMAT).replace(tzinfo=timezone.get_current_timezone())


def parse_moment(text: str) -> datetime:
    """Read `MM/DD/YYYY HH:MM:SS` in GMT+8, to the letter. Raises ValueError."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("not MM/DD/YYYY HH:MM:SS")
    return datetime.strptime(text, MOMENT).replace(tzinfo=_CHINA).astimezone(UTC)
