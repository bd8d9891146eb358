"""Prometheus metrics: the core's own, and the page that serves all of them, over every process of the web server."""

import os

from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from loyalty import access

REQUEST_SECONDS = Histogram("loyalty_request_seconds", "Answered requests", ("method", "route", "status"))
SIEBEL_SECONDS = Histogram("loyalty_siebel_seconds", "Calls of Siebel", ("service", "method", "outcome"))
MESSAGES = Counter("loyalty_messages", "Messages by how they ended", ("channel", "state"))
CARDS_DRAWN = Counter("loyalty_cards_drawn", "Cards handed out of the pool", ("by",))


SCRAPED = CollectorRegistry()  # what is looked up when it is asked for, the same in every process


def page(request: HttpRequest) -> HttpResponse:
    """`/metrics`, for addresses of OPEN_NETWORKS or a key with the scope ops."""
    access.demand_insight(request)
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry) + generate_latest(SCRAPED), content_type=CONTENT_TYPE_LATEST)
