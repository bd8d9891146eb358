"""What goes wrong with the next calls, as somebody ordered it, and what was called."""

import random
import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

ANY = "*"
NAMES = (
    "delay",
    "hang",
    "down",
    "cut-before",
    "cut-after",
    "sbl",
    "status",
    "garbage",
    "drip",
    "redirect",
    "huge",
    "empty",
    "spoil",
)


@dataclass
class Fault:
    """`share` of the calls of a service and method, `times` at most, go wrong.

    `seconds` are for delay, hang, down and drip; `status` and `codes` for sbl (200 or 500) and status; `location` for
    redirect; `outputs` for spoil.
    """

    fault: str
    service: str = ANY
    method: str = ANY
    times: int = 1
    share: float = 1.0
    seconds: float = 60.0
    status: int = 500
    codes: list[str] = field(default_factory=lambda: ["SBL-BPR-00162"])
    location: str = "/"
    outputs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fault not in NAMES:
            raise ValueError(f"A fault is one of: {', '.join(NAMES)}.")

    def hits(self, service: str, method: str) -> bool:
        return self.times > 0 and self.service in (ANY, service) and self.method in (ANY, method)


class Book:
    """The faults in order; calls and connections counted."""

    def __init__(self, seed: int | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self.request_ids: Counter[str] = Counter()
        self.connections = self.tokens = 0
        self.last_headers: dict[str, str] = {}
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 (no secret)

    def order(self, said: dict[str, Any]) -> Fault:
        """Raises ValueError, TypeError."""
        fault = Fault(**said)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, service: str, method: str) -> Fault | None:
        """The fault of this call, if any; the first that fits."""
        with self._lock:
            for fault in self._faults:
                if fault.hits(service, method) and self._random.random() < fault.share:
                    fault.times -= 1
                    return fault
        return None

    def note(self, service: str, method: str, request_id: str, headers: dict[str, str]) -> None:
        with self._lock:
            self.calls[f"{service}.{method}"] += 1
            self.last_headers = headers
            if request_id:
                self.request_ids[request_id] += 1

    def note_connection(self) -> None:
        with self._lock:
            self.connections += 1

    def note_token(self) -> None:
        with self._lock:
            self.tokens += 1

    def state(self) -> dict[str, Any]:
        with self._lock:
            return {
                "calls": dict(self.calls),
                "connections": self.connections,
                "tokens": self.tokens,
                "repeated": [name for name, count in self.request_ids.items() if count > 1],
                "lastHeaders": self.last_headers,
                "faults": [asdict(fault) for fault in self._faults if fault.times > 0],
            }
