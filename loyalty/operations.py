"""An operation of the contract: declared once at its method, and from that routed, guarded, limited and published."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.urls import URLPattern
from django.urls import path as url_path
from rest_framework import serializers, viewsets
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from loyalty import errors, forms, idempotency, parsers, rates
from loyalty.access import Access, Kind, admit
from loyalty.budgets import scaled
from loyalty.callers import Caller
from loyalty.idempotency import Replays

DEPRECATED = "@1795478400"  # RFC 9745: since this version, 2026-11-24
Form = type[serializers.Serializer[Any]]


@dataclass(frozen=True)
class Operation:
    """One operation.

    `sms`: the seed answers its 400 as SMSRequestError, and phone, template and PIN have codes of their own.
    `replays`: whose `Idempotency-Key` it honours; every POST those of callers it knows, unless it says otherwise.
    `per_client`: settings that limit how often one client may ask, each with its window in seconds.
    """

    method: str
    path: str
    tag: str
    access: Access
    answer: Form
    many: bool = False
    form: Form | None = None
    query: Form | None = None
    upload: Form | None = None
    refuses: Sequence[type[errors.Refusal]] = ()
    sms: bool = False
    deprecated: bool = False
    under_data: bool = False
    replays: Replays = Replays.NEVER
    per_client: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def error_name(self, status: int) -> str:
        """What the seed calls an error that has one of its codes."""
        return "SMSRequestError" if self.sms or status == HTTPStatus.LOCKED else "SiebelRequestError"


class JSONOnly(BaseContentNegotiation):
    """The API speaks JSON, whatever `Accept` says."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        wanted = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or "application/json"


class ApiRequest(Request):
    """What an operation's method is given: DRF's request and who calls. (For type checkers; see OperationViewSet.)"""

    caller: Caller


class OperationViewSet(viewsets.ViewSet):
    """The base of every viewset: an operation answers its own method alone, to callers whom its access rule admits."""

    content_negotiation_class = JSONOnly
    operation: ClassVar[Operation] = None  # type: ignore[assignment]  # as_view() gives it

    @property
    def body_limit(self) -> int:
        limit: int = settings.UPLOAD_BODY_LIMIT + 4096 if self.operation.upload else settings.API_BODY_LIMIT
        return limit

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method != self.operation.method:
            raise errors.MethodNotAllowed({"method": [f"Only {self.operation.method}."]})
        super().initial(request, *args, **kwargs)
        inner = request._request
        caller = admit(inner, self.operation.access, inner.request_id)  # type: ignore[attr-defined]
        inner.caller = request.caller = caller  # type: ignore[attr-defined]
        parsers.demand_size(self.body_limit, inner.META)
        if request.method == "POST" and not (self.operation.form or self.operation.upload):
            request.data  # noqa: B018 (reading it is what refuses a body that no operation takes)
        self._limit(caller)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.operation.deprecated:
            answer["Deprecation"] = DEPRECATED
        return answer

    def form(self, request: Request) -> dict[str, Any]:
        """The body, validated by the operation's form."""
        if self.operation.form is None:
            raise TypeError(f"{self.operation.name} has no form.")
        body: Mapping[str, Any] = request.data  # type: ignore[assignment]  # our parsers let nothing but objects through
        if self.operation.under_data:
            body = forms.under_data(body)
        return forms.read(self.operation.form, body, sms=self.operation.sms)

    def asked(self, request: Request) -> Mapping[str, Any]:
        """What the body asks for, however it is written; of a file its name and a digest. Raises what `form` raises."""
        if self.operation.upload and request.FILES:
            return {
                name: [file.name, hashlib.file_digest(file.open(), "sha256").hexdigest()]
                for name, file in request.FILES.items()
            }
        return self.form(request) if self.operation.form else {}

    @staticmethod
    def limit_client(caller: Caller, **windows: int) -> None:
        """Settings that limit what one client may ask, each with its window in seconds. Raises TooManyRequests."""
        client = str(caller.client.pk if caller.client else "")
        rates.hit(client, [(name, scaled(getattr(settings, name)), window) for name, window in windows.items()])

    def query(self, request: Request) -> dict[str, Any]:
        """The query, validated by the operation's form of it; what is empty is as good as left out."""
        if self.operation.query is None:
            raise TypeError(f"{self.operation.name} has no query.")
        if any(len(several) > 1 for _, several in request.query_params.lists()):
            raise errors.ValidationError({"query": ["A name stands in it twice."]})
        given = {name: text for name, text in request.query_params.items() if text}
        return forms.read(self.operation.query, given)

    def _limit(self, caller: Caller) -> None:
        """The browse limits: per address for the public, per customer and per client for the others.

        Raises TooManyRequests.
        """
        if self.operation.access.kind is Kind.PUBLIC and caller.address:
            limit, seconds = rates.parse(settings.PUBLIC_RATE)
            rates.hit(caller.address, [("public", scaled(limit), seconds)])
        elif caller.client is not None:  # among them a gateway that forwards no address
            self.limit_client(caller, REQUESTS_PER_CLIENT_MINUTE=60, **self.operation.per_client)
        elif self.operation.method == "GET":
            rates.hit(caller.customer_id, [("reads", settings.READS_PER_CUSTOMER_MINUTE, 60)])
        else:
            rates.hit(caller.customer_id, [("writes", settings.WRITES_PER_CUSTOMER_MINUTE, 60)])


REGISTRY: dict[str, Operation] = {}
Method = Callable[..., Any]


def operation(method: str, path: str, **declared: Any) -> Callable[[Method], Method]:
    """Declare a viewset's method as the operation `method` `/api/path`; the rest are Operation's fields."""

    def declare(function: Method) -> Method:
        from loyalty import openapi

        usual = Replays.TO_KNOWN_CALLERS if method == "POST" else Replays.NEVER
        made = Operation(method=method, path=path, **{"replays": usual, **declared})
        answer = _replaying(function) if made.replays is not Replays.NEVER else function
        answer.operation = made  # type: ignore[attr-defined]
        return openapi.describe(made, answer)

    return declare


def _replaying(function: Method) -> Method:
    """A viewset's method that a request with an `Idempotency-Key` reaches once."""

    @wraps(function)
    def answer(viewset: OperationViewSet, request: ApiRequest, **path: str) -> HttpResponse:
        operation, caller = viewset.operation, request.caller
        key = idempotency.key_of(request._request, caller, operation.replays)
        if key is None:
            response: HttpResponse = function(viewset, request, **path)
            return response

        def work() -> HttpResponse:
            try:
                done: HttpResponse = function(viewset, request, **path)
            except Exception as error:
                return viewset.handle_exception(error)
            return done

        asked = [path, viewset.asked(request)]
        return idempotency.once(key, caller=caller, operation=operation.name, asked=asked, work=work)

    return answer


def routes(*viewsets_: type[OperationViewSet]) -> list[URLPattern]:
    """The URL patterns of every operation that the viewsets declare."""
    patterns = []
    for viewset in viewsets_:
        for name, function in list(vars(viewset).items()):
            made = getattr(function, "operation", None)
            if not isinstance(made, Operation):
                continue
            if made.path in REGISTRY:
                raise ValueError(f"/api/{made.path} is declared twice.")
            REGISTRY[made.path] = made
            method = made.method.lower()
            view = viewset.as_view({method: name}, operation=made, http_method_names=[method])
            patterns.append(url_path(re.sub(r"{(\w+)}", r"<str:\1>", f"api/{made.path}"), view, name=made.path))
    return patterns
