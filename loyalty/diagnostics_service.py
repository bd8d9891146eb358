"""The embedded CRM's side of diagnostics: the business service "Loyalty Diagnostics"."""

import time

from django.conf import settings

from loyalty import errors
from loyalty.business_services import business_service
from loyalty.siebel import Reply

SERVICE = "Loyalty Diagnostics"


@business_service(SERVICE, "Echo")
def echo(*, text: str) -> Reply:
    """Says what it was told."""
    return {"Text": text}


@business_service(SERVICE, "Sleep")
def sleep(*, milliseconds: str) -> Reply:
    """Answer after so long.

    In one process with who asks nothing cuts a wait short, so it ends at his deadline by itself. Raises SiebelTimeout.
    """
    seconds = int(milliseconds) / 1000
    time.sleep(min(seconds, settings.SIEBEL_DEADLINE_SECONDS))
    if seconds > settings.SIEBEL_DEADLINE_SECONDS:
        raise errors.SiebelTimeout
    return {"Milliseconds": milliseconds}
