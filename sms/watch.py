"""Watching the messages: figures for the metrics and the SMS desk, and alarms where somebody should look."""

from datetime import timedelta

import structlog
from django.db.models import Q
from django.utils import timezone

from loyalty import metrics
from sms import desk, limits, line
from sms.models import Desk, Line, Message, Pin, Purpose

log = structlog.get_logger()
State = Message.State
LAST_PINS = 200
FEWEST_USED = 0.3
MOST_OF_THE_DAY = 0.8
LONGEST_WAIT = 60
_TIME_TO_TYPE = timedelta(minutes=2)  # a younger PIN that is not used says nothing
MEANING = {
    "pins": f"fewer than {FEWEST_USED:.0%} of the last {LAST_PINS} PINs were used: somebody may be making us send",
    "day": f"{MOST_OF_THE_DAY:.0%} of the day's messages are sent",
    "waiting": f"a message has waited for more than {LONGEST_WAIT} seconds",
    "gateway": "the gateway fails and is left alone",
}


def watch() -> None:
    """Set the gauges, and raise or end each alarm, both said in the log once."""
    used, of = pins_used()
    share, waited = limits.share_of_the_day(), seconds_waiting()
    metrics.PINS_USED.set(used / of if of else 1)
    metrics.SMS_DAY.set(share)
    metrics.WAITING.set(waited)
    wrong = {
        "pins": of >= LAST_PINS and used / of < FEWEST_USED,
        "day": share >= MOST_OF_THE_DAY,
        "waiting": waited > LONGEST_WAIT,
        "gateway": Line.objects.filter(failures__gte=line.FAILURES).exists(),
    }
    for name, is_wrong in wrong.items():
        metrics.SMS_ALARM.labels(name).set(is_wrong)
    _note({name for name, is_wrong in wrong.items() if is_wrong})


def _note(wrong: set[str]) -> None:
    row, _ = Desk.objects.get_or_create(pk=1)
    now = timezone.localtime().strftime("%Y-%m-%d %H:%M")
    for name in wrong - row.alarms.keys():
        log.error("sms_alarm", alarm=name, meaning=MEANING[name])
    for name in row.alarms.keys() - wrong:
        log.warning("sms_alarm_over", alarm=name)
    alarms = {name: row.alarms.get(name, now) for name in sorted(wrong)}
    if alarms != row.alarms:
        Desk.objects.filter(pk=1).update(alarms=alarms)


def pins_used() -> tuple[int, int]:
    """Of the last PINs that went out by SMS and could have been typed by now, how many were, and how many these are.

    `sms/verify` uses none up, so what it checks does not count.
    """
    out = Pin.objects.filter(message__state__in=(State.SENT, State.DELIVERED, State.UNKNOWN))
    out = out.exclude(purpose__in=(Purpose.EMAIL, Purpose.CAPTCHA))
    ripe = out.filter(Q(used_at__isnull=False) | Q(message__created_at__lt=timezone.now() - _TIME_TO_TYPE))
    last = list(ripe.order_by("-message_id").values_list("used_at", flat=True)[:LAST_PINS])
    return sum(used_at is not None for used_at in last), len(last)


def seconds_waiting() -> float:
    """How long the oldest message has waited; what staff have stopped does not count."""
    if desk.current().is_stopped:
        return 0
    waiting = Message.objects.filter(state__in=(State.QUEUED, State.SENDING))
    oldest = waiting.order_by("created_at").values_list("created_at", flat=True).first()
    return (timezone.now() - oldest).total_seconds() if oldest else 0
