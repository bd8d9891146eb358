"""Numbers and times of a partner's transaction: text to the letter first, a value afterwards."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.dates import parse_moment
from loyalty.fields import Exact

NOUGHT = r"(?!-0+(\.0+)?\Z)"  # no -0


class WithDefault(Exact):
    """Left out, null or empty, it means its default."""

    def __init__(self, *, default: str = "", **kwargs: Any) -> None:
        self.when_empty = default
        super().__init__(default=default, allow_null=True, allow_blank=True, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is serializers.empty or data in (None, ""):
            return self.when_empty
        return super().run_validation(data)


class Code(Exact):
    """A code of the partner's or of ours."""

    def __init__(self, *, max_length: int = 30, **kwargs: Any) -> None:
        super().__init__(pattern=r"[0-9A-Za-z][0-9A-Za-z._-]*", max_length=max_length, **kwargs)


class Whole(WithDefault):
    """A whole number: `0`, `25`, `-25`; neither `+25`, `025`, `-0` nor `25.0`."""

    def __init__(self, *, digits: int, signed: bool, default: str, **kwargs: Any) -> None:
        sign = "-?" if signed else ""
        pattern = rf"{NOUGHT}{sign}(0|[1-9][0-9]{{0,{digits - 1}}})" if signed else rf"[1-9][0-9]{{0,{digits - 1}}}"
        super().__init__(pattern=pattern, max_length=digits + len(sign), default=default, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return int(super().run_validation(data))


class Amount(WithDefault):
    """A decimal of at most ten digits before the point and two behind it."""

    def __init__(self, **kwargs: Any) -> None:
        pattern = rf"{NOUGHT}-?(0|[1-9][0-9]{{0,9}})(\.[0-9]{{1,2}})?"
        super().__init__(pattern=pattern, max_length=14, default="0", **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return Decimal(super().run_validation(data))


class Price(Exact):
    """A decimal that is not below zero."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pattern=r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?", max_length=13, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return Decimal(super().run_validation(data))


@extend_schema_field({"type": "string", "example": "07/31/2026 18:30:00"})
class Moment(serializers.Field[datetime, str, str, Any]):
    """`MM/DD/YYYY HH24:MI:SS` in GMT+8, of this century."""

    default_error_messages = {"invalid": "Not a time of the form MM/DD/YYYY HH24:MI:SS."}

    def to_internal_value(self, data: Any) -> datetime:
        try:
            moment = parse_moment(data)
        except (ValueError, TypeError):
            self.fail("invalid")
        if not 2000 <= moment.year <= 2100:
            self.fail("invalid")
        return moment
