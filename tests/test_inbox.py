"""Files that partners leave in the inbox: taken once they have settled, imported once, filed away under our names."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from loyalty import relay
from tests.conftest import at_once
from tests.sshd import Sshd
from wechat import inbox, tasks
from wechat.models import Batch, InboxFile, PoolCard

TWO = "msrCard,pin\n6101,1111\n6102,2222\n"


@pytest.fixture
def files(database: None, file_server: Path) -> Path:
    (file_server / "inbox").mkdir()
    return file_server


def drop(files: Path, name: str, text: str = TWO) -> Path:
    path = files / "inbox" / name
    path.write_text(text)
    return path


def beat(*after_seconds: float) -> None:
    """Look into the inbox so many seconds from now, each time; then import what was taken."""
    for seconds in after_seconds:
        with time_machine.travel(timezone.now() + timedelta(seconds=seconds)):
            tasks.look_into_inbox()
            relay.sweep()


def tree(files: Path) -> list[str]:
    return sorted(str(path.relative_to(files)) for path in files.rglob("*") if path.is_file())


def only_batch() -> Batch:
    return Batch.objects.get()


def test_a_file_that_has_settled_is_imported_and_filed_away(files: Path) -> None:
    drop(files, "卡片 (6月).csv")
    beat(0)
    assert tree(files) == ["inbox/卡片 (6月).csv"]
    beat(61)
    batch = only_batch()
    assert (batch.state, batch.imported, batch.sent_as) == ("done", 2, "卡片 (6月).csv")
    assert tree(files) == [f"done/batch-{batch.pk:08}.csv"]
    beat(200, 300)
    assert (Batch.objects.count(), InboxFile.objects.count()) == (1, 0)


def test_a_file_that_grows_is_left_alone(files: Path) -> None:
    path = drop(files, "june.csv", "msrCard,pin\n6101,1111\n")
    beat(0)
    path.write_text(TWO)
    beat(100, 130)
    assert Batch.objects.count() == 0
    beat(161)
    assert only_batch().imported == 2


@pytest.mark.parametrize("name", [".hidden.csv", "june.csv.part", "june.csv.filepart"])
def test_a_file_that_is_being_written_is_none(files: Path, name: str) -> None:
    drop(files, name)
    beat(0, 100)
    assert (Batch.objects.count(), tree(files)) == (0, [f"inbox/{name}"])


def test_no_link_or_folder_is_taken(files: Path) -> None:
    (files / "inbox/link.csv").symlink_to(drop(files.parent / files.name, "real.part"))
    (files / "inbox/folder.csv").mkdir()
    beat(0, 100)
    assert Batch.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "text", "problem", "filed"),
    [("june.csv", "card;pin\n", "Wrong Excel header.", ".csv"), ("june.xls", TWO, "File extension incorrect.", "")],
)
def test_what_can_t_be_imported_is_filed_away_as_failed(
    files: Path, name: str, text: str, problem: str, filed: str
) -> None:
    drop(files, name, text)
    beat(0, 61)
    batch = only_batch()
    assert (batch.state, batch.problem) == ("failed", problem)
    assert tree(files) == [f"failed/batch-{batch.pk:08}{filed}"]


def test_a_file_that_is_too_large_is_not_even_fetched(files: Path, settings: Settings) -> None:
    settings.CARD_FILE_LIMIT = len(TWO) - 1
    drop(files, "june.csv")
    beat(0, 61)
    assert (only_batch().state, only_batch().problem) == ("failed", f"The file has more than {len(TWO) - 1} bytes.")
    assert tree(files) == [f"failed/batch-{only_batch().pk:08}.csv"]


def test_the_same_content_again_is_done_at_once(files: Path) -> None:
    drop(files, "june.csv")
    beat(0, 61)
    drop(files, "again.csv")
    beat(100, 200)
    first, again = Batch.objects.order_by("pk")
    assert (again.state, again.rows, again.problem) == ("done", 0, "The same content came in by the inbox before.")
    assert tree(files) == [f"done/batch-{first.pk:08}.csv", f"done/batch-{again.pk:08}.csv"]
    drop(files, "june.csv", "msrCard,pin\n6103,3333\n")
    beat(300, 400)
    assert PoolCard.objects.count() == 3


def test_four_beats_at_once_take_it_once(files: Path) -> None:
    drop(files, "june.csv")
    tasks.look_into_inbox()
    InboxFile.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    at_once(4, lambda n: tasks.look_into_inbox())
    batch = only_batch()
    at_once(4, lambda n: tasks.import_batch(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.rows, batch.imported) == ("done", 2, 2)
    assert tree(files) == [f"done/batch-{batch.pk:08}.csv"]


def test_a_file_replaced_before_it_is_read_waits_for_its_turn(files: Path) -> None:
    path = drop(files, "june.csv")
    beat(0)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        inbox.look()
        path.write_text("msrCard,pin\n6103,3333\n")
        relay.sweep()
    assert (only_batch().state, only_batch().problem) == ("failed", "The file changed while it was being imported.")
    assert (tree(files), PoolCard.objects.count()) == (["inbox/june.csv"], 0)
    beat(100, 200)
    assert list(PoolCard.objects.values_list("number", flat=True)) == ["6103"]


def test_a_file_that_goes_away_is_forgotten(files: Path) -> None:
    drop(files, "june.csv").unlink()
    drop(files, "july.csv")
    beat(0)
    (files / "inbox/july.csv").unlink()
    beat(61)
    assert (Batch.objects.count(), InboxFile.objects.count()) == (0, 0)


def test_without_an_inbox_nothing_is_found(database: None, file_server: Path) -> None:
    beat(0)
    assert InboxFile.objects.count() == 0


def test_with_the_file_server_away_the_next_look_goes_on(database: None, sshd: Sshd, settings: Settings) -> None:
    (sshd.files / "inbox").mkdir()
    drop(sshd.files, "june.csv")
    beat(0)
    right: Any = settings.SFTP_URL
    settings.SFTP_URL = right.replace(str(sshd.port), "1")
    beat(61)
    assert Batch.objects.count() == 0
    settings.SFTP_URL = right
    beat(100)
    assert only_batch().imported == 2
