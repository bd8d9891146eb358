"""The Celery application is made with the project, so that tasks find their broker wherever they are published from."""

from config.celery import app as celery_app

__all__ = ("celery_app",)
