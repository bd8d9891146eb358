"""On the first page: what became of the messages, whether their PINs are used, what is wrong."""

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms import desk, limits, watch
from sms.models import Message
from staff.day_counts import per_day
from staff.home import Content, panel

State = Message.State


@panel("messages", _("Messages"), "sms.view_message")
def messages() -> Content:
    every = Message.objects.all()
    sent = per_day("messages sent", every.filter(state__in=(State.SENT, State.DELIVERED)), "created_at")
    failed = per_day("messages failed", every.filter(state__in=(State.FAILED, State.EXPIRED)), "created_at")
    unknown = per_day("messages unknown", every.filter(state=State.UNKNOWN), "created_at")
    used, of = watch.pins_used()
    alarms = [f"{gettext(watch.MEANING[name])} ({since})" for name, since in desk.current().alarms.items()]
    if desk.current().is_stopped:
        alarms.append(gettext("All short messages are stopped."))
    return Content(
        figures=[
            (_("PINs used of the last %d") % of, f"{used / of:.0%}" if of else "-"),
            (_("of the daily ceiling"), f"{limits.share_of_the_day():.0%}"),
            (_("outcome unknown today"), list(unknown.values())[-1]),
        ],
        plot={gettext("Sent"): sent, gettext("Failed"): failed},
        alarms=alarms,
        url=reverse("admin:sms_message_changelist"),
    )
