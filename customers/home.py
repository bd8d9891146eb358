"""On the first page: who joined."""

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Member
from staff.day_counts import per_day
from staff.home import Content, panel


@panel("registrations", _("Registrations"), "customers.view_member")
def registrations() -> Content:
    counts = per_day("registrations", Member.objects.all(), "registered_at")
    return Content(
        figures=[(_("today"), list(counts.values())[-1]), (_("in 14 days"), sum(counts.values()))],
        plot={gettext("Registrations"): counts},
        url=reverse("admin:customers_member_changelist"),
    )
