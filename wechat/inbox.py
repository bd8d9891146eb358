"""The inbox: a folder of the file server whose files are imported without being asked for.

Beat looks in every few minutes. A file is taken once it has looked the same for a while, becomes a batch like any
other, and is filed away in `done/` or `failed/` under that batch's number. Two who look at once take it once.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from loyalty import errors, relay
from wechat import card_files
from wechat.card_files import Found, Place
from wechat.models import Batch, InboxFile

log = structlog.get_logger()
UNFINISHED = (".part", ".filepart", ".tmp")


class Changed(Exception):
    """The file is not what it was when it was taken."""


def look() -> None:
    """Note what is there, take what has settled, file away what has been imported. Raises what CardFiles raises."""
    now = timezone.now()
    known = {row.name: row for row in InboxFile.objects.select_related("batch")}
    found = [file for file in card_files.chosen().inbox() if not file.name.endswith(UNFINISHED)]
    gone = known.keys() - {file.name for file in found}
    InboxFile.objects.filter(name__in=gone).exclude(batch__state__in=("queued", "importing")).delete()
    fresh = [InboxFile(**_looks(file, now), name=file.name) for file in found if file.name not in known]
    InboxFile.objects.bulk_create(fresh, ignore_conflicts=True)
    for file in found:
        if row := known.get(file.name):
            _go_on(row, file, now)


def demand_unchanged(batch: Batch) -> None:
    """For an import that has just copied the file. Raises Changed."""
    row = InboxFile.objects.filter(batch=batch).first()
    if row is None or Found(row.name, row.size, row.modified) not in card_files.chosen().inbox():
        raise Changed


def put_away(batch: Batch) -> None:
    """What can't be moved now, is with the next look."""
    row = InboxFile.objects.filter(batch=batch).first()
    found = [file for file in card_files.chosen().inbox() if row and file.name == row.name]
    if row and found:
        _go_on(row, found[0], timezone.now())


def _go_on(row: InboxFile, file: Found, now: datetime) -> None:
    changed = (row.size, row.modified) != (file.size, file.modified)
    if row.batch and not row.batch.has_ended:
        return
    if changed:
        InboxFile.objects.filter(pk=row.pk).update(**_looks(file, now), batch=None)
    elif row.batch:
        _file_away(row, row.batch)
    elif now - row.seen_at >= timedelta(seconds=settings.CARD_INBOX_SETTLE_SECONDS):
        _take(row)


def _looks(file: Found, now: datetime) -> dict[str, object]:
    return {"size": file.size, "modified": file.modified, "seen_at": now}


@transaction.atomic
def _take(row: InboxFile) -> None:
    batch = Batch.objects.create(
        file_name=card_files.plain_name(row.name), sent_as=row.name, from_inbox=True, bytes_total=row.size
    )
    free = InboxFile.objects.filter(pk=row.pk, batch=None, size=row.size, modified=row.modified)
    if free.update(batch=batch):
        transaction.on_commit(relay.ring)
    else:  # somebody else has it
        batch.delete()


def _file_away(row: InboxFile, batch: Batch) -> None:
    place = Place.DONE if batch.state == Batch.State.DONE else Place.FAILED
    suffix = ".csv" if row.name.endswith(".csv") else ""
    try:
        card_files.chosen().file_away(row.name, place, f"batch-{batch.pk:08}{suffix}")
    except errors.DirOrFileNotFound:
        log.error("inbox_file_not_moved", batch_id=batch.pk)
        return
    row.delete()
