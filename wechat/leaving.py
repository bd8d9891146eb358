"""How a card leaves the pool: once, ever, with a row that says how, when and for whom. A conditional update decides."""

from collections.abc import Sequence

import structlog
from django.db import transaction
from django.utils import timezone

from loyalty import metrics
from wechat.models import Departure, PoolCard

log = structlog.get_logger()
Status = PoolCard.Status
Way = Departure.Way


def issue(card: PoolCard, way: Way, request_id: str, client: int | None = None) -> bool:
    """In the caller's transaction: hand a card out, its PIN forgotten; tells whether this caller was the first."""
    now = timezone.now()
    issued = PoolCard.objects.filter(pk=card.pk, status=Status.POOLED).update(
        status=Status.ISSUED,
        pin="",
        issued_at=now,
        issued_to=client,
        request_id=request_id,
        crm_status="Active" if way is Way.GET_CARD else "",
        asked_at=now,
    )
    if issued:
        Departure.objects.bulk_create([Departure(card=card, way=way, client_id=client, request_id=request_id, at=now)])
        metrics.CARDS_DRAWN.labels(way).inc()
    return bool(issued)


def set_aside(ids: Sequence[int], problem: str) -> None:
    """Cards that nobody could register; their PINs are forgotten."""
    _keep_back(ids, Way.SET_ASIDE, status=Status.SET_ASIDE, pin="", problem=problem)
    log.warning("pool_cards_set_aside", pool_cards=list(ids), problem=problem)


def keep_unreadable(card: PoolCard) -> None:
    """A card whose PIN does not open."""
    _keep_back([card.pk], Way.UNREADABLE, status=Status.UNREADABLE)
    log.error("pool_card_unreadable", pool_card=card.pk)


@transaction.atomic
def _keep_back(ids: Sequence[int], way: Way, **changes: str) -> None:
    pooled = PoolCard.objects.select_for_update().filter(pk__in=ids, status=Status.POOLED).order_by("pk")
    found = list(pooled.values_list("pk", flat=True))
    PoolCard.objects.filter(pk__in=found).update(**changes)
    Departure.objects.bulk_create([Departure(card_id=pk, way=way) for pk in found])
