"""Prometheus metrics: the core's own, and the page that serves all of them, over every process of the web server."""

import os
from typing import Any

from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from loyalty import access

REQUEST_SECONDS = Histogram("loyalty_request_seconds", "Answered requests", ("method", "route", "status"))
SIEBEL_SECONDS = Histogram("loyalty_siebel_seconds", "Calls of Siebel", ("service", "method", "outcome"))
MESSAGES = Counter("loyalty_messages", "Messages by how they ended", ("channel", "state"))
SMS_COST = Counter("loyalty_sms_cost", "What the messages that a gateway accepted cost, at SMS_PRICE each")
WRONG_PASSWORDS = Counter("loyalty_wrong_passwords", "Log-ins refused for a name or password that is wrong")
CARDS_DRAWN = Counter("loyalty_cards_drawn", "Cards handed out of the pool", ("by",))

# Set by whichever worker last looked, so the most recent value of all processes counts.
_RECENT: Any = {"multiprocess_mode": "mostrecent"}
PINS_USED = Gauge("loyalty_sms_pins_used_ratio", "Of the last 200 PINs by SMS, the part that was used", **_RECENT)
SMS_DAY = Gauge("loyalty_sms_day_ratio", "The part of SMS_PER_DAY that is used up", **_RECENT)
WAITING = Gauge("loyalty_messages_waiting_seconds", "How long the oldest message has waited", **_RECENT)
SMS_ALARM = Gauge("loyalty_sms_alarm", "1 where something is wrong with the messages", ("alarm",), **_RECENT)


SCRAPED = CollectorRegistry()  # what is looked up when it is asked for, the same in every process


def page(request: HttpRequest) -> HttpResponse:
    """`/metrics`, for addresses of OPEN_NETWORKS or a key with the scope ops."""
    access.demand_insight(request)
    return HttpResponse(generate_latest(_registry()) + generate_latest(SCRAPED), content_type=CONTENT_TYPE_LATEST)


def samples(name: str) -> list[Any]:
    """What one of the metrics says at the moment."""
    return [sample for metric in _registry().collect() if metric.name == name for sample in metric.samples]


def _registry() -> CollectorRegistry:
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
