"""Callers of getCard who note what each call came to, and what must be true of their notes whatever has failed."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from wechat.models import Batch, Departure, PoolCard


@dataclass
class Notes:
    """`unknown`: the call ended without an answer, so a card may have been handed out or not."""

    cards: list[str] = field(default_factory=list)
    refusals: Counter[int] = field(default_factory=Counter)
    unknown: int = 0
    slowest: float = 0


def draw(base: str, key: str, notes: Notes) -> None:
    started = time.monotonic()
    try:
        reply = requests.get(f"{base}/api/Wechats/getCard", headers={"X-API-Key": key}, timeout=10)
        if reply.status_code == 200:
            notes.cards.append(reply.json()["msrCard"])
        else:
            notes.refusals[reply.json()["error"]["code"]] += 1
    except requests.RequestException:
        notes.unknown += 1
    notes.slowest = max(notes.slowest, time.monotonic() - started)


@contextmanager
def callers(base: str, key: str, count: int = 8, notes: Notes | None = None) -> Iterator[Notes]:
    """They draw while the block runs, and go on with `notes` where they are given."""
    notes, stop = notes or Notes(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            draw(base, key, notes)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield notes
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def drain(base: str, key: str, notes: Notes) -> None:
    """Draw until the pool is empty."""
    with callers(base, key, notes=notes):
        until = time.monotonic() + 60
        while not notes.refusals[4001] and time.monotonic() < until:
            time.sleep(0.05)


def demand_each_card_once(notes: Notes) -> None:
    """No card twice, none lost: what nobody was given is pooled, or went with an answer that did not arrive."""
    issued = set(PoolCard.objects.filter(status="Issued").values_list("number", flat=True))
    assert len(notes.cards) == len(set(notes.cards))
    assert set(notes.cards) <= issued
    assert len(issued) - len(notes.cards) <= notes.unknown
    pooled = PoolCard.objects.filter(status="Pooled").count()
    assert pooled + len(issued) == sum(Batch.objects.values_list("imported", flat=True))
    assert Departure.objects.count() == len(issued)
