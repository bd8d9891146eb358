"""What a request has done: every row of every table, and the pool that Redis holds ready."""

from typing import Any

from django.db import connection
from django_redis import get_redis_connection

from wechat import pool

COUNTERS = {"loyalty_budget"}  # a refused attempt stays counted there


def everything() -> dict[str, Any]:
    """Equal before and after something that must have no effect."""
    tables = set(connection.introspection.table_names()) - COUNTERS
    with connection.cursor() as cursor:
        rows = {table: _rows(cursor, table) for table in sorted(tables)}
    return {**rows, "redis": get_redis_connection("default").lrange(pool.WINDOW, 0, -1)}


def _rows(cursor: Any, table: str) -> list[str]:
    cursor.execute(f"SELECT * FROM {table}")
    return sorted(map(repr, cursor.fetchall()))
