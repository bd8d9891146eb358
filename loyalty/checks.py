"""System checks: settings that could not be used, and operations that nobody guards."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from loyalty import callers, rates


@register(Tags.security)
def usable_settings(**_: Any) -> list[CheckMessage]:
    """Keys that encrypt, networks and rates that parse."""
    found: list[CheckMessage] = []
    for key in settings.PIN_KEYS:
        try:
            Fernet(key)
        except ValueError:
            found.append(Error("A PIN_KEYS entry is not 32 url-safe base64-encoded bytes.", id="loyalty.E001"))
    for name in ("TRUSTED_PROXIES", "OPEN_NETWORKS", "SMS_RECEIPT_NETWORKS"):
        try:
            callers.networks(tuple(getattr(settings, name)))
        except ValueError:
            found.append(Error(f"{name} has an entry that is no network.", id="loyalty.E002"))
    try:
        rates.parse(settings.PUBLIC_RATE)
    except ValueError:
        found.append(Error("PUBLIC_RATE is not a rate such as 120/min.", id="loyalty.E003"))
    return found
