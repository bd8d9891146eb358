from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from sms import delivery, watch
from sms.models import Pin


@shared_task
def send_message(message_id: int) -> None:
    """Named by id alone: neither phone nor text passes through the broker."""
    delivery.deliver(message_id)


@shared_task
def sweep_pins() -> None:
    """Forget the phones of PINs that nobody can use any more."""
    Pin.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()


@shared_task
def watch_messages() -> None:
    watch.watch()
