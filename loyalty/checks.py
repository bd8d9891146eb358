"""System checks: settings that could not be used, and operations that nobody guards."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from loyalty import callers, rates

# The web server's own timeout is 30 seconds (config/gunicorn.py): whatever we wait for ends before.
_BOUNDS = {
    "SIEBEL_DEADLINE_SECONDS": (0.1, 20),
    "HEAP_TRACE_SECONDS": (0, 20),
    "HEAP_FILES_KEPT": (1, 1000),
    "IDEMPOTENCY_LEASE_SECONDS": (30, 3600),
}


@register(Tags.security)
def usable_settings(**_: Any) -> list[CheckMessage]:
    """Keys that encrypt, networks and rates that parse, numbers within bounds."""
    found: list[CheckMessage] = []
    for key in settings.PIN_KEYS:
        try:
            Fernet(key)
        except ValueError:
            found.append(Error("A PIN_KEYS entry is not 32 url-safe base64-encoded bytes.", id="loyalty.E001"))
    for name in ("TRUSTED_PROXIES", "OPEN_NETWORKS"):
        try:
            callers.networks(tuple(getattr(settings, name)))
        except ValueError:
            found.append(Error(f"{name} has an entry that is no network.", id="loyalty.E002"))
    for name, (least, most) in _BOUNDS.items():
        if not least <= getattr(settings, name) <= most:
            found.append(Error(f"{name} is not between {least:g} and {most:g}.", id="loyalty.E004"))
    try:
        rates.parse(settings.PUBLIC_RATE)
    except ValueError:
        found.append(Error("PUBLIC_RATE is not a rate such as 120/min.", id="loyalty.E003"))
    return found
