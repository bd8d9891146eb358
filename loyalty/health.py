"""`/health`: 200 while requests can be answered; `degraded` while something that can be done without is away."""

import structlog
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django_redis import get_redis_connection
from redis.exceptions import RedisError

log = structlog.get_logger()


def page(request: HttpRequest) -> JsonResponse:
    """`{"status": "ok" | "degraded" | "down", "database": …, "redis": …}`; 503 when down."""
    parts = {"database": _database(), "redis": _redis()}
    status = "down" if parts["database"] == "down" else "degraded" if parts["redis"] == "down" else "ok"
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
