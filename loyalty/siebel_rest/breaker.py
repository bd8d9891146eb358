"""A circuit for each business service, shared by the processes of a machine through a file.

It opens when half of the last SIEBEL_BREAKER_CALLS calls failed: then nobody calls for SIEBEL_BREAKER_SECONDS, then one
probes, and what became of the probe closes the circuit or keeps it open.
"""

import fcntl
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
from django.conf import settings

from loyalty.siebel import CircuitOpen

log = structlog.get_logger()
WORKED, FAILED = ".", "x"


@dataclass(frozen=True)
class Circuit:
    """`outcomes` of the last calls; Unix times: since when nobody calls, until when somebody probes."""

    outcomes: str = ""
    opened_at: float = 0.0
    probe_until: float = 0.0

    @property
    def retry_at(self) -> float:
        return self.opened_at + float(settings.SIEBEL_BREAKER_SECONDS)


def admit(service: str) -> bool:
    """Tells whether this call is the probe. Raises CircuitOpen."""
    circuit = _read(_path(service))
    if not circuit.opened_at:
        return False
    now = time.time()
    if now >= circuit.retry_at:
        with _changing(service) as change:
            circuit = _read(_path(service))
            if not circuit.opened_at:
                return False
            if now >= max(circuit.retry_at, circuit.probe_until):
                change(Circuit(circuit.outcomes, circuit.opened_at, now + settings.SIEBEL_DEADLINE_SECONDS + 1))
                return True
    raise CircuitOpen(retry_after=max(circuit.retry_at, circuit.probe_until) - now)


def tell(service: str, *, worked: bool, probing: bool) -> None:
    """What became of a call that was admitted."""
    circuit = _read(_path(service))
    if worked and not circuit.opened_at and FAILED not in circuit.outcomes:
        return  # as it mostly is: nothing to be changed
    with _changing(service) as change:
        circuit = _read(_path(service))
        if circuit.opened_at:
            if probing:
                change(Circuit() if worked else Circuit(circuit.outcomes, time.time()))
                log.warning("siebel_circuit", service=service, state="closed" if worked else "open")
            return
        outcomes = (circuit.outcomes + (WORKED if worked else FAILED))[-settings.SIEBEL_BREAKER_CALLS :]
        is_bad = outcomes.count(FAILED) * 2 >= settings.SIEBEL_BREAKER_CALLS
        change(Circuit(outcomes, time.time() if is_bad else 0.0))
        if is_bad:
            log.error("siebel_circuit", service=service, state="open")


def is_any_open() -> bool:
    """Whether there is something that Siebel is not asked at the moment; no without a Siebel of its own."""
    now = time.time()
    if settings.SIEBEL_TRANSPORT != "rest":
        return False
    return any(now < _read(path).retry_at for path in Path(settings.SIEBEL_STATE_DIR).glob("*.json"))


def _path(service: str) -> Path:
    return Path(settings.SIEBEL_STATE_DIR, re.sub(r"\W+", "-", service).lower() + ".json")


def _read(path: Path) -> Circuit:
    """Never half written: it is replaced as a whole."""
    try:
        return Circuit(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return Circuit()


@contextmanager
def _changing(service: str) -> Iterator["Change"]:
    path = _path(service)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Change(path)


@dataclass(frozen=True)
class Change:
    path: Path

    def __call__(self, circuit: Circuit) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(asdict(circuit)))
        new.replace(self.path)
