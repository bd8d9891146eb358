"""What the OpenAPI document says of an operation: drawn from its declaration, each error code as an example."""

from collections import defaultdict
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from loyalty import errors
from loyalty.access import CUSTOMER_HEADER, Kind
from loyalty.idempotency import HEADER, REPLAYED, Replays
from loyalty.pages import PageQuery

if TYPE_CHECKING:
    from loyalty.operations import Operation

FORM_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


class ErrorBodySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    status = serializers.IntegerField()
    statusCode = serializers.IntegerField()
    code = serializers.IntegerField()
    reason = serializers.CharField()
    message = serializers.CharField()
    requestId = serializers.CharField()
    details = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)


class ErrorSerializer(serializers.Serializer[Any]):
    """The one shape of every failure."""

    error = ErrorBodySerializer()


def describe(operation: "Operation", function: Callable[..., Any]) -> Callable[..., Any]:
    """drf-spectacular's annotation for an operation's method."""
    summary, _, description = (function.__doc__ or "").strip().partition("\n")
    decorate = extend_schema(
        operation_id=operation.path.replace("/", "_").replace("{", "").replace("}", ""),
        summary=summary.rstrip("."),
        description="\n".join(line.strip() for line in description.splitlines()).strip(),
        tags=operation.tag.split(),
        deprecated=operation.deprecated,
        auth=_security(operation),
        parameters=[
            *_headers(operation),
            *_idempotency_key(operation),
            *_page_headers(operation),
            *([operation.query] if operation.query else []),
        ],
        request=_bodies(operation),
        responses={
            (200, "application/json"): operation.answer(many=operation.many),
            **_refusals(operation),
        },
    )
    decorated: Callable[..., Any] = decorate(function)
    return decorated


def only_operations(endpoints: list[Any], **_: Any) -> list[Any]:
    """A hook: publish what the contract knows, not the pages around it."""
    return [endpoint for endpoint in endpoints if hasattr(endpoint[3].cls, "operation")]


def _security(operation: "Operation") -> list[Any]:
    access = operation.access
    if access.kind is Kind.PUBLIC:
        return [{}]
    by_key: dict[str, list[str]] = {"apiKey": []}
    return [by_key] if access.kind is Kind.CLIENT else [{"customerToken": []}, by_key]


def _headers(operation: "Operation") -> list[OpenApiParameter]:
    if operation.access.kind is not Kind.CUSTOMER:
        return []
    return [
        OpenApiParameter(
            CUSTOMER_HEADER,
            str,
            OpenApiParameter.HEADER,
            description="The customer's id. Needed with a key; with a token it is the token's own and may be left out.",
        )
    ]


def _idempotency_key(operation: "Operation") -> list[OpenApiParameter]:
    if operation.replays is Replays.NEVER:
        return []
    public = operation.access.kind is Kind.PUBLIC and operation.replays is Replays.TO_KNOWN_CALLERS
    return [
        OpenApiParameter(
            HEADER,
            str,
            OpenApiParameter.HEADER,
            description=f"For safe retries: the same key with the same body gets the first answer again for 24 hours, "
            f"marked `{REPLAYED}: true`. 1 to 255 visible ASCII characters, best a random UUID."
            + (" Ignored without a credential." if public else ""),
        )
    ]


def _page_headers(operation: "Operation") -> list[OpenApiParameter]:
    """What the answer of a list by the page carries beside the rows."""
    if operation.query is None or not issubclass(operation.query, PageQuery):
        return []
    told = {
        "X-Total-Count": (int, "How many rows there are."),
        "Link": (str, "Where the other pages stand (RFC 8288)."),
    }
    return [
        OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=text, response=[200])
        for name, (kind, text) in told.items()
    ]


def _bodies(operation: "Operation") -> Any:
    if operation.form is None and operation.upload is None:
        return None
    bodies: dict[str, Any] = dict.fromkeys(FORM_TYPES, operation.form) if operation.form else {}
    if operation.upload:
        bodies["multipart/form-data"] = operation.upload
    return bodies


def _refusals(operation: "Operation") -> dict[tuple[int, str], OpenApiResponse]:
    protected = operation.access.kind is not Kind.PUBLIC
    general: list[type[errors.Refusal]] = [errors.ValidationError, errors.TooManyRequests, errors.MethodNotAllowed]
    general += [errors.AuthorizationError, errors.AccessDenied] if protected else []
    general += [errors.PayloadTooLarge, errors.UnsupportedMediaType] if operation.method == "POST" else []
    if operation.replays is not Replays.NEVER:
        general += [errors.IdempotencyKeyReused, errors.RequestInProgress]
    general += [errors.InternalError, errors.SiebelUnavailable, errors.SiebelTimeout]
    by_status: dict[int, list[type[errors.Refusal]]] = defaultdict(list)
    for refusal in dict.fromkeys([*operation.refuses, *general]):
        by_status[int(refusal.status)].append(refusal)
    return {
        (status, "application/json"): OpenApiResponse(
            ErrorSerializer,
            description=HTTPStatus(status).phrase,
            examples=[_example(operation, refusal) for refusal in refusals],
        )
        for status, refusals in sorted(by_status.items())
    }


def _example(operation: "Operation", refusal: type[errors.Refusal]) -> OpenApiExample:
    body = {
        "name": refusal.name or operation.error_name(refusal.status),
        "status": int(refusal.status),
        "statusCode": int(refusal.status),
        "code": refusal.code,
        "reason": refusal.reason,
        "message": refusal.message,
        "requestId": "f2b6c1d09e4a4c0b8a7d3e5f60718293",
    }
    return OpenApiExample(
        f"{refusal.code} {refusal.reason}",
        value={"error": body},
        response_only=True,
        status_codes=[str(int(refusal.status))],
    )
