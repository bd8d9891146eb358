"""`/health`: 200 while requests can be answered; `degraded` while something that can be done without is away.

Nobody is asked but our own database and Redis: what Siebel's state is, its circuits tell.
"""

import structlog
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from loyalty.siebel_rest import breaker

log = structlog.get_logger()


def page(request: HttpRequest) -> JsonResponse:
    """`{"status": "ok" | "degraded" | "down", "database": …, "redis": …, "siebel": …}`; 503 when down."""
    parts = {"database": _database(), "redis": _redis(), "siebel": "down" if breaker.is_any_open() else "ok"}
    status = "down" if parts["database"] == "down" else "degraded" if "down" in parts.values() else "ok"
    return JsonResponse(
        {"status": status, **parts}, status=503 if status == "down" else 200, headers={"Cache-Control": "no-store"}
    )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        log.error("database_down", kind=type(error).__name__)
        return "down"
    return "ok"


def _redis() -> str:
    try:
        get_redis_connection("default").ping()
    except RedisError as error:
        log.error("redis_down", kind=type(error).__name__)
        return "down"
    return "ok"
