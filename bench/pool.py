"""`make bench-pool`: the card pool against what the same machine can do at all, in one run."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench import database

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))


def run_import(case: str) -> tuple[float, float]:
    """Seconds and MiB."""
    with database.fresh() as environment, tempfile.TemporaryDirectory() as var:
        Path(var, "sftp").mkdir()
        told = {**environment, "VAR_DIR": var}
        _finish(["manage.py", "migrate", "-v", "0"], told)
        seconds, memory = _finish(["-m", "bench.pool_import", case, str(ROWS)], told).split()
    return float(seconds), float(memory)


def _finish(command: list[str], environment: Mapping[str, str]) -> str:
    return subprocess.run(
        [sys.executable, *command], env=dict(environment), check=True, capture_output=True, text=True
    ).stdout


def show_imports() -> None:
    print(f"import of {ROWS:,} rows             seconds   MiB   ratio   limit")
    for suffix, story in (("", "pool alone"), ("-crm", "with the embedded CRM")):
        floor, _ = run_import(f"floor{suffix}")
        print(f"{'floor: COPY and ids into Redis, ' + story:52}{floor:8.1f}")
        for case, limit in (("plain", 3), ("encrypted", 6)):
            seconds, memory = run_import(case + suffix)
            print(f"{case + ', ' + story:52}{seconds:8.1f}{memory:6.0f}{seconds / floor:8.2f}{limit:8}")


if __name__ == "__main__":
    show_imports()
