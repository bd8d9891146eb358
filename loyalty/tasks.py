"""The core's housekeeping."""

from datetime import timedelta

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Q
from django.utils import timezone

from loyalty import idempotency
from loyalty.models import Budget, CustomerToken, SiebelRequest, SiebelWrite
from loyalty.siebel_rest import outcomes


@shared_task
def sweep_expired() -> None:
    """Drop what nothing looks at any more: tokens long dead, budgets long unused, replies long given, keys, sessions.

    A total that counts for ever stays: it is forgotten by staff alone.
    """
    now = timezone.now()
    CustomerToken.objects.filter(expires_at__lt=now - timedelta(days=30)).delete()
    unused = Budget.objects.filter(updated_at__lt=now - timedelta(days=31))  # longer than any window
    unused.filter(Q(is_permanent=False) | Q(total=0)).delete()
    SiebelRequest.objects.filter(created_at__lt=now - timedelta(days=30)).delete()
    settled = SiebelWrite.objects.filter(settled_at__isnull=False)
    settled.filter(sent_at__lt=now - timedelta(days=30)).delete()
    idempotency.sweep()
    SessionStore.clear_expired()


@shared_task
def settle_writes() -> None:
    """Ask Siebel what became of the writes whose outcome nobody knows."""
    outcomes.settle()
