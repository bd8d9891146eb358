"""Ways to send a short message, behind one small interface; the setting SMS_GATEWAY chooses."""

from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from sms.gateways.verdicts import Accepted, Gateway, Refused, ShortMessage, Unknown, Unreached, Verdict

__all__ = ["Accepted", "Gateway", "Refused", "ShortMessage", "Unknown", "Unreached", "Verdict", "chosen"]


@lru_cache
def _make(path: str) -> Gateway:
    gateway: Gateway = import_string(path)()
    return gateway


def chosen() -> Gateway:
    return _make(settings.SMS_GATEWAYS[settings.SMS_GATEWAY])
