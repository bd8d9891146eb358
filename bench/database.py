"""A database of its own for a measurement, dropped at its end, and a Redis database. Both servers must be local."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

SERVER = os.environ.get("BENCH_SERVER", "postgres://root@127.0.0.1:5432")
REDIS = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379")


@contextmanager
def migrated(name: str = "pool", redis: int = 12, **changes: str) -> Iterator[dict[str, str]]:
    """The environment of processes that use it."""
    database = f"loyalty_bench_{name}_{os.getpid()}"
    with (
        psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection,
        tempfile.TemporaryDirectory(prefix="loyalty-bench-") as var,
    ):
        connection.execute(f"CREATE DATABASE {database}")
        Path(var, "sftp").mkdir()
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DATABASE_URL": f"{SERVER}/{database}",
            "REDIS_URL": f"{REDIS}/{redis}",
            "VAR_DIR": var,
            "LIMITS_SCALE": "1000000",
            **changes,
        }
        try:
            migrate = [sys.executable, "manage.py", "migrate", "-v", "0"]
            subprocess.run(migrate, env=environment, check=True)
            yield environment
        finally:
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)")
