"""The inbox: a folder where other systems leave files of orders and rewards; each ends in `done` or `failed`."""

import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from orders import imports
from orders.models import FileImport

_NAME = re.compile(r"(orders|rewards)[A-Za-z0-9._-]{0,90}\.(csv|jsonl)", re.ASCII)
_WORKING = re.compile(rf"[0-9a-f]{{8}}-({_NAME.pattern})", re.ASCII)
STILL = 10  # seconds that a file must have been left alone


def import_all() -> int:
    """Import every file that has come in, and what is left of those that somebody began; answers how many ended."""
    for path in _arrived():
        _move(path, _folder("working") / f"{secrets.token_hex(4)}-{path.name}")
    return sum(_import(path) for path in sorted(_folder("working").iterdir()) if _WORKING.fullmatch(path.name))


def _arrived() -> Iterator[Path]:
    """Regular files by their own names; what is still being written, a link or a folder stays where it is."""
    for path in sorted(_folder("").iterdir()):
        if _NAME.fullmatch(path.name):
            with suppress(FileNotFoundError):  # another worker has just taken it
                known = path.lstat()
                if stat.S_ISREG(known.st_mode) and time.time() - known.st_mtime > STILL:
                    yield path


def _import(path: Path) -> bool:
    name = path.name.partition("-")[2]
    try:
        stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
    except OSError:  # another worker has just moved it
        return False
    with stream:
        file_import, _ = FileImport.objects.get_or_create(
            working_name=path.name,
            defaults={
                "kind": "orders" if name.startswith("orders") else "rewards",
                "file_name": name,
                "bytes_total": os.fstat(stream.fileno()).st_size,
            },
        )
        if file_import.state == FileImport.State.IMPORTING and not imports.run(file_import, stream):
            return False
    return _move(path, _folder(file_import.state) / f"{file_import.pk}-{name}")


def _folder(name: str) -> Path:
    folder: Path = settings.ORDER_INBOX_DIR / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _move(path: Path, target: Path) -> bool:
    try:
        path.rename(target)
    except FileNotFoundError:  # another worker was quicker
        return False
    return True
