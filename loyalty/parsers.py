"""Bodies, read strictly: one value a name, an object at the top, no more bytes than the operation takes."""

import codecs
import unicodedata
from collections.abc import Iterable, Mapping
from typing import IO, Any, NoReturn, cast
from urllib.parse import unquote_to_bytes

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict, multipartparser
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, FormParser, JSONParser, MultiPartParser

from loyalty import errors, forms

Context = Mapping[str, Any] | None


def _refuse(message: str) -> NoReturn:
    raise errors.ValidationError({"body": [message]})


def demand_size(limit: int, meta: Mapping[str, Any]) -> None:
    """Raises PayloadTooLarge."""
    if int(meta.get("CONTENT_LENGTH") or 0) > limit:
        raise errors.PayloadTooLarge({"body": [f"At most {limit} bytes."]})


def _demand_names(names: Iterable[str]) -> None:
    if any(unicodedata.category(sign) in ("Cc", "Cs") for name in names for sign in name):
        _refuse("A name has characters that do not belong in text.")


def _demand_single(values: QueryDict) -> None:
    _demand_names(values)
    if any(len(several) > 1 for name, several in values.lists() if name != "httpCtx"):
        _refuse("A name stands in it twice.")


class StrictJSONParser(JSONParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Context = None) -> dict[str, Any]:
        try:
            data = forms.strict_json(codecs.decode(stream.read(), "utf-8"))
        except UnicodeError:
            _refuse("Not UTF-8.")
        except ValueError as error:
            _refuse(str(error))
        if not isinstance(data, dict):
            _refuse("Not an object.")
        _demand_names(data)
        return data


class StrictFormParser(FormParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Context = None) -> Any:
        try:
            text = codecs.decode(stream.read(), "utf-8")
            codecs.decode(unquote_to_bytes(text), "utf-8")
            data = QueryDict(text, encoding="utf-8")
        except (UnicodeError, SuspiciousOperation):
            _refuse("Not urlencoded in UTF-8.")
        _demand_single(data)
        return data


class _Parts(multipartparser.MultiPartParser):
    """Django's, which makes `x.csv` of `../../x.csv`: such a name is refused instead."""

    def sanitize_file_name(self, file_name: str) -> str | None:
        if "/" in file_name or "\\" in file_name:
            raise errors.DirOrFileNotFound
        return super().sanitize_file_name(file_name)


class _Watched:
    """A stream that remembers its last bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.tail = stream, b""

    def read(self, size: int = -1) -> bytes:
        chunk = self.stream.read(size)
        self.tail = (self.tail + chunk)[-512:]
        return chunk


class StrictMultiPartParser(MultiPartParser):
    """A body that breaks off before its last boundary is none: half a file would pass for a whole one."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Context = None) -> DataAndFiles:
        watched = _Watched(stream)
        try:
            parsed = self._parsed(watched, parser_context or {})
        except (ParseError, SuspiciousOperation, UnicodeError):
            _refuse("Not multipart/form-data.")
        if any("\ufffd" in text for text in (*parsed.data.keys(), *parsed.data.values())):
            _refuse("Not UTF-8.")  # what Django's parser puts for it
        _demand_single(parsed.data)
        if any(len(several) > 1 for _, several in parsed.files.lists()) or set(parsed.data) & set(parsed.files):
            _refuse("A name stands in it twice.")
        return parsed

    def _parsed(self, watched: _Watched, context: Mapping[str, Any]) -> DataAndFiles:
        request = context["request"]
        try:
            parts: Any = _Parts(request.META, cast(Any, watched), request.upload_handlers, "utf-8")
            data, files = parts.parse()
        except multipartparser.MultiPartParserError:
            _refuse("Not multipart/form-data.")
        while watched.read(65_536):
            pass
        if b"--" + parts._boundary + b"--" not in watched.tail:
            _refuse("It breaks off before its last boundary.")
        return DataAndFiles(data, files)
