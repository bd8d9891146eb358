"""Messages on their way out, the PINs in them, and their texts."""

import uuid
from string import Formatter

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Purpose(models.TextChoices):
    """What a PIN allows; one issued for one purpose is nothing for another."""

    CREATE = "create", "Register"


class Template(models.Model):
    """A text that staff may edit; `{pin}`, `{brand}` and `{minutes}` are filled in."""

    VARIABLES = ("pin", "brand", "minutes")

    key = models.CharField(max_length=40, unique=True, help_text="What the API's parameter template names.")
    language = models.CharField(max_length=3, choices=[("CHS", "简体中文"), ("ENU", "English")])
    text = models.CharField(max_length=500)

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        try:
            pieces = list(Formatter().parse(self.text))
        except ValueError:
            raise ValidationError({"text": "A brace stands alone."}) from None
        for _, name, spec, conversion in pieces:
            if name is not None and (name not in self.VARIABLES or spec or conversion):
                raise ValidationError({"text": f"Only these stand for something: {{{'}, {'.join(self.VARIABLES)}}}."})

    def fill(self, **values: object) -> str:
        """The text with what is given filled in; what is not given stands for nothing."""
        return self.text.format(**{**dict.fromkeys(self.VARIABLES, ""), **values})


class Message(models.Model):
    """One message of the outbox: written before its request answers, blanked once it has ended."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        EXPIRED = "expired"
        UNKNOWN = "unknown"

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    phone = models.CharField(max_length=11)
    template = models.CharField(max_length=40)
    text = models.TextField(blank=True, help_text="Encrypted; empty once the message has ended.")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    code = models.IntegerField(null=True, blank=True, help_text="Why it failed, as a code of the API.")
    provider_id = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not sent after this.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("due_at",), condition=Q(state__in=("queued", "sending")), name="message_waiting"),
            models.Index(fields=("phone", "-id"), name="message_by_phone"),
        )

    def __str__(self) -> str:
        return f"message {self.pk} ({self.template})"


class Pin(models.Model):
    """The one live PIN of a purpose and phone; a new one takes the row over. Only its HMAC is kept."""

    purpose = models.CharField(max_length=20, choices=Purpose)
    phone = models.CharField(max_length=11)
    digest = models.CharField(max_length=64)
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Wrong ones so far.")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True, help_text="An action that it allows is under way.")

    class Meta:
        verbose_name = "PIN"
        constraints = (models.UniqueConstraint(fields=("purpose", "phone"), name="pin_one_a_purpose_and_phone"),)

    def __str__(self) -> str:
        return f"{self.purpose} PIN {self.pk}"
