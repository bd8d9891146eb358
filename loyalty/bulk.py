"""Many rows at once, without a model instance for each: COPY on PostgreSQL."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows of `columns` (attribute names); every other column has the model's default.

    All in one statement. Raises IntegrityError where one of them is there already.
    """
    if connection.vendor == "postgresql":
        _copy(model, columns, rows)
    else:
        model._default_manager.bulk_create(model(**dict(zip(columns, row, strict=True))) for row in rows)


def among(texts: Sequence[str]) -> RawSQL:
    """For `column__in=`: one parameter however many texts there are, where a list would cost one each."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::varchar[])", [list(texts)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(texts))])


def _copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    others = [fields[name] for name in fields if name not in columns and not fields[name].primary_key]
    defaults = tuple(field.get_db_prep_save(field.get_default(), connection) for field in others)
    names = [str(field.column) for field in (*(fields[name] for name in columns), *others)]
    quoted = ", ".join(map(connection.ops.quote_name, names))
    statement = f"COPY {connection.ops.quote_name(model._meta.db_table)} ({quoted}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row((*row, *defaults))
