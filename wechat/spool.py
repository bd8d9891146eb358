"""The spool: a file stands here while it is imported, so that what is read is one content from first to last line.

PINs stand in it, so a file goes as soon as its batch has ended.
"""

import hashlib
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import IntegrityError

from loyalty import errors
from wechat import card_files, local_files
from wechat.card_files import Alive, Place
from wechat.models import Batch


class Replaced(Exception):
    """The content is another one than at the start of the import."""


class TooLarge(Exception):
    """More than CARD_FILE_LIMIT bytes."""


class Known(Exception):
    """What lay in the inbox is, byte for byte, what another batch of the inbox has imported."""


def path(batch: Batch) -> Path:
    place: Path = settings.CARD_SPOOL_DIR / f"{batch.pk}.csv"
    return place


def keep(batch: Batch, content: IO[bytes], alive: Alive = lambda: None) -> None:
    """Raises DirOrFileNotFound where the spool can't be written."""
    local_files.write_whole(path(batch), content, alive)


def bring(batch: Batch, alive: Alive) -> None:
    """Have the content here; put an upload on the file server, too. Raises TooLarge, what CardFiles raises."""
    files = card_files.chosen()
    if not path(batch).exists():
        if batch.spooled and not batch.stored:
            raise errors.DirOrFileNotFound
        name, place = (batch.sent_as, Place.INBOX) if batch.from_inbox else (batch.file_name, Place.TOP)
        with files.open(name, place) as stream:
            stream.seek(0, 2)
            if stream.tell() > settings.CARD_FILE_LIMIT:
                raise TooLarge
            stream.seek(0)
            keep(batch, stream, alive)
    if batch.spooled and not batch.stored:
        with path(batch).open("rb") as content:
            files.put(batch.file_name, content, alive)
        batch.stored = True
        batch.save(update_fields=["stored"])


def demand_same(batch: Batch) -> None:
    """The first start of an import notes the content's hash, each later one compares it. Raises Replaced, Known."""
    with path(batch).open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if batch.sha256 not in ("", found):
        raise Replaced
    batch.sha256, batch.bytes_total = found, path(batch).stat().st_size
    try:
        batch.save(update_fields=["sha256", "bytes_total"])
    except IntegrityError:
        raise Known from None


def drop(batch: Batch) -> None:
    path(batch).unlink(missing_ok=True)


def sweep() -> None:
    """Remove what is left of ended batches, and of those that were killed while they wrote."""
    ended = (Batch.State.DONE, Batch.State.FAILED)
    for left in settings.CARD_SPOOL_DIR.glob("*.csv"):
        if left.stem.isdigit() and Batch.objects.filter(pk=int(left.stem), state__in=ended).exists():
            left.unlink(missing_ok=True)
