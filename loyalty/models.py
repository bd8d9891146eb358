"""The core's own rows: who may call, what was tried too often, which stores exist, what Siebel was already asked."""

import ipaddress
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from loyalty.scopes import Scope


class Store(models.Model):
    """A shop or a sales channel; `number` is what `SourceCode` and `storeNumber` name."""

    class Kind(models.TextChoices):
        STORE = "store"
        CHANNEL = "channel"

    number = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.STORE)
    is_open = models.BooleanField(default=True)

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


def valid_networks(value: Any) -> None:
    """An address allow-list: a JSON list of addresses or CIDR networks."""
    if not isinstance(value, list):
        raise ValidationError(gettext("Give a list of addresses or networks, one a line."))
    for entry in value:
        try:
            ipaddress.ip_network(entry if isinstance(entry, str) else "")
        except ValueError:
            raise ValidationError(gettext("%s is not an address or a network such as 10.1.0.0/16.") % entry) from None


def valid_scopes(value: Any) -> None:
    if not isinstance(value, list) or not all(scope in Scope.values for scope in value):
        raise ValidationError(f"Scopes are some of: {', '.join(Scope.values)}.")


class ApiClient(models.Model):
    """A system that calls the REST API with a key: an app's gateway, the WeChat mini-program's server, a partner."""

    name = models.CharField(max_length=60, unique=True)
    scopes = models.JSONField(default=list, blank=True, validators=[valid_scopes])
    networks = models.JSONField(
        "address allow-list",
        default=list,
        blank=True,
        validators=[valid_networks],
        help_text="Addresses or networks it may call from, one a line; empty: any. The scope customers needs one.",
    )
    is_gateway = models.BooleanField(
        "gateway",
        default=False,
        help_text="It forwards end users: limits per address count the address in its X-Forwarded-For.",
    )
    source_codes = models.JSONField(
        default=list, blank=True, help_text="Partner scope: its own source codes; * for any."
    )
    partner_codes = models.JSONField(
        default=list, blank=True, help_text="Partner scope: its own partner codes; * for any."
    )
    is_active = models.BooleanField("active", default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = "API client"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        anywhere = any(str(entry).endswith("/0") for entry in self.networks or [])
        if Scope.CUSTOMERS in (self.scopes or []) and (not self.networks or anywhere):
            raise ValidationError(
                {"networks": gettext("The scope customers acts for any customer: name the addresses it is used from.")}
            )


class ApiKey(models.Model):
    """One of at most two live keys of a client; only its digest is kept."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=12, help_text="The key's first characters, to tell keys apart.")
    digest = models.CharField(max_length=64, unique=True)
    slot = models.PositiveSmallIntegerField(null=True, help_text="1 or 2 while live.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        constraints = (
            models.UniqueConstraint(fields=("client", "slot"), name="api_key_two_live_a_client"),
            models.CheckConstraint(
                condition=Q(slot__in=(1, 2), revoked_at=None) | Q(slot=None, revoked_at__isnull=False),
                name="api_key_live_has_a_slot",
            ),
        )

    def __str__(self) -> str:
        return f"{self.prefix}…"


class CustomerToken(models.Model):
    """A customer's log-in. It names the customer by id alone: with Siebel behind, the member is no row of ours."""

    customer_id = models.CharField(max_length=15, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token {self.pk} of {self.customer_id}"


class Budget(models.Model):
    """What one subject has spent of a limit that guards a secret or costs money (budgets.py). The key is a digest."""

    key = models.CharField(max_length=64, primary_key=True)
    hits = models.JSONField(default=list, help_text="Times of the attempts that still count, Unix seconds.")
    total = models.PositiveIntegerField(default=0)
    locks = models.PositiveSmallIntegerField(default=0, help_text="How often in a row it was locked.")
    locked_until = models.FloatField(default=0)
    locked_at = models.FloatField(default=0, help_text="The attempt that locked it.")
    is_permanent = models.BooleanField(default=False, help_text="Its total counts for ever.")
    updated_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.key[:12]


class SiebelRequest(models.Model):
    """A write that the embedded CRM has done: the same RequestId is answered with the same reply.

    Or one that it has promised never to do, since somebody asked before it was done.
    """

    request_id = models.CharField(max_length=64, primary_key=True)
    service = models.CharField(max_length=60)
    method = models.CharField(max_length=60)
    reply = models.JSONField()
    is_void = models.BooleanField(default=False, help_text="It was not done when somebody asked, and never will be.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.request_id}"


class IdempotencyKey(models.Model):
    """A key that a caller sent with a request: its work is being done, or was answered (idempotency.py)."""

    digest = models.CharField(max_length=64, unique=True, help_text="Of caller, operation and key.")
    caller = models.CharField(max_length=60)
    operation = models.CharField(max_length=80)
    fingerprint = models.CharField(max_length=64, help_text="Of what was asked.")
    reference = models.UUIDField(help_text="What the RequestIds of its writes are made of.")
    runs = models.PositiveSmallIntegerField(default=1, help_text="How often the work was begun.")
    leased_until = models.DateTimeField(help_text="Somebody is at it until then, unless it is answered.")
    has_written = models.BooleanField(default=False, help_text="A write was sent to Siebel.")
    result = models.TextField(blank=True, help_text="What was done in this database alone, sealed.")
    answer = models.TextField(blank=True, help_text="Sealed.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.operation} of {self.caller}"


class SiebelWrite(models.Model):
    """A write that was sent to a Siebel of its own, and what became of it (siebel_rest/outcomes.py)."""

    class State(models.TextChoices):
        SENT = "sent", "Sent: the answer is awaited"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused: it had no effect"
        UNKNOWN = "unknown", "Unknown: Siebel is asked again"

    request_id = models.CharField("RequestId", max_length=64, unique=True)
    service = models.CharField(max_length=60)
    method = models.CharField(max_length=60)
    trace_id = models.CharField("request id", max_length=64, blank=True, help_text="Of the API's request.")
    state = models.CharField(max_length=10, choices=State, default=State.SENT)
    sent_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    asks = models.PositiveIntegerField(default=0, help_text="How often Siebel was asked what became of it.")
    ask_at = models.DateTimeField(default=timezone.now, help_text="When it is asked next.")

    class Meta:
        ordering = ("-id",)
        verbose_name = "write to Siebel"
        verbose_name_plural = "writes to Siebel"
        indexes = (
            models.Index(fields=("ask_at",), condition=Q(state__in=("sent", "unknown")), name="siebel_write_open"),
            models.Index(fields=("state", "-id"), name="siebel_write_by_state"),
            models.Index(fields=("sent_at",), name="siebel_write_by_age"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("sent", "done", "refused", "unknown")), name="siebel_write_state_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.request_id[:12]}"
