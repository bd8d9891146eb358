from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from customers.models import KnownAddress, MobileWindow, ProofToken
from customers.sessions import KNOWN_FOR


@shared_task
def sweep_proofs() -> None:
    """Forget tokens that nobody can use any more, and with them the addresses that they proved."""
    past = timezone.now() - timedelta(days=1)
    ProofToken.objects.filter(expires_at__lt=past).delete()
    MobileWindow.objects.filter(expires_at__lt=past).delete()
    KnownAddress.objects.filter(seen_at__lt=timezone.now() - KNOWN_FOR).delete()
