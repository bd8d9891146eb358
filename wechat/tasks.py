from celery import shared_task

from wechat import imports, pool, spool


@shared_task
def import_batch(batch_id: int) -> None:
    imports.run(batch_id)


@shared_task
def refill_pool() -> None:
    """Offer again what the database still calls pooled; never a card that was handed out."""
    pool.refill()


@shared_task
def sweep_spool() -> None:
    """Remove uploads that outlived their batch's end: a worker died before it could."""
    spool.sweep()
