"""Delivering one message of the outbox. Run twice for the same one, it sends once."""

import random
from datetime import timedelta

import structlog
from django.db.models import F
from django.utils import timezone

from loyalty import encryption, errors
from sms import emails, gateways, outbox
from sms.models import Channel, Message

log = structlog.get_logger()
State = Message.State
MAX_ATTEMPTS = 5


def deliver(message_id: int) -> None:
    """Claim, send, and write down how it went."""
    now = timezone.now()
    claimed = Message.objects.filter(pk=message_id, state=State.QUEUED, due_at__lte=now).update(
        state=State.SENDING, attempts=F("attempts") + 1, due_at=now
    )
    if not claimed:
        return
    message = Message.objects.get(pk=message_id)
    if message.expires_at and message.expires_at <= now:
        outbox.end(message_id, State.EXPIRED)
        return
    try:
        text = encryption.unseal(message.text, owner=str(message.reference))
    except (encryption.UnknownKey, encryption.Unreadable) as error:
        log.error("message_unreadable", message_id=message_id, kind=type(error).__name__)
        outbox.end(message_id, State.FAILED, code=errors.SendFailed.code)
        return
    _write_down(message, _send(message, text))


def _send(message: Message, text: str) -> gateways.Verdict:
    reference = str(message.reference)
    if message.channel == Channel.EMAIL:
        return emails.send(address=message.recipient, subject=message.subject, text=text, reference=reference)
    return gateways.chosen().send(phone=message.recipient, template=message.template, text=text, reference=reference)


def _write_down(message: Message, verdict: gateways.Verdict) -> None:
    log.info("message", message_id=message.pk, verdict=type(verdict).__name__.lower(), attempt=message.attempts)
    match verdict:
        case gateways.Accepted(provider_id):
            outbox.end(message.pk, State.SENT, provider_id=provider_id)
        case gateways.Refused(_, again=True) if message.attempts < MAX_ATTEMPTS:
            wait = timedelta(seconds=min(2**message.attempts, 30) * random.uniform(0.5, 1.5))  # noqa: S311 (jitter)
            Message.objects.filter(pk=message.pk, state=State.SENDING).update(
                state=State.QUEUED, due_at=timezone.now() + wait, published_at=None
            )
        case gateways.Refused(refusal):
            outbox.end(message.pk, State.FAILED, code=refusal.code)
        case gateways.Unknown():
            outbox.end(message.pk, State.UNKNOWN)
