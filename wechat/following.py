"""What became of cards that were handed out: the CRM is asked now and then about those not registered yet."""

from datetime import datetime, timedelta

from django.db.models import Case, CharField, Value, When

from cards import siebel
from wechat.models import PoolCard

AGAIN = timedelta(hours=6)
AT_ONCE = 500


def follow(now: datetime) -> int:
    """Ask about those that were asked about longest ago; answers how many. Raises SiebelUnavailable, SiebelTimeout."""
    unregistered = PoolCard.objects.filter(status=PoolCard.Status.ISSUED, crm_status="Active")
    numbers = dict(
        unregistered.filter(asked_at__lt=now - AGAIN).order_by("asked_at").values_list("number", "pk")[:AT_ONCE]
    )
    if numbers:
        standing = siebel.standing(card_numbers=list(numbers))
        said = [When(pk=pk, then=Value(standing[number].status)) for number, pk in numbers.items()]
        PoolCard.objects.filter(pk__in=numbers.values()).update(
            crm_status=Case(*said, output_field=CharField()), asked_at=now
        )
    return len(numbers)
