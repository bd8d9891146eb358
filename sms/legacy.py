"""sms/send and sms/verify, which systems of the first days still call; newer operations replace them."""

from django.conf import settings

from loyalty import budgets, errors
from loyalty.budgets import DAY, Limit, Window
from loyalty.callers import Caller
from sms import limits, outbox, pins
from sms.models import Purpose
from sms.pins import Subject

TEMPLATES = ("captcha", "create", "update", "create-cn", "create-en", "update-cn", "update-en")
_PURPOSES = {"captcha": Purpose.CAPTCHA, "create": Purpose.CREATE, "update": Purpose.UPDATE}


def demand_switched_on() -> None:
    """Raises NotFound where the setting LEGACY_SMS is off."""
    if not settings.LEGACY_SMS:
        raise errors.NotFound({"path": ["No such operation."]})


def send(*, phone: str, template: str, caller: Caller) -> None:
    """Send a PIN to any phone, for the purpose that the template names. Waits a moment for the gateway's verdict.

    Raises FrequentSend, TooManyRequests, or what the gateway refused with.
    """
    client = str(caller.client.pk) if caller.client else ""
    per_client = Limit("sms-client", client, [Window(DAY, budgets.scaled(settings.SMS_PER_CLIENT_DAY))])
    with (
        budgets.attempt([per_client], errors.TooManyRequests, kept_by_success=True),
        limits.sending(phone=phone, address=caller.address, refusal=errors.FrequentSend),
    ):
        subject = Subject(_PURPOSES[template.partition("-")[0]], phone)
        outbox.wait(pins.send(subject, template=template, request_id=caller.request_id))


def verify(*, phone: str, captcha: str) -> None:
    """Check the last PIN that was sent to a phone; it stays usable. Raises WrongCaptcha, FrequentVerifyOfOld."""
    purpose = pins.newest(phone, tuple(_PURPOSES.values()))
    pins.check(Subject(purpose, phone), pin=captcha, too_often=errors.FrequentVerifyOfOld)
