from contextlib import suppress

from celery import shared_task

from loyalty import errors
from wechat import imports, inbox, pool, spool


@shared_task
def import_batch(batch_id: int) -> None:
    imports.run(batch_id)


@shared_task
def refill_pool() -> None:
    """Offer again what the database still calls pooled; never a card that was handed out."""
    pool.refill()


@shared_task
def look_into_inbox() -> None:
    with suppress(errors.CardFilesUnavailable, errors.CardFilesNotTrusted):  # it is logged; the next look comes soon
        inbox.look()


@shared_task
def sweep_spool() -> None:
    """Remove uploads that outlived their batch's end: a worker died before it could."""
    spool.sweep()
