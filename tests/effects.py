"""What a request has done: every row of every table, and the pool that Redis holds ready."""

from typing import Any

from django.db import connections
from django_redis import get_redis_connection

from wechat import pool

COUNTERS = {"loyalty_budget"}  # a refused attempt stays counted there


def everything() -> dict[str, Any]:
    """Equal before and after something that must have no effect."""
    rows: dict[str, Any] = {"redis": get_redis_connection("default").lrange(pool.WINDOW, 0, -1)}
    for alias in connections:
        tables = set(connections[alias].introspection.table_names()) - COUNTERS
        with connections[alias].cursor() as cursor:
            for table in sorted(tables):
                rows[table] = rows.get(table, []) + _rows(cursor, table)
    return rows


def _rows(cursor: Any, table: str) -> list[str]:
    cursor.execute(f"SELECT * FROM {table}")
    return sorted(map(repr, cursor.fetchall()))
