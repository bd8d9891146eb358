"""Run a script with production settings that are complete and strong but belong to nobody: for `check --deploy`.

usage: production_settings.py SCRIPT [ARGUMENT ...]
"""

import base64
import os
import secrets
import sys

SETTINGS = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "PIN_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "PIN_PEPPERS": secrets.token_urlsafe(48),
    "ALLOWED_HOSTS": "loyalty.example",
    "BASE_URL": "https://loyalty.example",
    "DATABASE_URL": "postgres://loyalty@database.example/loyalty",
    "REDIS_URL": "redis://redis.example:6379/0",
    "CELERY_BROKER_URL": "amqp://rabbitmq.example:5672//",
    "TRUSTED_PROXIES": "10.0.0.0/8",
    "TLS_ENDS_AT_PROXY": "true",
    "SMS_GATEWAY": "http",
    "SMS_URL": "https://sms.example/send",
    "SMS_ACCESS_KEY": "loyalty",
    "SMS_SECRET_KEY": secrets.token_urlsafe(48),
}

if __name__ == "__main__":
    os.execve(  # noqa: S606 (no shell is what is wanted)
        sys.executable, [sys.executable, *sys.argv[1:]], {**os.environ, **SETTINGS}
    )
