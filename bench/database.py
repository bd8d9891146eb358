"""A database of its own for a measurement, dropped at its end; Redis database 12. Both must be local."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SERVER = os.environ.get("BENCH_SERVER", "postgres://root@127.0.0.1:5432")
REDIS = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379/12")
NAME = f"loyalty_bench_{os.getpid()}"


@contextmanager
def fresh() -> Iterator[dict[str, str]]:
    """The environment of processes that use it."""
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
        try:
            yield {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "DATABASE_URL": f"{SERVER}/{NAME}",
                "REDIS_URL": REDIS,
                "LOG_LEVEL": "ERROR",
                "LIMITS_SCALE": "1000000",
                "POOL_WINDOW": "1000",
            }
        finally:
            connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
