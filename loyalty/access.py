"""Who may call an operation: the four rules of the contract. Nothing is open that does not say so."""

import re
from dataclasses import dataclass
from enum import Enum

from django.conf import settings
from django.http import HttpRequest
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from loyalty import authentication, callers, errors
from loyalty.callers import Caller, Client
from loyalty.ids import PATTERN
from loyalty.scopes import Scope

CUSTOMER_HEADER = "x-customer-id"


class Kind(Enum):
    PUBLIC = "public"
    CUSTOMER = "customer"
    CLIENT = "client"
    OWNER_OR_CLIENT = "owner-or-client"


@dataclass(frozen=True)
class Access:
    """A rule; `str()` of it is how contract.yaml writes it."""

    kind: Kind
    scope: Scope | None = None

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.scope.value}" if self.scope else self.kind.value


PUBLIC = Access(Kind.PUBLIC)
CUSTOMER = Access(Kind.CUSTOMER)


def client(scope: Scope) -> Access:
    """A key with the scope, nobody else."""
    return Access(Kind.CLIENT, scope)


def owner_or_client(scope: Scope) -> Access:
    """The owner's token (the operation itself looks whose the object is), or a key with the scope."""
    return Access(Kind.OWNER_OR_CLIENT, scope)


def admit(request: HttpRequest, access: Access, request_id: str) -> Caller:
    """Let a request in, as the caller that the operation sees.

    Raises AuthorizationError, AccessDenied, or ValidationError for a customer header out of pattern.
    """
    try:
        customer_id, holder = authentication.identify(request)
    except errors.AuthorizationError:
        if access.kind is not Kind.PUBLIC:
            raise
        customer_id, holder = "", None  # an old token on the device must not stand between its owner and the log-in
    if access.kind is Kind.PUBLIC:
        _customer_header(request, required=False)
    else:
        customer_id = _acting_for(request, access, customer_id, holder)
    forwarder = holder or authentication.gateway(request)
    if access.kind is Kind.PUBLIC and not customer_id:
        holder = forwarder
    return Caller(callers.end_user_address(request, forwarder), request_id, holder, customer_id)


def _acting_for(request: HttpRequest, access: Access, customer_id: str, holder: Client | None) -> str:
    if not customer_id and holder is None:
        raise errors.AuthorizationError
    if holder is not None:
        if not holder.may(Scope.CUSTOMERS if access.kind is Kind.CUSTOMER else access.scope or Scope.OPS):
            raise errors.AccessDenied
        return _customer_header(request, required=True) if access.kind is Kind.CUSTOMER else ""
    if access.kind is Kind.CLIENT:
        raise errors.AccessDenied
    named = _customer_header(request, required=False)
    if named and named != customer_id:
        raise errors.AccessDenied
    return customer_id


def _customer_header(request: HttpRequest, *, required: bool) -> str:
    value: str | None = request.META.get("HTTP_X_CUSTOMER_ID")
    if value is None:
        if required:
            raise errors.ValidationError({CUSTOMER_HEADER: ["This header is required."]})
        return ""
    if not re.fullmatch(PATTERN, value):
        raise errors.ValidationError({CUSTOMER_HEADER: ["Not a customer id, or sent twice."]})
    return value


def demand_insight(request: HttpRequest) -> None:
    """For docs, schema and metrics: an address of OPEN_NETWORKS, or a key with the scope ops.

    Raises AuthorizationError, AccessDenied.
    """
    if callers.within(callers.connecting_address(request), tuple(settings.OPEN_NETWORKS)):
        return
    customer_id, holder = authentication.identify(request)
    if not customer_id and holder is None:
        raise errors.AuthorizationError
    if holder is None or not holder.may(Scope.OPS):
        raise errors.AccessDenied


class FromOpenNetworkOrOps(BasePermission):
    """`demand_insight` for drf-spectacular's views."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        demand_insight(request._request)
        return True
