"""An operation of the contract: declared once at its method, and from that routed, guarded, limited and published."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from django.conf import settings
from django.urls import URLPattern
from django.urls import path as url_path
from rest_framework import serializers, viewsets
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from loyalty import errors, forms, rates
from loyalty.access import Access, Kind, admit
from loyalty.budgets import scaled
from loyalty.callers import Caller

Form = type[serializers.Serializer[Any]]


@dataclass(frozen=True)
class Operation:
    """`sms`: the seed answers its 400 as SMSRequestError, and phone, template and PIN have codes of their own."""

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
        self._limit(caller)

    def form(self, request: Request) -> dict[str, Any]:
        """The body, validated by the operation's form."""
        if self.operation.form is None:
            raise TypeError(f"{self.operation.name} has no form.")
        body: Mapping[str, Any] = request.data  # type: ignore[assignment]  # our parsers let nothing but objects through
        if self.operation.under_data:
            body = forms.under_data(body)
        return forms.read(self.operation.form, body, sms=self.operation.sms)

    def query(self, request: Request) -> dict[str, Any]:
        """The query, validated by the operation's form of it; what is empty is as good as left out."""
        if self.operation.query is None:
            raise TypeError(f"{self.operation.name} has no query.")
        if any(len(several) > 1 for _, several in request.query_params.lists()):
            raise errors.ValidationError({"query": ["A name stands in it twice."]})
        given = {name: text for name, text in request.query_params.items() if text}
        return forms.read(self.operation.query, given)

    def _limit(self, caller: Caller) -> None:
        """The browse limits: per address for the public, per customer and per client for the others."""
        if self.operation.access.kind is Kind.PUBLIC:
            if caller.address:
                limit, seconds = rates.parse(settings.PUBLIC_RATE)
                rates.hit(caller.address, [("public", scaled(limit), seconds)])
        elif caller.client is not None:
            rates.hit(str(caller.client.pk), [("client", scaled(settings.REQUESTS_PER_CLIENT_MINUTE), 60)])
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

        made = Operation(method=method, path=path, **declared)
        function.operation = made  # type: ignore[attr-defined]
        return openapi.describe(made, function)

    return declare


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
