"""The Celery application: tasks of every app, the schedule in the settings, JSON bodies that carry ids only."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("loyalty")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Being connected is what stops Celery from replacing the logging that settings.LOGGING set up."""
