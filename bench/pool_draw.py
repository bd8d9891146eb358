"""getCard over HTTP against its floor, and with many cards against few: alternating turns in one run."""

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bench import database
from bench.callers import rate

TURNS = int(os.environ.get("BENCH_TURNS", "6"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
FEW = 10_000
MANY = int(os.environ.get("BENCH_MANY", "10000000"))
Environment = Mapping[str, str]


@contextmanager
def served(application: str, environment: Environment) -> Iterator[int]:
    """The port of a web server with the product's own settings of gunicorn."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", application]
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, env={**environment, "PORT": str(port)}, stderr=nowhere)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def stock(count: int, environment: Environment, *options: str) -> str:
    command = [sys.executable, "-m", "bench.stock", str(count), *options]
    done = subprocess.run(command, env=dict(environment), check=True, capture_output=True, text=True)
    return done.stdout.strip()


def turns(*sides: Callable[[], float]) -> list[float]:
    """Each side's median over turns that alternate."""
    rates: list[list[float]] = [[] for _ in sides]
    for _ in range(TURNS):
        for side, found in zip(sides, rates, strict=True):
            found.append(side())
    return [statistics.median(found) for found in rates]


def against_the_floor() -> tuple[float, float]:
    """Cards a second: the product with the embedded CRM, the bare view."""
    with (
        database.migrated() as environment,
        served("config.wsgi:application", environment) as ours,
        served("bench.bare:application", environment) as bare,
    ):

        def turn(port: int) -> float:
            return rate(port, stock(FEW, environment, "crm"), SECONDS)

        product, floor = turns(lambda: turn(ours), lambda: turn(bare))
    return product, floor


def many_against_few() -> tuple[float, float]:
    """Cards a second with MANY cards in the pool, with FEW; the CRM takes no time in either."""
    with (
        database.migrated("many", redis=13, BENCH_CRM="obliging") as many,
        database.migrated("few", redis=12, BENCH_CRM="obliging") as few,
        served("config.wsgi:application", many) as many_port,
        served("config.wsgi:application", few) as few_port,
    ):
        key = stock(MANY, many)
        return tuple(turns(lambda: rate(many_port, key, SECONDS), lambda: rate(few_port, stock(FEW, few), SECONDS)))  # type: ignore[return-value]
