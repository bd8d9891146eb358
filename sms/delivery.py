"""Delivering one message of the outbox. Run twice for the same one, it sends once."""

import json
import random
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from loyalty import encryption, errors
from sms import desk, emails, gateways, line, settlement
from sms.gateways import Accepted, Refused, ShortMessage, Unknown, Unreached, Verdict
from sms.models import Channel, Message, Template

log = structlog.get_logger()
State = Message.State
MAX_TRIES = 4


@dataclass(frozen=True)
class Content:
    """What the message says, and the values in it by our names."""

    text: str
    values: dict[str, str]


def deliver(message_id: int) -> None:
    """Claim, hand over to the provider, and write down how it went."""
    now = timezone.now()
    claimed = Message.objects.filter(pk=message_id, state=State.QUEUED, due_at__lte=now).update(
        state=State.SENDING, attempts=F("attempts") + 1, due_at=now
    )
    if not claimed:
        return
    message = Message.objects.get(pk=message_id)
    if message.expires_at and message.expires_at <= now:
        settlement.end([message_id], State.EXPIRED)
    elif (content := _opened(message)) is None:
        code, reason = errors.SendFailed.code, "Its text can't be decrypted."
        settlement.end([message_id], State.FAILED, code=code, reason=reason)
    elif message.channel == Channel.EMAIL:
        if settlement.hand_over(message):
            _write_down(message, _send_email(message, content))
    else:
        _deliver_sms(message, content)


def _deliver_sms(message: Message, content: Content) -> None:
    gateway, short = gateways.chosen(), _short_message(message, content)
    rules = desk.current()
    if rules.is_stopped:
        settlement.put_back(message, timedelta(), started=False)
    elif not rules.allows(message.recipient):
        _write_down(message, Refused(errors.SendFailed, reason="The number is not among those allowed."))
    elif gateway.keeps_texts and not short.provider_code:
        _write_down(message, Refused(errors.WrongParams, reason="The template has no provider code.", alarm=True))
    elif wait := line.seconds_to_wait(settings.SMS_GATEWAY):
        settlement.put_back(message, timedelta(seconds=wait), started=False)
    elif settlement.hand_over(message):
        verdict = gateway.send(short)
        line.note(settings.SMS_GATEWAY, alive=not isinstance(verdict, Unknown | Unreached))
        _write_down(message, verdict)


def _opened(message: Message) -> Content | None:
    owner = str(message.reference)
    try:
        text = encryption.unseal(message.text, owner=owner)
        values = json.loads(encryption.unseal(message.variables, owner=owner)) if message.variables else {}
    except (encryption.UnknownKey, encryption.Unreadable) as error:
        log.error("message_unreadable", message_id=message.pk, kind=type(error).__name__)
        return None
    return Content(text, values)


def _send_email(message: Message, content: Content) -> Verdict:
    reference = str(message.reference)
    return emails.send(address=message.recipient, subject=message.subject, text=content.text, reference=reference)


def _short_message(message: Message, content: Content) -> ShortMessage:
    template = Template.objects.filter(channel=Channel.SMS, key=message.template).first()
    return ShortMessage(
        phone=message.recipient,
        template=message.template,
        text=content.text,
        reference=str(message.reference),
        provider_code=template.provider_code if template else "",
        variables=template.for_provider(content.values) if template else {},
    )


def _write_down(message: Message, verdict: Verdict) -> None:
    log.info("message", message_id=message.pk, verdict=type(verdict).__name__.lower(), attempt=message.attempts)
    match verdict:
        case Accepted(provider_id):
            name = settlement.as_told(provider_id)
            if not settlement.end([message.pk], State.SENT, provider_id=name):  # its receipt was faster
                Message.objects.filter(pk=message.pk).update(provider_id=name)
        case Unknown(reason):
            settlement.end([message.pk], State.UNKNOWN, of=[State.SENDING], reason=reason)
        case Refused(_, again=True) | Unreached() if (wait := _wait_before_another(message)) is not None:
            settlement.put_back(message, wait)
        case Unreached(reason):
            settlement.end([message.pk], State.FAILED, code=errors.SendFailed.code, reason=reason)
        case Refused(refusal, reason=reason):
            if verdict.alarm:
                log.error("gateway_refuses", gateway=settings.SMS_GATEWAY, code=refusal.code, reason=reason)
            settlement.end([message.pk], State.FAILED, code=refusal.code, reason=reason)


def _wait_before_another(message: Message) -> timedelta | None:
    """None where it was tried often enough, or would come too late."""
    jitter = random.uniform(0.5, 1.5)  # noqa: S311 (no secret)
    wait = timedelta(seconds=settings.SMS_RETRY_SECONDS * 3 ** (message.attempts - 1) * jitter)
    late = message.expires_at is not None and message.expires_at <= timezone.now() + wait
    return None if message.attempts >= MAX_TRIES or late else wait
