"""The outbox: what is accepted here will be sent, or will end with a reason that staff can read."""

import json
import time
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from loyalty import encryption, errors, relay
from sms import desk, settlement
from sms.models import Channel, Message, Template

State = Message.State
REPUBLISH_AFTER = timedelta(seconds=60)
REFUSALS = (
    errors.WrongAccessKey,
    errors.MissingParams,
    errors.WrongSign,
    errors.WrongParams,
    errors.FrequentSend,
    errors.SendFailed,
)
_BATCH = 200
_POLL_SECONDS = 0.05


def queue(
    *,
    recipient: str,
    template: str,
    channel: Channel = Channel.SMS,
    customer_id: str = "",
    request_id: str = "",
    expires_at: datetime | None = None,
    **values: object,
) -> Message:
    """Write a message down to be sent, and tell the relay once the transaction it stands in has been committed.

    `values` fill the template. Raises MissingMsg where staff have taken the template away.
    """
    found = Template.objects.filter(channel=channel, key=template).first()
    if found is None:
        raise errors.MissingMsg
    subject, text = found.fill(brand=settings.BRAND_NAME, **values)
    reference = uuid.uuid4()
    message = Message.objects.create(
        reference=reference,
        channel=channel,
        recipient=recipient,
        customer_id=customer_id,
        template=template,
        subject=subject,
        text=encryption.seal(text, owner=str(reference)),
        variables=encryption.seal(_as_json(values), owner=str(reference)),
        request_id=request_id,
        expires_at=expires_at,
    )
    transaction.on_commit(relay.ring)
    return message


def _as_json(values: dict[str, object]) -> str:
    filled = {"brand": settings.BRAND_NAME, **values}
    return json.dumps({name: str(value) for name, value in filled.items()})


def wait(message: Message) -> None:
    """Wait up to SMS_WAIT_SECONDS for the gateway's verdict; undecided by then counts as success.

    Raises one of REFUSALS.
    """
    until = time.monotonic() + settings.SMS_WAIT_SECONDS
    while time.monotonic() < until:
        state, code = Message.objects.values_list("state", "code").get(pk=message.pk)
        if state == State.FAILED:
            raise refusal_of(code)
        if state not in (State.QUEUED, State.SENDING):
            return
        time.sleep(_POLL_SECONDS)


def refusal_of(code: int | None) -> errors.Refusal:
    """Why a message failed, as one of REFUSALS: a gateway may know more codes than a caller does."""
    return next((refusal for refusal in REFUSALS if refusal.code == code), errors.SendFailed)()


def claim_due() -> list[int]:
    """For the relay: the queued messages that are due and were not published within the last minute."""
    now = timezone.now()
    settlement.of_abandoned(now)
    settlement.of_expired(now)
    due = Message.objects.filter(state=State.QUEUED, due_at__lte=now).exclude(published_at__gt=now - REPUBLISH_AFTER)
    if desk.current().is_stopped:
        due = due.exclude(channel=Channel.SMS)
    ids = list(due.order_by("due_at").values_list("pk", flat=True)[:_BATCH])
    if ids:
        Message.objects.filter(pk__in=ids).update(published_at=now)
    return ids


def put_back(ids: list[int]) -> None:
    """For the relay: these were not published."""
    Message.objects.filter(pk__in=ids).update(published_at=None)
