"""Card files: where partners leave them and uploads are kept. Names are plain; nothing else is reached."""

import hashlib
import os
import re
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.conf import settings

from loyalty import errors

DEFAULT_NAME = "cards_pool_data.csv"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def demand_csv(name: str) -> None:
    """Raises WrongFileExtension."""
    if not name.endswith(".csv"):
        raise errors.WrongFileExtension


def is_plain(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def plain_name(label: str) -> str:
    """What a file that was sent as `label` is kept as: the same where that is plain, else a name of its own."""
    if is_plain(label):
        return label
    stem = re.sub(r"[^A-Za-z0-9]+", "-", label.removesuffix(".csv"), flags=re.ASCII).strip("-")[:60]
    return f"{stem or 'cards'}-{hashlib.sha256(label.encode()).hexdigest()[:8]}.csv"


class LocalCardFiles:
    """A folder of this machine, CARD_FILES_DIR."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, name: str) -> IO[bytes]:
        """A regular file of the folder, not a link. Raises WrongFileExtension, DirOrFileNotFound."""
        demand_csv(name)
        if not is_plain(name):
            raise errors.DirOrFileNotFound
        try:
            descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            raise errors.DirOrFileNotFound from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise errors.DirOrFileNotFound
        return os.fdopen(descriptor, "rb")

    def put(self, name: str, content: IO[bytes]) -> None:
        """Keep a file under its name, whole or not at all; one of that name is replaced. Raises DirOrFileNotFound."""
        write_whole(self.folder / name, content)


def write_whole(path: Path, content: IO[bytes]) -> None:
    """Write beside the target, then rename. Raises DirOrFileNotFound where the folder can't be written."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            shutil.copyfileobj(content, target)
            target.flush()
            os.fsync(target.fileno())
        part.rename(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise errors.DirOrFileNotFound from None


def chosen() -> LocalCardFiles:
    return LocalCardFiles(settings.CARD_FILES_DIR)
