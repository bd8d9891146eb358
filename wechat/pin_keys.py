"""Pool PINs under the first of PIN_KEYS: a chunk of rows a time, under their locks, while cards are handed out."""

from collections.abc import Callable

from django.db import transaction
from django.db.models import Q, QuerySet

from loyalty import encryption
from wechat.models import PoolCard

CHUNK = 500


def rotate(report: Callable[[int], None]) -> int:
    """Seal again what another key has sealed; answers how many PINs can't be read. Killed, it goes on where it was.

    Each row is locked while its PIN is replaced, so that a card is handed out before or after that, with a PIN that
    opens. `report` is told how many were sealed again. Raises UnknownKey where a key is missing from PIN_KEYS.
    """
    unreadable = last = 0
    while True:
        with transaction.atomic():
            behind = _under_other_keys().filter(pk__gt=last).order_by("pk")
            cards = list(behind.select_for_update()[:CHUNK])
            if not cards:
                return unreadable
            changed = [card for card in cards if _seal_again(card)]
            PoolCard.objects.bulk_update(changed, ["pin"])
        last = cards[-1].pk
        unreadable += len(cards) - len(changed)
        report(len(changed))


def left_under_other_keys() -> bool:
    """Whether a key behind the first is still needed."""
    return _under_other_keys().exclude(status=PoolCard.Status.UNREADABLE).exists()


def _under_other_keys() -> QuerySet[PoolCard]:
    return PoolCard.objects.exclude(Q(pin="") | Q(pin__startswith=encryption.prefix()))


def _seal_again(card: PoolCard) -> bool:
    try:
        card.pin = encryption.seal(encryption.unseal(card.pin, owner=card.number), owner=card.number)
    except encryption.Unreadable:
        return False
    return True
