"""Card files: where partners leave them and uploads are kept, behind one interface that a setting chooses.

A storage reaches regular files of its own folder and nothing else: no path, no link.
"""

import hashlib
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Protocol

from django.conf import settings

from loyalty import errors

DEFAULT_NAME = "cards_pool_data.csv"
Alive = Callable[[], None]  # called now and then while much is copied
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


class Place(StrEnum):
    """Folders of a storage. What a partner leaves in the inbox is imported and goes on to done or failed."""

    TOP = ""
    INBOX = "inbox"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Found:
    """A regular file of the inbox; `modified` in whole seconds of the server's clock."""

    name: str
    size: int
    modified: int


class CardFiles(Protocol):
    """Each method raises CardFilesUnavailable, or CardFilesNotTrusted, where the file server can't be asked."""

    def open(self, name: str, place: Place = Place.TOP) -> AbstractContextManager[IO[bytes]]:
        """A regular file, not a link. Raises WrongFileExtension, DirOrFileNotFound."""

    def put(self, name: str, content: IO[bytes], alive: Alive) -> None:
        """Keep a file under its name, whole or not at all; one of that name is replaced. Raises DirOrFileNotFound."""

    def inbox(self) -> list[Found]:
        """What lies in the inbox, hidden files left out; nothing where there is none."""

    def file_away(self, name: str, place: Place, new_name: str) -> None:
        """Move a file of the inbox. Raises DirOrFileNotFound."""


def demand_csv(name: str) -> None:
    """Raises WrongFileExtension."""
    if not name.endswith(".csv"):
        raise errors.WrongFileExtension


def demand_name(name: str, place: Place = Place.TOP) -> None:
    """Callers name plain files; in the inbox partners name theirs. Raises WrongFileExtension, DirOrFileNotFound."""
    demand_csv(name)
    if not (is_component(name) if place is Place.INBOX else is_plain(name)):
        raise errors.DirOrFileNotFound


def is_component(name: str) -> bool:
    """Whether it names something of a folder itself, and nothing hidden."""
    return not name.startswith(".") and not {"/", "\0"} & set(name)


def is_plain(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def plain_name(label: str) -> str:
    """What a file that was sent as `label` is kept as: the same where that is plain, else a name of its own."""
    if is_plain(label):
        return label
    stem = re.sub(r"[^A-Za-z0-9]+", "-", label.removesuffix(".csv"), flags=re.ASCII).strip("-")[:60]
    return f"{stem or 'cards'}-{hashlib.sha256(label.encode()).hexdigest()[:8]}.csv"


def copy(source: IO[bytes], target: IO[bytes], alive: Alive) -> int:
    """Copy to the end, in pieces; answers the number of bytes."""
    copied = 0
    while piece := source.read(256 * 1024):
        target.write(piece)
        copied += len(piece)
        alive()
    return copied


def chosen() -> CardFiles:
    """SFTP where SFTP_URL is set, else a folder of this machine."""
    from wechat.local_files import LocalCardFiles
    from wechat.sftp_files import SftpCardFiles

    return SftpCardFiles.from_settings() if settings.SFTP_URL else LocalCardFiles(settings.CARD_FILES_DIR)
