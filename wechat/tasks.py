from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from loyalty import errors
from wechat import following, imports, inbox, level, pool, spool


@shared_task
def import_batch(batch_id: int) -> None:
    imports.run(batch_id)


@shared_task
def refill_pool() -> None:
    """Offer again what the database still calls pooled; never a card that was handed out."""
    pool.refill()


@shared_task
def measure_pool() -> None:
    """How full the pool is, for metrics, staff and the alarm."""
    level.measure(timezone.now())


@shared_task
def follow_cards() -> None:
    """Ask the CRM what became of cards that were handed out."""
    with suppress(errors.SiebelUnavailable, errors.SiebelTimeout):  # it is logged, and asked again soon
        following.follow(timezone.now())


@shared_task
def look_into_inbox() -> None:
    with suppress(errors.CardFilesUnavailable, errors.CardFilesNotTrusted):  # it is logged; the next look comes soon
        inbox.look()


@shared_task
def sweep_spool() -> None:
    """Remove uploads that outlived their batch's end: a worker died before it could."""
    spool.sweep()
