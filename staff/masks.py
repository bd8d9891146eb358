"""Personal data as most staff see it: enough to tell one from another, not enough to use."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

VIEW, UNMASK = "staff.view_personal_data", "staff.unmask_personal_data"
Column = str | Callable[[Any], str]


def masked(text: str) -> str:
    """An e-mail address by its first letter and its host, a number by its last four digits, anything else as it is."""
    name, at, host = text.rpartition("@")
    if at:
        return f"{name[:1]}•••@{host}"
    return f"••••{text[-4:]}" if sum(map(str.isdigit, text)) > 4 else text


@cache
def column(model: type[models.Model], name: str) -> Callable[[Any], str]:
    """A column of a model, masked."""

    @admin.display(description=model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    def shown(row: Any) -> str:
        return masked(getattr(row, name)) or "-"

    return shown


class MaskedColumns:
    """For a ModelAdmin or an inline. `masked`: its columns of personal data, or paths to them that are searched."""

    model: type[models.Model]
    masked: Sequence[str] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        return [(name, {**options, "fields": self._mask(request, options["fields"])}) for name, options in sets]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._mask(request, super().get_list_display(request))  # type: ignore[misc]

    def get_list_display_links(self, request: HttpRequest, list_display: Sequence[Any]) -> Any:
        links = super().get_list_display_links(request, list_display)  # type: ignore[misc]
        return self._mask(request, links) if links else links

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Who sees a column masked finds by the whole of it: its beginning would give it away, digit by digit."""
        fields = super().get_search_fields(request)  # type: ignore[misc]
        if request.user.has_perm(VIEW):
            return list(fields)
        paths = [field.rpartition("__")[0] for field in fields]
        return [f"{path}__exact" if path in self.masked else field for path, field in zip(paths, fields, strict=True)]

    def _mask(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        if request.user.has_perm(VIEW):
            return list(names)
        return [column(self.model, name) if name in self.masked else name for name in names]
