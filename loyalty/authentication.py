"""Credentials: a customer's token (`Authorization: Bearer`) or a client's key (`X-API-Key`); both stored as digests."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from loyalty import budgets, errors
from loyalty.callers import Client, connecting_address, within
from loyalty.digests import token_digest
from loyalty.models import ApiClient, ApiKey, Budget, CustomerToken
from loyalty.scopes import Scope

KEY_PREFIX = "lk_"


def issue_token(customer_id: str, *, proved_at: datetime | None = None) -> tuple[str, int]:
    """Log a customer in. Answers the token, which is not kept, and its life in seconds.

    `proved_at`: when the password was looked at. Were all tokens revoked since, this one is, too.
    """
    life = timedelta(hours=settings.CUSTOMER_TOKEN_LIFETIME_HOURS)
    token = secrets.token_urlsafe(32)
    row = CustomerToken.objects.create(
        customer_id=customer_id, digest=token_digest(token), expires_at=timezone.now() + life
    )
    if proved_at and Budget.objects.filter(key=_revocation(customer_id), updated_at__gte=proved_at).exists():
        CustomerToken.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
    return token, int(life.total_seconds())


def revoke_tokens(customer_id: str) -> int:
    """Log a customer out everywhere."""
    Budget.objects.update_or_create(key=_revocation(customer_id), defaults={"updated_at": timezone.now()})
    live = CustomerToken.objects.filter(customer_id=customer_id, revoked_at=None)
    return live.update(revoked_at=timezone.now())


def _revocation(customer_id: str) -> str:
    return budgets.key_of("tokens-revoked", customer_id)


def issue_key(client: ApiClient) -> tuple[ApiKey, str]:
    """Give a client a key, shown this once. Raises ValueError where it has two live ones already."""
    with transaction.atomic():
        ApiClient.objects.select_for_update().get(pk=client.pk)
        taken = set(client.keys.filter(revoked_at=None).values_list("slot", flat=True))
        free = [slot for slot in (1, 2) if slot not in taken]
        if not free:
            raise ValueError(gettext("This client has two live keys; revoke one first."))
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        row = ApiKey.objects.create(client=client, prefix=key[:10], digest=token_digest(key), slot=free[0])
    return row, key


def revoke_key(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now(), slot=None)


def identify(request: HttpRequest) -> tuple[str, Client | None]:
    """Answer (customer id, "") or client behind the credential that was sent; ("", None) where none was.

    A token decides alone: a key beside it adds nothing. Raises AuthorizationError for a credential that is no good.
    """
    authorization = request.META.get("HTTP_AUTHORIZATION")
    if authorization is not None:
        return _customer_of(authorization), None
    key = request.META.get("HTTP_X_API_KEY")
    if key is not None:
        return "", _client_of(key, connecting_address(request))
    return "", None


def gateway(request: HttpRequest) -> Client | None:
    """The gateway that a token came through, where it sent its own key too: it tells whose address counts."""
    key = request.META.get("HTTP_X_API_KEY")
    if key is None:
        return None
    try:
        client = _client_of(key, connecting_address(request))
    except errors.AuthorizationError:
        return None
    return client if client.is_gateway else None


def _customer_of(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.AuthorizationError
    row = (
        CustomerToken.objects.filter(digest=token_digest(token.strip()), revoked_at=None)
        .values_list("customer_id", "expires_at")
        .first()
    )
    if row is None or row[1] <= timezone.now():
        raise errors.AuthorizationError
    return row[0]


def _client_of(key: str, address: str) -> Client:
    row = (
        ApiClient.objects.filter(keys__digest=token_digest(key), keys__revoked_at=None, is_active=True)
        .values_list("pk", "name", "scopes", "is_gateway", "source_codes", "partner_codes", "networks", "expires_at")
        .first()
    )
    if row is None:
        raise errors.AuthorizationError
    *fields, allowed, expires_at = row
    if (expires_at and expires_at <= timezone.now()) or (allowed and not within(address, tuple(allowed))):
        raise errors.AuthorizationError
    pk, name, scopes, is_gateway, source_codes, partner_codes = fields
    granted = frozenset(scopes) - (frozenset() if allowed else {Scope.CUSTOMERS})  # never from just anywhere
    return Client(pk, name, granted, is_gateway, tuple(source_codes), tuple(partner_codes))
