"""On the first page: what waits for a second person."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orders.models import StarAdjustment
from staff.home import Content, panel

MOST = 1000


@panel("adjustments", _("Star adjustments"), "orders.view_staradjustment")
def adjustments() -> Content:
    waiting = StarAdjustment.objects.filter(state=StarAdjustment.State.REQUESTED)[:MOST].count()
    url = reverse("admin:orders_staradjustment_changelist") + "?state__exact=requested"
    return Content(figures=[(_("wait for a decision"), waiting)], url=url)
