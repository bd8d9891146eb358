"""On the first page: how many cards are left and for how long, how many are drawn, which files are on their way in."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from staff.day_counts import per_day
from staff.home import Bar, Content, panel
from wechat.models import Batch, PoolCard

FEWEST_DAYS = 7
MOST_BATCHES = 10


@panel("pool", _("Card pool"), "wechat.view_poolcard")
def pool() -> Content:
    drawn = per_day("cards drawn", PoolCard.objects.filter(status=PoolCard.Status.ISSUED), "issued_at")
    level = PoolCard.objects.filter(status=PoolCard.Status.POOLED).count()
    pace = sum(list(drawn.values())[-8:-1]) / 7
    days = level / pace if pace else None
    alarms = []
    if not level:
        alarms.append(gettext("The card pool is empty."))
    elif days is not None and days < FEWEST_DAYS:
        alarms.append(gettext("The card pool lasts for %d days.") % days)
    return Content(
        figures=[
            (_("cards in the pool"), f"{level:,}"),
            (_("days left, at last week's pace"), "-" if days is None else f"{days:,.0f}"),
            (_("drawn today"), list(drawn.values())[-1]),
        ],
        plot={gettext("Cards drawn"): drawn},
        alarms=alarms,
        url=reverse("admin:wechat_poolcard_changelist"),
    )


@panel("batches", _("Card files on their way in"), "wechat.view_batch")
def batches() -> Content:
    now = timezone.now()
    waiting = Batch.objects.filter(state__in=(Batch.State.QUEUED, Batch.State.IMPORTING)).order_by("pk")
    bars = [
        Bar(
            f"{batch.file_name}: {batch.rows:,} ({batch.rows_per_second(now):,.0f}/s)",
            batch.percent,
            reverse("admin:wechat_batch_change", args=[batch.pk]),
        )
        for batch in waiting[:MOST_BATCHES]
    ]
    return Content(bars=bars, url=reverse("admin:wechat_batch_changelist"))
