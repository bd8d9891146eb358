"""Around every request: an id, one log line, one metric, and no caching of the API; probes, who know no Host."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import resolve

from loyalty import errors, exception_handler, metrics
from loyalty.siebel_rest import stale

log = structlog.get_logger()
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class RequestMiddleware:
    """Gives `request.request_id` (the caller's `X-Request-ID` where it is a sane one) and answers it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        sent = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = sent if _SANE_ID.fullmatch(sent) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(request_id=request_id)
        stale.begin()
        try:
            response = self._answer(request)
            response["X-Request-ID"] = request_id
            if exception_handler.is_api(request):
                response["Cache-Control"] = "no-store"
                for name, value in stale.headers().items():
                    response[name] = value
            self._record(request, response.status_code, time.monotonic() - started)
            return response
        finally:
            structlog.contextvars.clear_contextvars()

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What a view outside of DRF let fall; Django goes on to handler500."""
        if not isinstance(error, errors.Refusal):
            if not isinstance(error, (Http404, PermissionDenied, SuspiciousOperation)):
                exception_handler.log_crash(error)
            return None
        return exception_handler.refuse(request, error)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if "\x00" in request.path:
            if exception_handler.is_api(request):
                return exception_handler.refuse(request, errors.ValidationError({"path": ["It has a NUL in it."]}))
            return HttpResponse(status=400)
        return self.get_response(request)

    def _record(self, request: HttpRequest, status: int, seconds: float) -> None:
        """The route's pattern, never the path or the query: an address or a number may stand in those."""
        match = request.resolver_match
        route = match.route if match else "-"
        method = request.method if request.method in _METHODS else "other"  # a caller can make up any number of them
        metrics.REQUEST_SECONDS.labels(method, route, f"{status // 100}xx").observe(seconds)
        caller = getattr(request, "caller", None)
        log.info(
            "request",
            method=request.method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            client=caller.client.name if caller and caller.client else None,
            customer_id=(caller.customer_id or None) if caller else None,
        )


class ProbeMiddleware:
    """Answers load balancers and Prometheus, who call a server by its address: no Host is asked for, nor TLS."""

    PATHS = ("/health", "/metrics")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path not in self.PATHS:
            return self.get_response(request)
        request.resolver_match = match = resolve(request.path)
        try:
            answer: HttpResponseBase = match.func(request)
        except errors.Refusal as refusal:
            return exception_handler.refuse(request, refusal)
        return answer
