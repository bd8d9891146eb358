"""The web server's settings."""

import os
from pathlib import Path

from prometheus_client import multiprocess

bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or '8000'}"
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
worker_class = "gthread"
threads = 4
timeout = 30  # above every deadline of ours
graceful_timeout = 10
keepalive = 5
accesslog = None  # loyalty.middleware writes one line a request
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108 (gunicorn makes its own names there)
    worker_tmp_dir = "/dev/shm"  # noqa: S108


def child_exit(server: object, worker: object) -> None:
    """A worker's gauges end with it."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[attr-defined, no-untyped-call]
