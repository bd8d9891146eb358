"""Form fields of the API. Text must be text: a number, a list or an object in its place is refused, not converted."""

import re
import unicodedata
from datetime import date
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty import phones
from loyalty.dates import format_date, parse_date

_OUTLAWED = {"Cc", "Cs", "Co", "Zl", "Zp"}  # control, surrogate, private use, line and paragraph marks
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Text(serializers.CharField):
    """One line of text: no control characters, no halves of characters, no direction overrides."""

    default_error_messages = {"characters": "It has characters that do not belong in text."}
    lines = False

    def __init__(self, *, max_length: int = 100, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text = data.replace("\r\n", "\n").replace("\t", " ") if self.lines else data
        plain = text.replace("\n", " ") if self.lines else text
        if any(unicodedata.category(sign) in _OUTLAWED for sign in plain) or _BIDI.search(plain):
            self.fail("characters")
        return super().to_internal_value(text)


class Lines(Text):
    """Text of several lines."""

    lines = True


class Exact(Text):
    """Text that is taken to the letter: no trimming, and a pattern that must fit as a whole."""

    default_error_messages = {"pattern": "It does not have the right form."}

    def __init__(self, *, pattern: str, max_length: int = 100, **kwargs: Any) -> None:
        self.pattern = pattern
        super().__init__(max_length=max_length, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not re.fullmatch(self.pattern, text, re.ASCII):
            self.fail("pattern")
        return text


class CellPhone(Exact):
    """Eleven ASCII digits, as the seed's pattern says."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pattern=phones.PATTERN, max_length=11, **kwargs)


class CardNumber(Exact):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pattern=r"[0-9A-Za-z-]{1,30}", max_length=30, **kwargs)


class Secret(serializers.CharField):
    """A password or a PIN as typed: any characters but control ones, never trimmed."""

    default_error_messages = {"characters": "It has characters that do not belong in text."}

    def __init__(self, *, max_length: int = 128, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in data):
            self.fail("characters")
        return super().to_internal_value(data)


class CardPin(Secret):
    """What the card's owner typed; only the card can tell whether it is right."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=32, **kwargs)


class Email(Text):
    """An address of printable ASCII, at most 254 characters; two that differ in case are one."""

    default_error_messages = {"email": "Enter a valid e-mail address."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            serializers.EmailField().run_validation(text)
        except serializers.ValidationError:
            self.fail("email")
        if not text.isascii():
            self.fail("email")
        return text


@extend_schema_field({"type": "string", "pattern": r"^[0-9]{2}/[0-9]{2}/[0-9]{4}$", "example": "07/31/1990"})
class Day(serializers.Field[date, str, str, Any]):
    """A date `MM/DD/YYYY`."""

    default_error_messages = {
        "invalid": "Not a date of the form MM/DD/YYYY.",
        "future": "This day has not come yet.",
        "past": "This day is too long ago.",
    }

    def __init__(self, *, past_only: bool = False, **kwargs: Any) -> None:
        self.past_only = past_only
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> date:
        try:
            day = parse_date(data)
        except (ValueError, TypeError):
            self.fail("invalid")
        if day.year < 1900:
            self.fail("past")
        if self.past_only and day > timezone.localdate():
            self.fail("future")
        return day

    def to_representation(self, value: date) -> str:
        return format_date(value)


class Number(serializers.IntegerField):
    """A whole number, as a JSON number or as ASCII digits; `1.0` counts as whole, since the seed calls it a double."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float | str):
            self.fail("invalid")
        if isinstance(data, float):
            if not data.is_integer():
                self.fail("invalid")
            data = int(data)
        if isinstance(data, str):
            if not re.fullmatch(r"-?[0-9]{1,9}(\.0{1,3})?", data, re.ASCII):
                self.fail("invalid")
            data = data.partition(".")[0]
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """One of some words, as text. What was sent instead is not repeated."""

    default_error_messages = {"invalid_choice": "Not one of the choices.", "blank": "This field may not be blank."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice")
        if not data and not self.allow_blank:
            self.fail("blank")
        return str(super().to_internal_value(data))


class YesNo(Choice):
    """Y or N; N where it is left out or empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(["Y", "N"], default=False, allow_blank=True, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) == "Y"


@extend_schema_field({"type": "boolean"})
class Flag(serializers.Field[bool, Any, bool, Any]):
    """True or false; in a form, where all is text, the words."""

    default_error_messages = {"invalid": "Neither true nor false."}

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, bool):
            return data
        if data not in ("true", "false"):
            self.fail("invalid")
        return bool(data == "true")

    def to_representation(self, value: bool) -> bool:
        return value
