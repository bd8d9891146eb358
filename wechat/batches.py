"""Taking a card file in: checked at once, imported later, watched by its batch row."""

from datetime import timedelta
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from loyalty import claims, errors, relay
from loyalty.callers import Caller
from wechat import card_files, rows
from wechat.models import Batch

State = Batch.State
_PUBLISHED = timedelta(seconds=60)
_AT_ONCE = 20


def take_upload(upload: UploadedFile, *, caller: Caller) -> Batch:
    """Take a file that came with the request: header checked, content spooled, import queued.

    Raises WrongFileExtension, WrongExcelHeader, or ValidationError for a name that no storage should be given.
    """
    if taken := _taken_before():
        return taken
    name = upload.name or ""
    card_files.demand_csv(name)
    if not card_files.is_plain(name):
        raise errors.ValidationError({"fileName": ["Letters, digits, dots, dashes and underlines, at most 100."]})
    content: IO[bytes] = upload.open().file  # type: ignore[assignment]
    rows.read_header(content)
    content.seek(0)
    batch = Batch(file_name=name, spooled=True, bytes_total=upload.size or 0)
    return _queue(batch, caller, content)


def take_named(name: str, *, caller: Caller) -> Batch:
    """Take a file that lies on the file server already.

    Raises WrongFileExtension, DirOrFileNotFound, WrongExcelHeader.
    """
    if taken := _taken_before():
        return taken
    with card_files.chosen().open(name) as stream:
        rows.read_header(stream)
        size = stream.seek(0, 2)
    return _queue(Batch(file_name=name, bytes_total=size), caller)


def spool_path(batch: Batch) -> Path:
    path: Path = settings.CARD_SPOOL_DIR / f"{batch.pk}.csv"
    return path


def sweep_spool() -> None:
    """Remove what is left of ended batches: PINs stand in it."""
    for path in settings.CARD_SPOOL_DIR.glob("*.csv"):
        if (
            path.stem.isdigit()
            and Batch.objects.filter(pk=int(path.stem), state__in=(State.DONE, State.FAILED)).exists()
        ):
            path.unlink(missing_ok=True)


def claim_due() -> list[int]:
    """For the relay: batches to be imported, those included whose worker fell silent."""
    now = timezone.now()
    unpublished = ~Q(published_at__gt=now - _PUBLISHED)
    silent = Q(state=State.IMPORTING, leased_until__lt=now)
    due = Batch.objects.filter(Q(state=State.QUEUED) | silent).filter(unpublished | Q(published_at=None))
    ids = list(due.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    if ids:
        Batch.objects.filter(pk__in=ids).update(published_at=now)
    return ids


def put_back(ids: list[int]) -> None:
    """For the relay: these were not published."""
    Batch.objects.filter(pk__in=ids).update(published_at=None)


def _taken_before() -> Batch | None:
    """The batch of a request with the same Idempotency-Key that died before it was answered."""
    done = claims.remembered()
    return Batch.objects.get(pk=done["batch"]) if done else None


def _queue(batch: Batch, caller: Caller, content: IO[bytes] | None = None) -> Batch:
    batch.client_id = caller.client.pk if caller.client else None
    batch.request_id = caller.request_id
    with transaction.atomic():
        batch.save()
        claims.remember({"batch": batch.pk})
        if content is not None:
            card_files.write_whole(spool_path(batch), content)
        transaction.on_commit(relay.ring)
    return batch
