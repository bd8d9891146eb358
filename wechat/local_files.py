"""Card files in a folder of this machine: the default of a local installation."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from loyalty import errors
from wechat import card_files
from wechat.card_files import Alive, Found, Place


class LocalCardFiles:
    """CARD_FILES_DIR."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def open(self, name: str, place: Place = Place.TOP) -> Iterator[IO[bytes]]:
        card_files.demand_name(name, place)
        try:
            descriptor = os.open(self.folder / place / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            raise errors.DirOrFileNotFound from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise errors.DirOrFileNotFound
        with os.fdopen(descriptor, "rb") as stream:
            yield stream

    def put(self, name: str, content: IO[bytes], alive: Alive) -> None:
        card_files.demand_name(name)
        write_whole(self.folder / name, content, alive)

    def inbox(self) -> list[Found]:
        try:
            entries = list(os.scandir(self.folder / Place.INBOX))
        except OSError:
            return []
        return [
            Found(entry.name, entry.stat().st_size, int(entry.stat().st_mtime))
            for entry in entries
            if entry.is_file(follow_symlinks=False) and card_files.is_component(entry.name)
        ]

    def file_away(self, name: str, place: Place, new_name: str) -> None:
        try:
            (self.folder / place).mkdir(mode=0o700, exist_ok=True)
            (self.folder / Place.INBOX / name).rename(self.folder / place / new_name)
        except OSError:
            raise errors.DirOrFileNotFound from None


def write_whole(path: Path, content: IO[bytes], alive: Alive = lambda: None) -> None:
    """Write beside the target, then rename. Raises DirOrFileNotFound where the folder can't be written."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            card_files.copy(content, target, alive)
            target.flush()
            os.fsync(target.fileno())
        part.rename(path)
    except OSError:
        raise errors.DirOrFileNotFound from None
    finally:
        with suppress(OSError):
            part.unlink()
