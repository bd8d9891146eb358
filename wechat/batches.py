"""Taking a card file in: checked at once, imported later, watched by its batch row."""

from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from loyalty import claims, relay
from loyalty.callers import Caller
from wechat import card_files, rows, spool
from wechat.models import Batch

State = Batch.State
_AT_ONCE = 20


@dataclass(frozen=True)
class Checked:
    """A file that may be imported; `content` where it came with the request."""

    batch: Batch
    content: IO[bytes] | None = None


def check_upload(upload: UploadedFile) -> Checked:
    """A file that came with the request. Its name is a label. Raises WrongFileExtension, WrongExcelHeader."""
    label = upload.name or ""
    card_files.demand_csv(label)
    content: IO[bytes] = upload.open().file  # type: ignore[assignment]
    rows.read_header(content)
    content.seek(0)
    name = card_files.plain_name(label)
    return Checked(Batch(file_name=name, sent_as=label, spooled=True, bytes_total=upload.size or 0), content)


def check_named(name: str) -> Checked:
    """A file that lies on the file server already. Raises WrongFileExtension, DirOrFileNotFound, WrongExcelHeader."""
    with card_files.chosen().open(name) as stream:
        rows.read_header(stream)
        stream.seek(0, 2)
        size = stream.tell()
    return Checked(Batch(file_name=name, bytes_total=size))


def taken_before() -> Batch | None:
    """The batch of a request with the same Idempotency-Key that died before it was answered."""
    done = claims.remembered()
    return Batch.objects.get(pk=done["batch"]) if done else None


def check_local(label: str, content: IO[bytes], size: int) -> Checked:
    """A file of this machine that staff import themselves. Raises WrongFileExtension, WrongExcelHeader."""
    card_files.demand_csv(label)
    rows.read_header(content)
    content.seek(0)
    name = card_files.plain_name(label)
    return Checked(Batch(file_name=name, sent_as=label, spooled=True, stored=True, bytes_total=size), content)


def take(file: Checked, *, caller: Caller, publish: bool = True) -> Batch:
    """Queue its import; what came with the request is spooled. `publish`: by a worker, as soon as may be."""
    batch = file.batch
    batch.client_id = caller.client.pk if caller.client else None
    batch.request_id = caller.request_id
    batch.published_at = None if publish else timezone.now()
    with transaction.atomic():
        batch.save()
        claims.remember({"batch": batch.pk})
        if file.content is not None:
            spool.keep(batch, file.content)
        transaction.on_commit(relay.ring)
    return batch


def lease() -> timedelta:
    """For how long a worker has a batch to itself; one that falls silent is followed by another after that."""
    return timedelta(seconds=settings.CARD_IMPORT_LEASE_SECONDS)


def claim_due() -> list[int]:
    """For the relay: batches to be imported, those included whose worker fell silent."""
    now = timezone.now()
    unpublished = ~Q(published_at__gt=now - lease() / 2)
    silent = Q(state=State.IMPORTING, leased_until__lt=now)
    due = Batch.objects.filter(Q(state=State.QUEUED) | silent).filter(unpublished | Q(published_at=None))
    ids = list(due.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    if ids:
        Batch.objects.filter(pk__in=ids).update(published_at=now)
    return ids


def put_back(ids: list[int]) -> None:
    """For the relay: these were not published."""
    Batch.objects.filter(pk__in=ids).update(published_at=None)
