"""Where card files lie: one contract, kept by a folder of this machine and by OpenSSH's server."""

import io
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from loyalty import errors, relay
from loyalty.scopes import Scope
from tests.conftest import Api, code_of, csv_file, ended, holding
from tests.sshd import Sshd
from wechat import card_files
from wechat.models import Batch, PoolCard

TWO = "msrCard,pin\n6101,1111\n6102,2222\n"


@pytest.fixture
def own_sshd(settings: Settings, tmp_path: Path) -> Iterator[Sshd]:
    """One that a test may stop."""
    server = Sshd(tmp_path / "sshd")
    server.make()
    server.start()
    for name, value in server.settings().items():
        setattr(settings, name, value)
    settings.SFTP_TIMEOUT_SECONDS = 1
    settings.CARD_SPOOL_DIR = tmp_path / "spool"
    yield server
    server.stop()


def put(name: str, content: bytes) -> None:
    card_files.chosen().put(name, io.BytesIO(content), alive=lambda: None)


def read(name: str) -> bytes:
    with card_files.chosen().open(name) as stream:
        return stream.read()


# The contract


def test_what_was_put_is_read_and_replaced_as_a_whole(file_server: Path) -> None:
    for content in (os.urandom(3_000_000), b"", b"msrCard,pin\n"):
        put("june.csv", content)
        assert read("june.csv") == (file_server / "june.csv").read_bytes() == content
    assert (file_server / "june.csv").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file_server.iterdir()] == ["june.csv"]


def test_it_is_read_by_lines_and_again_from_the_start(file_server: Path) -> None:
    put("june.csv", TWO.encode())
    with card_files.chosen().open("june.csv") as stream:
        assert stream.readline(4096) == b"msrCard,pin\n"
        stream.seek(0, 2)
        assert stream.tell() == len(TWO)
        stream.seek(0)
        assert list(stream) == [line.encode() for line in TWO.splitlines(keepends=True)]


@pytest.mark.parametrize(
    "name", ["none.csv", "link.csv", "dangling.csv", "folder.csv", "pipe.csv", "../beside.csv", "sub/in.csv", ".x.csv"]
)
def test_nothing_but_a_regular_file_of_the_folder_is_reached(file_server: Path, name: str) -> None:
    (file_server / "sub").mkdir()
    for place in ("good.csv", "sub/in.csv", "../beside.csv", ".x.csv"):
        (file_server / place).write_text(TWO)
    (file_server / "link.csv").symlink_to(file_server / "good.csv")
    (file_server / "dangling.csv").symlink_to(file_server / "nothing.csv")
    (file_server / "folder.csv").mkdir()
    os.mkfifo(file_server / "pipe.csv")
    with pytest.raises(errors.DirOrFileNotFound):
        read(name)


def test_a_link_is_replaced_and_not_what_it_leads_to(file_server: Path) -> None:
    (file_server.parent / "beside.csv").write_text(TWO)
    (file_server / "link.csv").symlink_to(file_server.parent / "beside.csv")
    put("link.csv", b"new")
    assert (file_server.parent / "beside.csv").read_text() == TWO
    assert read("link.csv") == b"new"


@pytest.mark.parametrize("name", ["../up.csv", "sub/in.csv", "/tmp/up.csv", ".hidden.csv"])
def test_nothing_is_put_outside_the_folder(file_server: Path, name: str) -> None:
    with pytest.raises(errors.DirOrFileNotFound):
        put(name, b"x")
    assert list(file_server.iterdir()) == []


def test_a_source_that_breaks_leaves_nothing(file_server: Path) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 500_000:
                raise KeyboardInterrupt
            return super().read(size)

    with pytest.raises(KeyboardInterrupt):
        card_files.chosen().put("june.csv", Breaking(bytes(2_000_000)), alive=lambda: None)
    assert list(file_server.iterdir()) == []


# Over the API


def upload(text: str = TWO, name: str = "june.csv") -> str:
    loader = holding(Api(), Scope.WECHAT_LOAD)
    batch_id: str = loader.form("Wechats/uploadCard", {"fileName": csv_file(text, name)}).json()["batchId"]
    return batch_id


def test_an_upload_is_kept_there_and_a_named_file_taken_from_there(api: Api, file_server: Path) -> None:
    assert ended(upload()).imported == 2
    assert (file_server / "june.csv").read_text() == TWO
    (file_server / "july.csv").write_text("msrCard,pin\n6103,3333\n")
    named = holding(api, Scope.WECHAT_LOAD).post("Wechats/uploadCard", {"fileName": "july.csv"})
    assert ended(named.json()["batchId"]).imported == 1
    assert code_of(holding(api, Scope.WECHAT_LOAD).post("Wechats/uploadCard", {"fileName": "none.csv"})) == 4007


# A server that is not the one, or not there


def named() -> Any:
    return holding(Api(), Scope.WECHAT_LOAD).post("Wechats/uploadCard", {"fileName": "june.csv"})


def test_the_old_upload_says_that_the_server_is_not_the_one(database: None, own_sshd: Sshd) -> None:
    own_sshd.stop()
    own_sshd.new_key("host_key")
    own_sshd.start()
    assert code_of(holding(Api(), Scope.WECHAT_LOAD).form("Wechats/upload", {"wechatFile": csv_file(TWO)})) == 401
    assert not Batch.objects.exists()


def test_nothing_goes_to_a_server_with_another_host_key(database: None, own_sshd: Sshd) -> None:
    own_sshd.stop()
    own_sshd.new_key("host_key")
    own_sshd.start()
    batch_id = upload()
    relay.sweep()
    batch = Batch.objects.get(pk=batch_id)
    assert (batch.state, batch.problem) == ("failed", "The file server's host key is not the pinned one.")
    assert list(own_sshd.files.iterdir()) == []
    assert "Accepted publickey" not in (own_sshd.folder / "log").read_text()
    (own_sshd.files / "june.csv").write_text(TWO)
    assert code_of(named(), 503) == 5032


def mute(server: Sshd) -> None:
    """It takes a connection and never says a word."""
    server.stop()
    server.listener = socket.create_server(("127.0.0.1", server.port))


def another_user_key(server: Sshd) -> None:
    server.new_key("user_key")
    (server.folder / "user_key.pub").write_text("")


@pytest.mark.parametrize("spoil", [Sshd.stop, mute, another_user_key])
def test_an_upload_waits_for_a_server_that_is_away(
    database: None, own_sshd: Sshd, spoil: Callable[[Sshd], None]
) -> None:
    own_sshd.files.joinpath("june.csv").write_text("old")
    spoil(own_sshd)
    started = time.monotonic()
    assert code_of(named(), 503) == 5031
    assert time.monotonic() - started < 8
    batch_id = upload()
    relay.sweep()
    batch = Batch.objects.get(pk=batch_id)
    assert (batch.state, batch.problem) == ("queued", "The file server is not available.")
    assert own_sshd.files.joinpath("june.csv").read_text() == "old"
    assert PoolCard.objects.count() == 0


def test_an_upload_that_waited_is_done_once_the_server_is_back(database: None, own_sshd: Sshd) -> None:
    own_sshd.stop()
    batch_id = upload()
    relay.sweep()
    own_sshd.start()
    Batch.objects.update(published_at=timezone.now() - timedelta(minutes=2))
    relay.sweep()
    batch = Batch.objects.get(pk=batch_id)
    assert (batch.state, batch.problem, batch.imported) == ("done", "", 2)
    assert own_sshd.files.joinpath("june.csv").read_text() == TWO


def test_a_server_killed_in_the_middle_of_an_upload_shows_no_half_file(own_sshd: Sshd) -> None:
    class Endless(io.BytesIO):
        """Bytes for as long as the server lives."""

        sent = threading.Event()

        def read(self, size: int | None = -1) -> bytes:
            time.sleep(0.01)
            if self.tell() == 0:
                self.seek(1)
                self.sent.set()
            return bytes(100_000)

    source = Endless()

    def kill() -> None:
        source.sent.wait(10)
        time.sleep(0.3)
        own_sshd.stop()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(errors.CardFilesUnavailable):
        card_files.chosen().put("june.csv", source, alive=lambda: None)
    killer.join()
    left = [path.name for path in own_sshd.files.iterdir()]
    assert len(left) == 1
    assert left[0].startswith(".june.csv.")
    assert left[0].endswith(".part")
