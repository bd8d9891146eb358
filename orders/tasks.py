import structlog
from celery import shared_task
from django.utils import timezone

from orders import inbox, intake, reconciliation, totals

log = structlog.get_logger()


@shared_task
def import_files() -> None:
    inbox.import_all()


@shared_task
def expire_rewards() -> None:
    expired = intake.expire_rewards(timezone.localdate())
    log.info("rewards_expired", rewards=expired)


@shared_task
def check_stars() -> None:
    """Tell the log of every total that differs from the ledger: the database lets none arise by itself."""
    for difference in totals.differences():
        log.error(
            "stars_differ",
            customer_id=difference.customer_id,
            kept=difference.kept,
            entered=difference.entered,
        )


@shared_task
def reconcile_partners() -> None:
    """The files of the days that are over; then what no file will name again is forgotten."""
    for made in reconciliation.make_due(timezone.localdate()):
        log.info("reconciliation", file=str(made), accepted=made.accepted, refused=made.refused)
    reconciliation.sweep_refused()
