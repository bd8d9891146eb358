"""What the process that answers says of its memory: figures and allocation statistics, never what an object holds."""

import fcntl
import gc
import json
import os
import resource
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from loyalty import errors, siebel

Figures = dict[str, Any]
_FILES = "heap-*.json"
_MOST_LINES = 500
_KIB = 1024 if sys.platform == "darwin" else 1


def collect() -> Figures:
    """Force a garbage collection; how many objects it found unreachable. Raises TooManyRequests during another one."""
    with _alone("forcegc"):
        blocks, started = sys.getallocatedblocks(), time.monotonic()
        found = gc.collect()
        return {
            "process": os.getpid(),
            "collectedObjects": found,
            "uncollectableObjects": len(gc.garbage),
            "freedBlocks": blocks - sys.getallocatedblocks(),
            "milliseconds": round((time.monotonic() - started) * 1000, 1),
        }


def heap() -> Figures:
    """Traced bytes are None in a process that traces no allocations."""
    traced, peak = tracemalloc.get_traced_memory()
    return {
        "process": os.getpid(),
        "threads": threading.active_count(),
        "allocatedBlocks": sys.getallocatedblocks(),
        "peakResidentKib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KIB,
        "tracedBytes": traced if tracemalloc.is_tracing() else None,
        "tracedPeakBytes": peak if tracemalloc.is_tracing() else None,
        "pending": gc.get_count(),
        "generations": gc.get_stats(),
    }


def record() -> Path:
    """Write a snapshot: the lines of code that hold most memory. The newest HEAP_FILES_KEPT stay.

    A process that does not trace from its start (PYTHONTRACEMALLOC) does so for HEAP_TRACE_SECONDS, and shows what came
    in that time and stayed. Raises TooManyRequests during another one.
    """
    with _alone("recordheap"):
        with _tracing() as seconds:
            snapshot, figures = tracemalloc.take_snapshot(), heap()
        lines = snapshot.statistics("lineno")
        report = {
            "tracedSeconds": seconds,
            "heap": figures,
            "bytes": sum(line.size for line in lines),
            "lines": [
                {
                    "file": line.traceback[0].filename,
                    "line": line.traceback[0].lineno,
                    "bytes": line.size,
                    "n": line.count,
                }
                for line in lines[:_MOST_LINES]
            ],
        }
        path = _folder() / f"heap-{timezone.now():%Y%m%dT%H%M%S%f}-{os.getpid()}.json"
        with open(path, "x", opener=_for_its_owner) as file:
            json.dump(report, file, indent=1)
        for old in sorted(path.parent.glob(_FILES))[: -settings.HEAP_FILES_KEPT]:
            old.unlink(missing_ok=True)
        return path


def ask_siebel(milliseconds: int) -> str:
    """Siebel's answer after so long; one may wait at a time. Raises TooManyRequests, SiebelTimeout."""
    with _alone("siebeltimeout"):
        reply = siebel.call("Loyalty Diagnostics", "Sleep", {"Milliseconds": str(milliseconds)})
    return f"Siebel answered after {reply['Milliseconds']} ms."


@contextmanager
def _tracing() -> Iterator[float | None]:
    """For how many seconds allocations have been traced; None stands for the whole life of the process."""
    if tracemalloc.is_tracing():
        yield None
        return
    tracemalloc.start()
    try:
        time.sleep(settings.HEAP_TRACE_SECONDS)
        yield settings.HEAP_TRACE_SECONDS
    finally:
        tracemalloc.stop()


@contextmanager
def _alone(what: str) -> Iterator[None]:
    """One caller at a time on this machine, over all processes; a killed one leaves nothing locked."""
    with open(_folder() / f"{what}.lock", "w", opener=_for_its_owner) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.TooManyRequests from None
        yield


def _folder() -> Path:
    folder: Path = settings.DIAGNOSTICS_DIR
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
