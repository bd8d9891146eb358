"""Bodies, read strictly: one value a name, an object at the top, no more bytes than the operation takes."""

import codecs
from collections.abc import Mapping
from typing import IO, Any, NoReturn
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, FormParser, JSONParser, MultiPartParser

from loyalty import errors, forms

Context = Mapping[str, Any] | None


def _refuse(message: str) -> NoReturn:
    raise errors.ValidationError({"body": [message]})


def _demand_size(context: Context) -> None:
    """`view.body_limit` bytes at most. Raises PayloadTooLarge."""
    context = context or {}
    limit = getattr(context.get("view"), "body_limit", settings.API_BODY_LIMIT)
    length = context["request"].META.get("CONTENT_LENGTH") if "request" in context else None
    if int(length or 0) > limit:
        raise errors.PayloadTooLarge({"body": [f"At most {limit} bytes."]})


def _demand_single(values: QueryDict) -> None:
    if any(len(several) > 1 for _, several in values.lists()):
        _refuse("A name stands in it twice.")


class StrictJSONParser(JSONParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Context = None) -> dict[str, Any]:
        _demand_size(parser_context)
        try:
            data = forms.strict_json(codecs.decode(stream.read(), "utf-8"))
        except UnicodeError:
            _refuse("Not UTF-8.")
        except ValueError as error:
            _refuse(str(error))
        if not isinstance(data, dict):
            _refuse("Not an object.")
        return data


class StrictFormParser(FormParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Context = None) -> Any:
        _demand_size(parser_context)
        try:
            text = codecs.decode(stream.read(), "utf-8")
            codecs.decode(unquote_to_bytes(text), "utf-8")
            data = QueryDict(text, encoding="utf-8")
        except (UnicodeError, SuspiciousOperation):
            _refuse("Not urlencoded in UTF-8.")
        _demand_single(data)
        return data


class StrictMultiPartParser(MultiPartParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Context = None) -> DataAndFiles:
        _demand_size(parser_context)
        try:
            parsed = super().parse(stream, media_type, parser_context)
        except (ParseError, SuspiciousOperation, UnicodeError):
            _refuse("Not multipart/form-data.")
        if any("\ufffd" in text for text in (*parsed.data.keys(), *parsed.data.values())):
            _refuse("Not UTF-8.")  # what Django's parser puts for it
        _demand_single(parsed.data)
        if any(len(several) > 1 for _, several in parsed.files.lists()) or set(parsed.data) & set(parsed.files):
            _refuse("A name stands in it twice.")
        return parsed
