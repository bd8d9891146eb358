from celery import shared_task

from sms import delivery


@shared_task
def send_message(message_id: int) -> None:
    """Named by id alone: neither phone nor text passes through the broker."""
    delivery.deliver(message_id)
