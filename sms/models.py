"""Messages on their way out, the PINs in them, and their texts."""

import re
import uuid
from collections.abc import Mapping
from string import Formatter

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext


class Channel(models.TextChoices):
    SMS = "sms", "SMS"
    EMAIL = "email", "e-mail"


class Purpose(models.TextChoices):
    """What a PIN allows; one issued for one purpose is nothing for another."""

    CREATE = "create", "Register"
    UPDATE = "update", "Change to this cell phone"
    OLD_PHONE = "old phone", "Prove the cell phone on file"
    EMAIL = "email", "Prove the e-mail address on file"
    MOBILE = "mobile", "Verify a cell phone after log-in"
    PASSWORD = "password", "Reset the password"
    CAPTCHA = "captcha", "Checked by sms/verify"


class Template(models.Model):
    """A text that staff may edit; what stands in braces is filled in."""

    VARIABLES = ("pin", "brand", "minutes", "link", "card")

    channel = models.CharField(max_length=5, choices=Channel, default=Channel.SMS)
    key = models.CharField(max_length=40, help_text="What the API's parameter template names.")
    language = models.CharField(max_length=3, choices=[("CHS", "简体中文"), ("ENU", "English")])
    subject = models.CharField(max_length=100, blank=True, help_text="Of an e-mail.")
    text = models.CharField(max_length=1000)
    provider_code = models.CharField(
        max_length=60,
        blank=True,
        help_text="The provider's code of the approved text that goes out instead of this one.",
    )
    provider_variables = models.CharField(
        max_length=200,
        blank=True,
        help_text="What the approved text is filled with, in its order and under its names: pin, minutes or code=pin.",
    )

    class Meta:
        ordering = ("channel", "key")
        constraints = (models.UniqueConstraint(fields=("channel", "key"), name="template_one_a_channel_and_key"),)

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        if self.channel == Channel.EMAIL and not self.subject:
            raise ValidationError({"subject": gettext("An e-mail needs a subject.")})
        for field in ("subject", "text"):
            self._demand_known_variables(field)
        self._demand_usable_order()

    def _demand_known_variables(self, field: str) -> None:
        try:
            pieces = list(Formatter().parse(getattr(self, field)))
        except ValueError:
            raise ValidationError({field: gettext("A brace stands alone.")}) from None
        for _, name, spec, conversion in pieces:
            if name is not None and (name not in self.VARIABLES or spec or conversion):
                raise ValidationError({field: f"Only these stand for something: {{{'}, {'.join(self.VARIABLES)}}}."})

    def _demand_usable_order(self) -> None:
        pairs = self._provider_pairs()
        names = [theirs for theirs, _ in pairs]
        if not all(re.fullmatch(r"\w+", theirs) and ours in self.VARIABLES for theirs, ours in pairs):
            wanted = f"{', '.join(self.VARIABLES)}, each alone or as name=variable"
            raise ValidationError({"provider_variables": f"Separate by commas some of: {wanted}."})
        if len(set(names)) < len(names):
            raise ValidationError({"provider_variables": gettext("A name stands there twice.")})

    def _provider_pairs(self) -> list[tuple[str, str]]:
        """The provider's name and ours, in the provider's order."""
        entries = [entry.strip() for entry in self.provider_variables.split(",") if entry.strip()]
        pairs = [entry.partition("=") for entry in entries]
        return [(theirs.strip(), (ours if equals else theirs).strip()) for theirs, equals, ours in pairs]

    def for_provider(self, values: Mapping[str, str]) -> dict[str, str]:
        """The values under the provider's names, in its order."""
        return {theirs: values.get(ours, "") for theirs, ours in self._provider_pairs()}

    def fill(self, **values: object) -> tuple[str, str]:
        """Subject and text with what is given filled in; what is not given stands for nothing."""
        filled = {**dict.fromkeys(self.VARIABLES, ""), **values}
        return self.subject.format(**filled), self.text.format(**filled)


class Message(models.Model):
    """One message of the outbox: written before its request answers, blanked once it has ended.

    A receipt of the provider may still turn `sent` and `unknown` into `delivered` or `failed`.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        DELIVERED = "delivered"
        FAILED = "failed"
        EXPIRED = "expired"
        UNKNOWN = "unknown"

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.CharField(max_length=5, choices=Channel, default=Channel.SMS)
    recipient = models.CharField(max_length=254, help_text="A cell phone or an e-mail address.")
    customer_id = models.CharField(max_length=15, blank=True, db_index=True, help_text="Whose message it is, if known.")
    template = models.CharField(max_length=40)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True, help_text="Encrypted; empty once the message has ended.")
    variables = models.TextField(
        blank=True, help_text="What fills the template, encrypted JSON; emptied as the text is."
    )
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker started on it.")
    code = models.IntegerField(null=True, blank=True, help_text="Why it failed, as a code of the API.")
    reason = models.CharField(max_length=100, blank=True, help_text="Why, in the provider's words or ours.")
    provider_id = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)
    handed_over_at = models.DateTimeField(
        null=True, blank=True, help_text="Noted just before the provider is called: from then on it may have been sent."
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not sent after this.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("due_at",), condition=Q(state__in=("queued", "sending")), name="message_waiting"),
            models.Index(fields=("recipient", "-id"), name="message_by_recipient"),
            models.Index(fields=("created_at", "state"), name="message_by_time"),
        )

    def __str__(self) -> str:
        return f"message {self.pk} ({self.template})"


class Pin(models.Model):
    """The one live PIN of a purpose and recipient; a new one takes the row over. Only its HMAC is kept."""

    purpose = models.CharField(max_length=20, choices=Purpose)
    recipient = models.CharField(max_length=254, help_text="The cell phone or e-mail address that it was sent to.")
    customer_id = models.CharField(max_length=15, blank=True, help_text="Whose action it allows; empty: anybody's.")
    digest = models.CharField(max_length=64)
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Wrong ones so far.")
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True, help_text="An action that it allows is under way.")

    class Meta:
        verbose_name = "PIN"
        constraints = (
            models.UniqueConstraint(fields=("purpose", "recipient"), name="pin_one_a_purpose_and_recipient"),
        )

    def __str__(self) -> str:
        return f"{self.purpose} PIN {self.pk}"


class Line(models.Model):
    """How the line to a gateway does; shared by all workers. See line.py."""

    gateway = models.CharField(max_length=20, primary_key=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    closed_until = models.DateTimeField(null=True, help_text="Nobody calls before; then one, to try it.")

    def __str__(self) -> str:
        return self.gateway


def valid_prefixes(value: object) -> None:
    if not isinstance(value, list) or not all(re.fullmatch(r"[0-9]{1,11}", str(entry), re.ASCII) for entry in value):
        raise ValidationError(gettext("Give the beginnings of cell phone numbers, one a line, such as 138 or 1391234."))


class Desk(models.Model):
    """What staff decide about all short messages; one row. See desk.py."""

    is_stopped = models.BooleanField(
        "stop all short messages",
        default=False,
        help_text="Requests for one are refused with 20002; what waits goes on waiting until this is taken back, or "
        "expires. E-mail goes on.",
    )
    prefixes = models.JSONField(
        "numbers allowed",
        default=list,
        blank=True,
        validators=[valid_prefixes],
        help_text="The beginnings of the numbers that may get short messages, one a line; empty: all.",
    )
    alarms = models.JSONField(default=dict, editable=False, help_text="Name and since when.")

    class Meta:
        verbose_name = verbose_name_plural = "SMS desk"
        constraints = (models.CheckConstraint(condition=Q(id=1), name="desk_one_row"),)

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    def allows(self, phone: str) -> bool:
        """Whether a short message may go to a phone at all, now or later."""
        return not self.prefixes or phone.startswith(tuple(self.prefixes))
