"""Where secrets come from: the environment, files (Docker and Kubernetes secrets) or, locally, a file made once."""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

NAMES = ("SECRET_KEY", "PIN_KEYS", "PIN_PEPPERS")


def read_files() -> None:
    """Let `NAME_FILE=/run/secrets/name` stand for `NAME`; the variable itself wins."""
    for name in (
        *NAMES,
        "DATABASE_URL",
        "REDIS_URL",
        "CELERY_BROKER_URL",
        "EMAIL_HOST_PASSWORD",
        "SIEBEL_PASSWORD",
        "SMS_SECRET_KEY",
        "SMS_RECEIPT_KEY",
    ):
        path = os.environ.get(f"{name}_FILE")
        if path and name not in os.environ:
            os.environ[name] = Path(path).read_text().strip()


def read_local(var: Path) -> None:
    """Take what is not in the environment from `var/local.env`, which the first start makes, for its owner only."""
    path = var / "local.env"
    if all(name in os.environ for name in NAMES):
        return
    if not path.exists():
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = "".join(f"{name}={_random(name)}\n" for name in NAMES)
        part = path.with_suffix(f".{os.getpid()}")
        part.touch(mode=0o600)
        part.write_text(text)
        with suppress(FileExistsError):
            os.link(part, path)  # of two first starts at once, one wins whole
        part.unlink()
    for line in path.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)


def _random(name: str) -> str:
    if name == "PIN_KEYS":
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(48)


def demand_strong(values: dict[str, list[str]]) -> None:
    """Refuse to start with a secret that is missing or short.

    Raises ImproperlyConfigured, naming the variable and never its value.
    """
    for name, entries in values.items():
        if not entries or any(len(entry) < 32 or len(set(entry)) < 10 for entry in entries):
            raise ImproperlyConfigured(f"{name} is missing or weak: give it at least 32 random characters.")


def demand_fernet(name: str, keys: list[str]) -> None:
    """Raises ImproperlyConfigured for what can't encrypt."""
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(f"{name} has an entry that is not 32 url-safe base64-encoded bytes.") from None
