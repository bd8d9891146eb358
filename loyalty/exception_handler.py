"""The one place where a refusal, DRF's own refusals and a crash become an answer, in the seed's one shape."""

import math
import traceback
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions

from loyalty import errors, forms

if TYPE_CHECKING:
    from loyalty.operations import Operation

log = structlog.get_logger()
_COMPACT = {"separators": (",", ":"), "ensure_ascii": False}
CHALLENGE = 'Bearer realm="loyalty"'


def render(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's hook: whatever an operation raised, as JSON, whichever renderer the view has."""
    return refuse(context["request"]._request, refusal_for(error), getattr(context["view"], "operation", None))


def refusal_for(error: BaseException) -> errors.Refusal:
    """Translate what others raise into the catalogue; what nobody foresaw is logged and becomes InternalError."""
    match error:
        case errors.Refusal():
            return error
        case exceptions.UnsupportedMediaType():
            return errors.UnsupportedMediaType({"content-type": [str(error.detail)]})
        case exceptions.MethodNotAllowed():
            return errors.MethodNotAllowed({"method": [str(error.detail)]})
        case exceptions.ValidationError() | exceptions.ParseError():
            return errors.ValidationError(forms.details_of(error.detail))
        case exceptions.NotAcceptable():
            return errors.NotAcceptable({"accept": [str(error.detail)]})
        case RequestDataTooBig():
            return errors.PayloadTooLarge({"body": [f"At most {settings.API_BODY_LIMIT} bytes."]})
        case SuspiciousOperation():
            return errors.ValidationError({"request": ["Not a request that this server takes."]})
        case Http404() | exceptions.NotFound():
            return errors.NotFound({"path": ["Nothing is there."]})
        case PermissionDenied() | exceptions.PermissionDenied():
            return errors.AccessDenied()
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return errors.AuthorizationError()
    log_crash(error)
    return errors.InternalError()


def envelope(refusal: errors.Refusal, request: HttpRequest, operation: "Operation | None" = None) -> dict[str, Any]:
    status = int(refusal.status)
    fallback = operation.error_name(status) if operation else "SiebelRequestError"
    return {
        "error": {
            "name": refusal.name or fallback,
            "status": status,
            "statusCode": status,
            "code": refusal.code,
            "reason": refusal.reason,
            "message": refusal.message,
            "requestId": getattr(request, "request_id", ""),
            **refusal.extra,
        }
    }


def log_crash(error: BaseException) -> None:
    """Kind and place, never the message: a database's may quote the row."""
    frames = [line.strip() for line in traceback.format_tb(error.__traceback__)]
    log.error("crash", kind=type(error).__qualname__, trace=frames[-12:])


def _headers(refusal: errors.Refusal, operation: "Operation | None" = None) -> dict[str, str]:
    headers = {}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after)))
    if isinstance(refusal, errors.AuthorizationError):
        headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(refusal, errors.MethodNotAllowed) and operation:
        headers["Allow"] = operation.method
    return headers


def refuse(request: HttpRequest, refusal: errors.Refusal, operation: "Operation | None" = None) -> JsonResponse:
    """The refusal as an answer, in and outside of DRF."""
    body = envelope(refusal, request, operation)
    return JsonResponse(
        body, status=int(refusal.status), headers=_headers(refusal, operation), json_dumps_params=_COMPACT
    )


def is_api(request: HttpRequest) -> bool:
    return request.path == "/api" or request.path.startswith("/api/")


@csrf_exempt  # nothing is there to be forged, and the check would answer HTML
def unknown_route(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    return refuse(request, errors.NotFound({"path": ["No such operation."]}))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: what Django itself finds wrong, a forbidden Host for one."""
    if is_api(request):
        return refuse(request, errors.ValidationError({"request": ["Not a request that this server takes."]}))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    return refuse(request, errors.AccessDenied()) if is_api(request) else defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    return unknown_route(request) if is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: the crash itself was logged by RequestMiddleware."""
    return refuse(request, errors.InternalError()) if is_api(request) else defaults.server_error(request)
