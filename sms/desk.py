"""What staff decide about all short messages: whether any goes out, and to which numbers."""

from loyalty import errors
from sms.models import Desk


def current() -> Desk:
    return Desk.objects.first() or Desk()


def demand_open(phone: str) -> None:
    """Asked before anything is known of a phone, so that the refusal tells nothing of it. Raises SendFailed."""
    desk = current()
    if desk.is_stopped or not desk.allows(phone):
        raise errors.SendFailed
