"""How a card leaves the pool: once, ever, in one conditional update that only one caller's can be the first of.

With it the database itself writes the Departure that says how, when and for whom.
"""

from collections.abc import Sequence

import structlog
from django.db import connection, transaction
from django.utils import timezone

from loyalty import metrics
from wechat.models import Departure, PoolCard

log = structlog.get_logger()
Status = PoolCard.Status
Way = Departure.Way
# The text of a hot statement, made once.
_ISSUE = """
    UPDATE wechat_poolcard SET status = 'Issued', pin = '', way = %s, left_at = %s, issued_at = %s, asked_at = %s,
        crm_status = %s, issued_to_id = %s, request_id = %s
    WHERE id = %s AND status = 'Pooled'
"""


def issue(card_id: int, way: Way, request_id: str, client: int | None = None) -> bool:
    """Hand a card out in the caller's transaction, its PIN forgotten; tells whether this caller was the first."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    crm_status = "Active" if way is Way.GET_CARD else ""
    with connection.cursor() as cursor:
        cursor.execute(_ISSUE, [way.value, now, now, now, crm_status, client, request_id, card_id])
        issued: bool = cursor.rowcount == 1
    return issued


def count(way: Way) -> None:
    """For the metrics, once it is committed."""
    metrics.CARDS_DRAWN.labels(way.value).inc()


def set_aside(ids: Sequence[int], problem: str) -> None:
    """Cards that nobody could register; their PINs are forgotten."""
    with transaction.atomic():
        pooled = PoolCard.objects.select_for_update().filter(pk__in=ids, status=Status.POOLED)
        found = list(pooled.order_by("pk").values_list("pk", flat=True))  # in one order: nobody waits in a ring
        PoolCard.objects.filter(pk__in=found).update(
            status=Status.SET_ASIDE, pin="", problem=problem, way=Way.SET_ASIDE, left_at=timezone.now()
        )
    if found:
        log.warning("pool_cards_set_aside", pool_cards=found, problem=problem)


def keep_unreadable(card_id: int) -> None:
    """A card whose PIN does not open."""
    pooled = PoolCard.objects.filter(pk=card_id, status=Status.POOLED)
    pooled.update(status=Status.UNREADABLE, way=Way.UNREADABLE, left_at=timezone.now())
    log.error("pool_card_unreadable", pool_card=card_id)
