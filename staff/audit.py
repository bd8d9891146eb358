"""Noting what staff do. Whatever is logged in the admin is noted here too, in the same transaction."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import models
from django.http import HttpRequest

from staff.models import StaffAction

Kind = StaffAction.Kind
Changes = Mapping[str, list[Any]]


def note(
    request: HttpRequest, kind: Kind, row: models.Model, *, message: str = "", changes: Changes, reason: str = ""
) -> None:
    """`row` names itself by its `str`, which must be no personal data."""
    StaffAction.objects.create(
        staff=request.user.get_username(),
        kind=kind,
        subject=row._meta.label_lower,
        object_id=str(row.pk),
        object_text=str(row)[:200],
        message=message,
        changes=changes,
        reason=reason,
        request_id=getattr(request, "request_id", ""),
    )


class AuditedAdmin:
    """A ModelAdmin's log entries, with what stood in the fields before and after."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        request.staff_changes = _changes(form, add)  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> LogEntry:
        self._note(request, Kind.ADD, obj, message)
        return super().log_addition(request, obj, message)  # type: ignore[misc,no-any-return]

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any, *, reason: str = "") -> LogEntry:
        """`reason` is kept apart from the message in the audit, and behind it in the log."""
        self._note(request, Kind.CHANGE, obj, message, reason)
        text = f"{message}: {reason}" if reason else message
        return super().log_change(request, obj, text)  # type: ignore[misc,no-any-return]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[models.Model]) -> Any:
        for row in queryset:
            note(request, Kind.DELETE, row, changes={name: [value, None] for name, value in _values(row).items()})
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    @staticmethod
    def _note(request: HttpRequest, kind: Kind, row: models.Model, message: Any, reason: str = "") -> None:
        """A message in words is an action's; any other is a form's, which has left what it changed."""
        if isinstance(message, str):
            note(request, kind, row, message=message, changes={}, reason=reason)
        else:
            note(request, kind, row, changes=getattr(request, "staff_changes", {}), reason=reason)


def _is_secret(name: str) -> bool:
    return any(word in name for word in ("password", "digest", "secret"))


def _changes(form: Any, add: bool) -> dict[str, list[Any]]:
    before = {} if add else form.initial
    return {
        name: [_plain(before.get(name)), _plain(form.cleaned_data.get(name))]
        for name in form.changed_data
        if not _is_secret(name)
    }


def _values(row: models.Model) -> dict[str, Any]:
    names = (field.attname for field in row._meta.concrete_fields if field.editable)
    return {name: _plain(getattr(row, name)) for name in names if not _is_secret(name)}


def _plain(value: Any) -> Any:
    """For JSON."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, models.QuerySet | list | tuple):
        return [_plain(entry) for entry in value]
    return str(value)
