"""What a customer's page in the admin shows below the profile. Each app says in its customer_page.py what it has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import display_for_field, display_for_value, label_for_field, lookup_field
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode

from staff import masks

MOST_ROWS, MOST_EVENTS = 20, 30


@dataclass(frozen=True)
class Section:
    """The newest rows of one kind that are a customer's.

    `lookup` finds all of them in their own list; `moment` is the column that puts them on the timeline.
    """

    title: Promise
    model: type[Model]
    rows: Callable[[str], QuerySet[Any]]
    columns: Sequence[str]
    lookup: str = ""
    moment: str = ""
    adds_by: str = ""


@dataclass(frozen=True)
class Table:
    title: Promise
    headers: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    all_url: str
    add_url: str


@dataclass(frozen=True)
class Happening:
    at: datetime
    title: Promise
    text: str


_SECTIONS: list[Section] = []


def show(*sections: Section) -> None:
    _SECTIONS.extend(sections)


def tables(request: HttpRequest, customer_id: str, site: Any) -> tuple[list[Table], list[Happening]]:
    """Every section that the reader may see, and what happened last in all of them."""
    shown, events = [], []
    for section in _SECTIONS:
        page: ModelAdmin = site._registry[section.model]
        if not page.has_view_permission(request):
            continue
        rows = list(section.rows(customer_id)[:MOST_ROWS])
        cells = [[_cell(request, page, row, name) for name in section.columns] for row in rows]
        shown.append(_table(request, page, section, customer_id, rows, cells))
        if section.moment:
            index = section.columns.index(section.moment)
            for row, texts in zip(rows, cells, strict=True):
                said = [text for place, text in enumerate(texts) if place != index and text != "-"]
                events.append(Happening(getattr(row, section.moment), section.title, " · ".join(said)))
    events.sort(key=lambda event: event.at, reverse=True)
    return shown, events[:MOST_EVENTS]


def _table(
    request: HttpRequest, page: ModelAdmin, section: Section, customer_id: str, rows: list[Any], cells: Any
) -> Table:
    name = f"admin:{page.opts.app_label}_{page.opts.model_name}"
    return Table(
        title=section.title,
        headers=[str(label_for_field(column, section.model)) for column in section.columns],
        rows=[(reverse(f"{name}_change", args=[row.pk]), texts) for row, texts in zip(rows, cells, strict=True)],
        all_url=f"{reverse(f'{name}_changelist')}?{urlencode({section.lookup: customer_id})}" if section.lookup else "",
        add_url=f"{reverse(f'{name}_add')}?{urlencode({section.adds_by: customer_id})}"
        if section.adds_by and page.has_add_permission(request)
        else "",
    )


def _cell(request: HttpRequest, page: Any, row: Any, name: str) -> str:
    field, _, value = lookup_field(name, row, page)
    if name in getattr(page, "masked", ()) and not request.user.has_perm(masks.VIEW):
        return masks.masked(value) or "-"
    if field is None or field.is_relation:
        return str(display_for_value(value, "-"))
    return str(display_for_field(value, field, "-"))
