"""Looking into a running process: what was freed, what the heap is, where it went, and how long Siebel may take."""

import fcntl
import gc
import json
import runpy
import stat
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from loyalty import siebel
from loyalty.scopes import Scope
from tests.conftest import Api, at_once, code_of, holding

PATHS = ("forcegc", "getHeap", "recordHeap", "siebelTimeOut/0")


@pytest.fixture
def ops(database: None, settings: Settings, tmp_path: Path) -> Api:
    settings.DIAGNOSTICS_DIR = tmp_path / "diagnostics"
    settings.RECORDHEAP_PER_CLIENT_MINUTE = 100
    return holding(Api(), Scope.OPS)


def data_of(reply: Any) -> str:
    assert reply.status_code == 200, reply.content
    assert list(reply.json()) == ["data"]
    data: str = reply.json()["data"]
    return data


def heap_files(settings: Settings) -> list[Path]:
    return sorted(settings.DIAGNOSTICS_DIR.glob("heap-*"))


def test_a_forced_collection_says_what_it_freed(ops: Api) -> None:
    class Ring:
        me: Any = None

    gc.disable()  # it would come first
    try:
        for _ in range(50):
            ring = Ring()
            ring.me = ring
        said = json.loads(data_of(ops.get("Orders/forcegc")))
    finally:
        gc.enable()
    assert said["collectedObjects"] >= 49
    assert said["freedBlocks"] > 0


def test_the_heap_is_told_in_figures_alone(ops: Api) -> None:
    def flat(said: Any) -> list[Any]:
        inner = said.values() if isinstance(said, dict) else said
        return [x for one in inner for x in (flat(one) if isinstance(one, dict | list) else [one])]

    said = json.loads(data_of(ops.get("Orders/getHeap")))
    assert said["allocatedBlocks"] > 1000
    assert said["peakResidentKib"] > 1000
    assert {type(figure) for figure in flat(said)} <= {int, type(None)}


def test_a_snapshot_tells_the_line_that_holds_memory_and_not_what(ops: Api, settings: Settings) -> None:
    tracemalloc.start()
    held = [f"secret {number}" for number in range(10_000)]
    try:
        path = Path(data_of(ops.get("Orders/recordHeap")))
    finally:
        tracemalloc.stop()
    assert path.parent == settings.DIAGNOSTICS_DIR
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]
    report = json.loads(path.read_text())
    largest = report["lines"][0]
    assert (largest["file"], report["tracedSeconds"]) == (__file__, None)
    assert largest["n"] >= len(held)
    assert report["bytes"] >= largest["bytes"] > report["lines"][1]["bytes"]
    assert "secret" not in path.read_text()


def test_a_process_that_does_not_trace_does_so_for_a_while(ops: Api, settings: Settings) -> None:
    settings.HEAP_TRACE_SECONDS = 1
    kept: list[str] = []
    busy = threading.Timer(0.5, lambda: kept.extend(f"{number}" for number in range(20_000)))
    busy.start()
    report = json.loads(Path(data_of(ops.get("Orders/recordHeap"))).read_text())
    assert report["tracedSeconds"] == 1
    assert report["heap"]["tracedBytes"] > 0
    assert report["lines"][0]["file"] == __file__
    assert not tracemalloc.is_tracing()


def test_the_newest_ten_snapshots_stay_and_nobody_elses_file_goes(ops: Api, settings: Settings) -> None:
    written = [data_of(ops.get("Orders/recordHeap")) for _ in range(10)]
    (settings.DIAGNOSTICS_DIR / "notes.txt").touch()
    written += [data_of(ops.get("Orders/recordHeap")) for _ in range(3)]
    assert [str(path) for path in heap_files(settings)] == written[3:]
    assert (settings.DIAGNOSTICS_DIR / "notes.txt").exists()


@pytest.mark.parametrize("milliseconds", ["0", "30", "0030"])
def test_siebel_answers_after_so_long(ops: Api, milliseconds: str) -> None:
    started = time.monotonic()
    assert data_of(ops.get(f"Orders/siebelTimeOut/{milliseconds}")).startswith("Siebel answered")
    assert time.monotonic() - started >= int(milliseconds) / 1000


@pytest.mark.parametrize("milliseconds", ["301", "120000"])
def test_no_call_of_siebel_outlives_its_deadline(ops: Api, settings: Settings, milliseconds: str) -> None:
    settings.SIEBEL_DEADLINE_SECONDS = 0.3
    started = time.monotonic()
    reply = ops.get(f"Orders/siebelTimeOut/{milliseconds}")
    assert code_of(reply, 504) == 5040
    assert reply.json()["error"]["reason"] == "SiebelTimeout"
    assert 0.3 <= time.monotonic() - started < 2


def test_the_deadline_is_below_the_web_servers_own(settings: Settings) -> None:
    web = runpy.run_path(str(settings.BASE_DIR / "config/gunicorn.py"))
    assert settings.SIEBEL_DEADLINE_SECONDS < 20 < web["timeout"] - 5


@pytest.mark.parametrize("timeout", ["120001", "-1", "1.0", "1e3", "0x10", "٣", "1%20", "+1", "9999999", "abc"])
def test_what_is_no_number_of_milliseconds_is_refused(ops: Api, timeout: str) -> None:
    reply = ops.get(f"Orders/siebelTimeOut/{timeout}")
    assert code_of(reply) == 422
    assert list(reply.json()["error"]["details"]) == ["timeout"]


def test_siebel_says_what_it_was_told(database: None) -> None:
    assert siebel.call("Loyalty Diagnostics", "Echo", {"Text": "星享"})["Text"] == "星享"


@pytest.mark.parametrize(("path", "hold"), [("siebelTimeOut/700", {}), ("recordHeap", {"HEAP_TRACE_SECONDS": 0.7})])
def test_one_at_a_time(ops: Api, settings: Settings, path: str, hold: dict[str, float]) -> None:
    for name, value in hold.items():
        setattr(settings, name, value)
    callers = [holding(Api(), Scope.OPS) for _ in range(5)]
    replies = at_once(5, lambda n: callers[n].get(f"Orders/{path}"))
    assert sorted(reply.status_code for reply in replies) == [200, 429, 429, 429, 429]
    assert all("Retry-After" in reply.headers for reply in replies if reply.status_code == 429)
    assert ops.get(f"Orders/{path}").status_code == 200


def test_one_collection_at_a_time_over_all_processes(ops: Api, settings: Settings) -> None:
    assert ops.get("Orders/forcegc").status_code == 200
    with (settings.DIAGNOSTICS_DIR / "forcegc.lock").open() as another:
        fcntl.flock(another, fcntl.LOCK_EX)
        assert code_of(ops.get("Orders/forcegc"), 429) == 429
    assert ops.get("Orders/forcegc").status_code == 200


@pytest.mark.parametrize(("path", "limit"), [("forcegc", 6), ("getHeap", 6), ("recordHeap", 2)])
def test_a_client_asks_so_often_a_minute(ops: Api, settings: Settings, path: str, limit: int) -> None:
    settings.RECORDHEAP_PER_CLIENT_MINUTE = 2
    replies = [ops.get(f"Orders/{path}") for _ in range(limit + 1)]
    assert [reply.status_code for reply in replies] == [200] * limit + [429]
    assert 0 < int(replies[-1].headers["Retry-After"]) <= 60
    assert holding(ops, Scope.OPS).get(f"Orders/{path}").status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_only_operations_may_look(ops: Api, path: str) -> None:
    assert ops.get(f"Orders/{path}").status_code == 200
    assert (
        code_of(holding(ops, *(scope for scope in Scope if scope is not Scope.OPS)).get(f"Orders/{path}"), 403) == 403
    )
    assert code_of(Api().get(f"Orders/{path}"), 401) == 401
    assert ops.request("HEAD", f"/api/Orders/{path}").status_code == 405
