"""F7 and F10: imports whose workers are killed, and a file server that is killed, swapped under them, or full.

A short round; `make soak` runs many. Moments are random.
"""

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from cards.models import Card
from loyalty import relay
from loyalty.scopes import Scope
from tests.conftest import Api, csv_file, new_client
from tests.faults.site import Site, children, site
from tests.sshd import Sshd
from wechat import tasks
from wechat.models import Batch, PoolCard

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "1"))
KILLS = 3 * ROUNDS
ROWS = 14_000 * min(ROUNDS, 10)
FILES = 4 * ROUNDS


def upload(text: str, name: str) -> int:
    loader = Api({"X-API-Key": new_client(Scope.WECHAT_LOAD)[1]})
    return int(loader.form("Wechats/uploadCard", {"fileName": csv_file(text, name)}).json()["batchId"])


def rows_of(numbers: range) -> str:
    return "\n".join(["msrCard,pin", *(f"61{number:010},{number % 10_000:04}" for number in numbers)])


# F7


@pytest.fixture
def here(database: None, settings: Settings, tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, CARD_IMPORT_LEASE_SECONDS="2", CARD_SPOOL_DIR=str(settings.CARD_SPOOL_DIR)) as made:
        socket = made.valkey()
        made.changes["REDIS_URL"] = f"unix://{socket}?db=0"
        yield made


def kill(worker: subprocess.Popen[bytes], how: str) -> None:
    """The whole worker, its child alone, or as a deployment ends it."""
    if how == "worker":
        for child in children(worker.pid):
            os.kill(child, signal.SIGKILL)
        worker.kill()
    elif how == "child":
        for child in children(worker.pid):
            os.kill(child, signal.SIGKILL)
    else:
        worker.terminate()


@pytest.mark.timeout(300 * ROUNDS)
def test_f7_an_import_whose_workers_are_killed_again_and_again(here: Site) -> None:
    pk = upload("\n".join([rows_of(range(ROWS)), "=bad,1234", rows_of(range(5)).partition("\n")[2]]), "many.csv")
    here.relay()
    worker, killed_at, left = here.worker(), -1, KILLS
    until = time.monotonic() + 200 * ROUNDS
    while time.monotonic() < until:
        batch = Batch.objects.get(pk=pk)
        if batch.has_ended:
            break
        if left and batch.rows > killed_at:  # it has got on since the last one
            time.sleep(random.random() / 2)
            how = random.choice(["worker", "child", "deployment"])
            kill(worker, how)
            if how != "child":
                worker.wait(30)
                worker = here.worker()
            killed_at, left = Batch.objects.get(pk=pk).rows, left - 1
        time.sleep(0.05)
    assert (batch.state, batch.problem) == ("done", ""), (here.folder / "log").read_text()[-3000:]
    assert (batch.rows, batch.imported, batch.duplicates, batch.rejected) == (ROWS + 6, ROWS, 5, 1)
    assert PoolCard.objects.count() == Card.objects.count() == ROWS
    assert list(batch.rejected_rows.values_list("line", flat=True)) == [ROWS + 2]
    assert left < KILLS, "Nobody was killed."


# F10


@pytest.fixture
def server(database: None, settings: Settings, tmp_path: Path) -> Iterator[Sshd]:
    made = Sshd(tmp_path / "sshd")
    made.make()
    made.start()
    for name, value in made.settings().items():
        setattr(settings, name, value)
    settings.SFTP_TIMEOUT_SECONDS, settings.CARD_INBOX_SETTLE_SECONDS = 2, 0
    settings.CARD_IMPORT_LEASE_SECONDS = 0.5
    settings.CARD_SPOOL_DIR = tmp_path / "spool"
    yield made
    made.stop()


@pytest.mark.timeout(300 * ROUNDS)
def test_f10_a_file_server_that_is_killed_while_files_come_and_go(server: Sshd) -> None:
    """Uploads go there, an inbox is emptied by two beats, and sshd dies again and again."""
    (server.files / "inbox").mkdir()
    sizes = [2000 + number for number in range(FILES)]
    starts = [sum(sizes[:number]) for number in range(FILES)]
    files = {f"{number}.csv": rows_of(range(starts[number], starts[number] + sizes[number])) for number in range(FILES)}
    for number, (name, text) in enumerate(files.items()):
        if number % 2:
            (server.files / "inbox" / name).write_text(text)
        else:
            upload(text, name)
    stop = threading.Event()

    def disturb() -> None:
        for _ in range(KILLS):
            if stop.wait(random.uniform(0.2, 1.5)):
                break
            server.stop()
            time.sleep(random.random() / 4)
            server.start()

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        until = time.monotonic() + 120 * ROUNDS
        while time.monotonic() < until and not _all_done(FILES):
            tasks.look_into_inbox()
            tasks.look_into_inbox()
            relay.sweep()
            time.sleep(0.1)
    finally:
        stop.set()
        disturber.join()
    tasks.look_into_inbox()  # what could not be moved away then
    assert Counter(Batch.objects.values_list("state", flat=True)) == {"done": FILES}
    assert PoolCard.objects.count() == Card.objects.count() == sum(sizes)
    uploaded = {path.name: path.read_text() for path in server.files.glob("*.csv")}
    assert uploaded == {name: text for number, (name, text) in enumerate(files.items()) if number % 2 == 0}
    done = sorted(path.read_text() for path in (server.files / "done").iterdir())
    assert done == sorted(text for number, text in enumerate(files.values()) if number % 2)
    assert list((server.files / "inbox").iterdir()) == []


def _all_done(count: int) -> bool:
    return Batch.objects.filter(state=Batch.State.DONE).count() == count


@pytest.fixture
def small_disk(server: Sshd) -> Iterator[Sshd]:
    """The server's folder on a disk of 256 KiB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(server.files)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("A small disk can't be mounted here.")
    yield server
    subprocess.run(["umount", "-l", str(server.files)], check=True)


def test_f10_a_full_disk_leaves_no_half_file(small_disk: Sshd) -> None:
    (small_disk.files / "old.csv").write_text("old")
    pk = upload(rows_of(range(40_000)), "old.csv")
    relay.sweep()
    batch = Batch.objects.get(pk=pk)
    assert (batch.state, batch.problem) == ("queued", "The file server is not available.")
    assert [path.name for path in small_disk.files.iterdir()] == ["old.csv"]
    assert (small_disk.files / "old.csv").read_text() == "old"
    assert PoolCard.objects.count() == 0
