"""One way from a request to validated arguments, and from bad form to the right refusal."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from rest_framework import serializers

from loyalty import errors

# In an operation that sends or checks messages these have codes of their own: (nothing there, not acceptable).
SMS_CODES: dict[str, tuple[type[errors.Refusal], type[errors.Refusal]]] = {
    "phoneNumber": (errors.MissingNo, errors.PhoneNotValid),
    "template": (errors.MissingMsg, errors.TemplateNotValid),
    "captcha": (errors.MissingCaptcha, errors.MissingCaptcha),
    "cellPhoneValidFlag": (errors.MissingCaptcha, errors.MissingCaptcha),
}
_NOTHING_THERE = {"required", "null", "blank"}


def read(form: type[serializers.Serializer[Any]], data: Mapping[str, Any], *, sms: bool = False) -> dict[str, Any]:
    """Validate `data`. Raises ValidationError, or in an SMS operation the seed's code for the field at fault."""
    filled = form(data=plain(data))
    if not filled.is_valid():
        if sms:
            _raise_sms_code(filled.errors, getattr(form, "left_out", {}))
        raise errors.ValidationError(details_of(filled.errors))
    validated: dict[str, Any] = filled.validated_data
    return validated


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """A form's QueryDict as a plain dict: every parser has made sure that a name stands in it once."""
    return dict(data.items())


def strict_json(text: str) -> Any:
    """JSON with each name once in an object, and no NaN. Raises ValueError with what may be answered."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except _NotStrict:
        raise
    except (ValueError, RecursionError):
        raise ValueError("Not JSON.") from None


class _NotStrict(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotStrict("A name stands in it twice.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _NotStrict(f"{name} is not JSON.")


def under_data(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The model of a body that may stand at its top level or under `data`, there as an object or as JSON text."""
    inner = body.get("data")
    if isinstance(inner, str):
        try:
            inner = strict_json(inner)
        except ValueError as error:
            raise errors.ValidationError({"data": [str(error)]}) from None
    if inner is None:
        return body
    if not isinstance(inner, dict):
        raise errors.ValidationError({"data": ["Not an object."]})
    return inner


def details_of(found: Any, field: str = "") -> dict[str, list[str]]:
    """DRF's nested errors, flat: field → messages."""
    if isinstance(found, Mapping):
        flat: dict[str, list[str]] = {}
        for name, inner in found.items():
            flat.update(details_of(inner, f"{field}.{name}" if field else str(name)))
        return flat
    messages = found if isinstance(found, list | tuple) else [found]
    return {field or "body": [str(message) for message in messages]}


def _raise_sms_code(found: Any, left_out: Mapping[str, type[errors.Refusal]]) -> None:
    """A form's `left_out` names the fields that another refusal answers where they are not there at all."""
    for field, (nothing, wrong) in SMS_CODES.items():
        if field in found:
            code = found[field][0].code
            if field in left_out and code in ("required", "null"):
                raise left_out[field]
            raise nothing if code in _NOTHING_THERE else wrong
