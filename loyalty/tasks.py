"""The core's housekeeping."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from loyalty.models import Budget, CustomerToken, SiebelRequest


@shared_task
def sweep_expired() -> None:
    """Drop what nothing looks at any more: tokens long dead, budgets long unused, replies long given.

    A budget with a total stays: what was spent of a limit for ever is forgotten by staff alone.
    """
    now = timezone.now()
    CustomerToken.objects.filter(expires_at__lt=now - timedelta(days=30)).delete()
    Budget.objects.filter(updated_at__lt=now - timedelta(days=2), total=0).delete()
    SiebelRequest.objects.filter(created_at__lt=now - timedelta(days=30)).delete()
