"""The Celery application: tasks of every app, the schedule in the settings, JSON bodies that carry ids only."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import setup_logging, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("loyalty")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def tell_ready(**_: object) -> None:
    """Make the file that CELERY_READY_FILE names, for whoever waits for a worker."""
    if ready := os.environ.get("CELERY_READY_FILE"):
        Path(ready).touch()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Being connected is what stops Celery from replacing the logging that settings.LOGGING set up."""
