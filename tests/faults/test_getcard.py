"""F1 to F4: whatever is killed and whatever Redis says, a card is handed out at most once and none is lost.

A short round; `make soak` runs many. Moments are random.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from loyalty import relay
from loyalty.scopes import Scope
from tests.conftest import Api, csv_file, new_client
from tests.faults.drawing import callers, demand_each_card_once, drain
from tests.faults.proxy import FaultProxy, Mode
from tests.faults.site import Site, site
from wechat import pool
from wechat.models import PoolCard

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "1"))
SECONDS = float(os.environ.get("SOAK_SECONDS", "2"))
again = pytest.mark.parametrize("turn", range(ROUNDS))


@pytest.fixture
def here(database: None, tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


def stocked(count: int) -> str:
    """A pool of so many cards; answers the key of a client that draws."""
    loader = Api({"X-API-Key": new_client(Scope.WECHAT_LOAD)[1]})
    rows = "\n".join(f"61{number:010},{number % 10_000:04}" for number in range(count))
    loader.form("Wechats/uploadCard", {"fileName": csv_file(f"msrCard,pin\n{rows}\n")})
    relay.sweep()
    assert PoolCard.objects.count() == count
    return new_client(Scope.WECHAT)[1]


@again
@pytest.mark.parametrize("kill_at", ["wechat.pool:_claim:before", "wechat.pool:draw:after"])
def test_f1_f2_web_workers_killed_before_the_claim_and_after_it(here: Site, kill_at: str, turn: int) -> None:
    key = stocked(600)
    base = here.web(KILL_AT=kill_at, KILL_WITHIN="100")
    with callers(base, key) as notes:
        time.sleep(SECONDS)
    assert notes.unknown, "Nobody was killed."
    assert not any(code >= 500 for code in notes.refusals)
    demand_each_card_once(notes)
    pool.refill()  # what the reconciler does each minute
    drain(here.web(), key, notes)
    assert not PoolCard.objects.filter(status="Pooled").exists()
    demand_each_card_once(notes)


@again
def test_f3_a_redis_that_lies(here: Site, turn: int) -> None:
    socket = here.valkey()
    key = stocked(800)
    old = [str(pk) for pk in PoolCard.objects.values_list("pk", flat=True)[:100]]
    base = here.web(REDIS_URL=f"unix://{socket}?db=0")
    liar = redis.from_url(f"unix://{socket}?db=0", decode_responses=True)
    with callers(base, key) as notes:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            liar.lpush(pool.WINDOW, *old)  # a dump of long ago
            time.sleep(0.1)
            liar.flushall()
            time.sleep(0.1)
            if window := liar.lrange(pool.WINDOW, 0, 100):
                liar.rpush(pool.WINDOW, *window)
            liar.rpush(pool.WINDOW, "-1", "none", str(10**30), "0")
            time.sleep(0.1)
    assert set(notes.refusals) <= {4001}
    assert notes.unknown == 0
    assert not notes.refusals or not PoolCard.objects.filter(status="Pooled").exists()
    drain(base, key, notes)
    assert len(notes.cards) == len(set(notes.cards)) == 800


@again
@pytest.mark.parametrize("mode", [Mode.DOWN, Mode.MUTE, Mode.RESET])
def test_f4_a_redis_that_is_away(here: Site, mode: Mode, turn: int) -> None:
    key = stocked(3000)
    proxy = FaultProxy(here.valkey())
    base = here.web(REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0", LOGIN_PER_ADDRESS_5MIN="1000")
    with callers(base, key, count=4) as notes:
        time.sleep(1)
        proxy.mode = mode
        time.sleep(SECONDS)
        body = {"user": "nobody", "password": "wrong"}
        started = time.monotonic()
        logins = [requests.post(f"{base}/api/Customers/login", json=body, timeout=10).status_code for _ in range(12)]
        assert (time.monotonic() - started) / 12 < 3
        proxy.mode = Mode.PASS
        time.sleep(1)
    proxy.stop()
    assert logins == [400] * 10 + [429] * 2
    assert (sum(notes.refusals.values()), notes.unknown) == (0, 0)
    assert notes.cards
    assert notes.slowest < 3
    demand_each_card_once(notes)
