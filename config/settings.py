"""Every setting, read from the environment; `.env.example` documents each. Production refuses weak values."""

import hashlib
import ipaddress
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import dotenv, secrets


class Env(environ.Env):  # type: ignore[misc]
    """Names the variable whose value is of no use, and never the value."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError:
            raise ImproperlyConfigured(f"{var} is not what it should be, a number for one.") from None


env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
dotenv.read()


def path_of(name: str, default: str | Path) -> Path:
    """A path of the environment; a relative one starts at the project's folder. An empty one is as good as none."""
    path: str = env.str(name, default="") or str(default)
    return BASE_DIR / path


def networks_of(name: str, default: list[str]) -> list[str]:
    """A list of addresses or CIDR networks."""
    entries: list[str] = env.list(name, default=default)
    for entry in entries:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise ImproperlyConfigured(f"{name} has an entry that is no network.") from None
    return entries


def number_of(name: str, default: float, least: float, most: float) -> float:
    """A number within bounds. (The web server's own timeout is 30 seconds: whatever we wait for ends before.)"""
    try:
        value: float = env.float(name, default=default)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} is not between {least:g} and {most:g}.")
    return value


def texts_of(name: str) -> dict[str, str]:
    """A JSON object of texts."""
    try:
        value = json.loads(env.str(name, default="") or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ImproperlyConfigured(f"{name} is a JSON object of texts.")
    return value


VAR_DIR = path_of("VAR_DIR", "var")

ENVIRONMENT = env.str("ENVIRONMENT", default="local")
if ENVIRONMENT not in ("local", "production"):
    raise ImproperlyConfigured("ENVIRONMENT is either local or production.")
PRODUCTION = ENVIRONMENT == "production"
secrets.read_files()
if not PRODUCTION:
    secrets.read_local(VAR_DIR)

# Secrets. The first of each list is in use, the others are still understood.
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
PIN_KEYS = env.list("PIN_KEYS", default=[])
PIN_PEPPERS = env.list("PIN_PEPPERS", default=[])
secrets.demand_strong({"SECRET_KEY": [SECRET_KEY], "PIN_KEYS": PIN_KEYS, "PIN_PEPPERS": PIN_PEPPERS})
if SECRET_KEY_FALLBACKS:
    secrets.demand_strong({"SECRET_KEY_FALLBACKS": SECRET_KEY_FALLBACKS})
secrets.demand_fernet("PIN_KEYS", PIN_KEYS)

DEBUG = env.bool("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG must be off in production.")

# Where it is reached
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]", "testserver"]
)
if PRODUCTION and (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS names the hosts of the service; * is not accepted in production.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES = networks_of("TRUSTED_PROXIES", [])
OPEN_NETWORKS = networks_of("OPEN_NETWORKS", [] if PRODUCTION else ["127.0.0.0/8", "::1/128"])

INSTALLED_APPS = [
    "staff.apps.StaffConfig",  # before the admin, whose templates it replaces
    "staff.apps.WorkplaceConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "loyalty",
    "sms",
    "cards",
    "customers",
    "orders",
    "wechat",
]
if not PRODUCTION:
    INSTALLED_APPS.append("demo")
MIDDLEWARE = [
    "loyalty.middleware.RequestMiddleware",
    "loyalty.middleware.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# Database: no ATOMIC_REQUESTS, since what counts failed attempts must survive a refused request.
DATABASES = {"default": env.db("DATABASE_URL", default="" if PRODUCTION else f"sqlite:///{VAR_DIR}/loyalty.sqlite3")}
if DATABASES["default"].get("ENGINE", "").endswith("sqlite3"):
    if PRODUCTION:
        raise ImproperlyConfigured("DATABASE_URL names a PostgreSQL database in production.")
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Redis: limits and the card pool. A connection never retries by itself: a resent SPOP would take a second card.
REDIS_URL = env.str("REDIS_URL", default="" if PRODUCTION else f"unix://{VAR_DIR}/valkey.sock?db=0")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 1,
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0)},
        },
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"


def _broker_of(redis_url: str) -> str:
    """The same server's database 5, which is `redis+socket://…?virtual_host=5` for a Unix socket."""
    address = redis_url.partition("?")[0]
    if address.startswith("unix://"):
        return "redis+socket://" + quote(address.removeprefix("unix://")) + "?virtual_host=5"
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.split('/')[0]}/5"


# Celery: rows say what is to be done, a task only names one. No result backend; a publish never hangs.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="" if PRODUCTION else _broker_of(REDIS_URL))
if PRODUCTION and not (REDIS_URL and CELERY_BROKER_URL and DATABASES["default"].get("NAME")):
    raise ImproperlyConfigured("DATABASE_URL, REDIS_URL and CELERY_BROKER_URL are needed in production.")
# Files take minutes: a queue of their own, so that no message waits behind them. A worker without -Q takes both.
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_QUEUE", default="loyalty")
FILES_QUEUE = f"{CELERY_TASK_DEFAULT_QUEUE}-files"
CELERY_TASK_QUEUES = [Queue(name) for name in (CELERY_TASK_DEFAULT_QUEUE, FILES_QUEUE)]
_FILE_TASKS = ("wechat.tasks.import_batch", "wechat.tasks.look_into_inbox", "orders.tasks.import_files")
CELERY_TASK_ROUTES = {name: {"queue": FILES_QUEUE} for name in (*_FILE_TASKS, "orders.tasks.reconcile_partners")}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_TASK_ALWAYS_EAGER", default=False)
CELERY_TASK_EAGER_PROPAGATES = False
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 0}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"confirm_publish": True, "read_timeout": 5, "write_timeout": 5}
    if CELERY_BROKER_URL.startswith("amqp")
    else {"socket_timeout": 1.5, "socket_connect_timeout": 0.5}
)
CELERY_TIMEZONE = TIME_ZONE
CARD_INBOX_MINUTES = env.float("CARD_INBOX_MINUTES", default=5.0)
CELERY_BEAT_SCHEDULE = {
    "look-into-inbox": {"task": "wechat.tasks.look_into_inbox", "schedule": CARD_INBOX_MINUTES * 60},
    "refill-card-pool": {"task": "wechat.tasks.refill_pool", "schedule": 60.0},
    "measure-card-pool": {"task": "wechat.tasks.measure_pool", "schedule": 60.0},
    "follow-cards": {"task": "wechat.tasks.follow_cards", "schedule": crontab(minute="*/10")},
    "sweep-spool": {"task": "wechat.tasks.sweep_spool", "schedule": crontab(minute="29")},
    "sweep-pins": {"task": "sms.tasks.sweep_pins", "schedule": crontab(minute="23")},
    "sweep-proofs": {"task": "customers.tasks.sweep_proofs", "schedule": crontab(minute="25")},
    "import-order-files": {"task": "orders.tasks.import_files", "schedule": 60.0},
    "expire-rewards": {"task": "orders.tasks.expire_rewards", "schedule": crontab(hour="0", minute="1")},
    "reconcile-partners": {"task": "orders.tasks.reconcile_partners", "schedule": crontab(hour="0", minute="21")},
    "check-stars": {"task": "orders.tasks.check_stars", "schedule": crontab(hour="3", minute="41")},
    "watch-messages": {"task": "sms.tasks.watch_messages", "schedule": 60.0},
    "settle-siebel-writes": {"task": "loyalty.tasks.settle_writes", "schedule": 20.0},
    "sweep-expired-rows": {"task": "loyalty.tasks.sweep_expired", "schedule": crontab(minute="17")},
}

# The API
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "loyalty.parsers.StrictJSONParser",
        "loyalty.parsers.StrictFormParser",
        "loyalty.parsers.StrictMultiPartParser",
    ],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "loyalty.exception_handler.render",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Loyalty API",
    "DESCRIPTION": "Customers, rewards cards, messages, orders and partner transactions of a retail loyalty programme.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["loyalty.access.FromOpenNetworkOrOps"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PREPROCESSING_HOOKS": ["loyalty.openapi.only_operations"],
    "POSTPROCESSING_HOOKS": [],
    "SECURITY": [],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "customerToken": {"type": "http", "scheme": "bearer", "description": "The token that login answers."},
            "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A REST client's key."},
        }
    },
}
API_BODY_LIMIT = env.int("API_BODY_LIMIT", default=1024 * 1024)
UPLOAD_BODY_LIMIT = env.int("UPLOAD_BODY_LIMIT", default=20 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = API_BODY_LIMIT
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
IDEMPOTENCY_LEASE_SECONDS = number_of("IDEMPOTENCY_LEASE_SECONDS", 60, 30, 3600)
CUSTOMER_TOKEN_LIFETIME_HOURS = env.int("CUSTOMER_TOKEN_LIFETIME_HOURS", default=24)

# Passwords: Argon2id at 19 MiB, two passes, one lane; tests ask for a cheap hash.
PASSWORD_HASHERS = [
    "loyalty.passwords.Argon2idHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if not PRODUCTION and env.str("PASSWORD_COST", default="") == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
PASSWORD_MIN_LENGTH = env.int("PASSWORD_MIN_LENGTH", default=8)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email", "first_name", "last_name", "brand")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": PASSWORD_MIN_LENGTH},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Staff: a password and an authenticator's code; whoever fails too often waits, by name and address together.
STAFF_TOTP = env.bool("STAFF_TOTP", default=PRODUCTION)
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = env.int("STAFF_LOGIN_TRIES", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("STAFF_LOCK_MINUTES", default=15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "loyalty.callers.connecting_address"
AXES_RESET_ON_SUCCESS = True
AXES_SENSITIVE_PARAMETERS = ["otp_token"]
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Siebel
SIEBEL_TRANSPORT = env.str("SIEBEL_TRANSPORT", default="embedded")
SIEBEL_TRANSPORTS = {"embedded": "loyalty.business_services.call", "rest": "loyalty.siebel_rest.transport.call"}
if SIEBEL_TRANSPORT not in SIEBEL_TRANSPORTS:
    raise ImproperlyConfigured(f"SIEBEL_TRANSPORT is one of: {', '.join(SIEBEL_TRANSPORTS)}.")
SIEBEL_DEADLINE_SECONDS = number_of("SIEBEL_DEADLINE_SECONDS", 8, 0.1, 20)
SIEBEL_URL = env.str("SIEBEL_URL", default="").rstrip("/")
SIEBEL_LOGIN = env.str("SIEBEL_LOGIN", default="basic")
SIEBEL_USER = env.str("SIEBEL_USER", default="")
SIEBEL_PASSWORD = env.str("SIEBEL_PASSWORD", default="")
SIEBEL_TOKEN_URL = env.str("SIEBEL_TOKEN_URL", default="")
SIEBEL_SCOPE = env.str("SIEBEL_SCOPE", default="")
if SIEBEL_LOGIN not in ("basic", "oauth"):
    raise ImproperlyConfigured("SIEBEL_LOGIN is basic or oauth.")
if SIEBEL_TRANSPORT == "rest":
    _needed_by_rest = {"SIEBEL_URL": SIEBEL_URL, "SIEBEL_USER": SIEBEL_USER, "SIEBEL_PASSWORD": SIEBEL_PASSWORD}
    if SIEBEL_LOGIN == "oauth":
        _needed_by_rest["SIEBEL_TOKEN_URL"] = SIEBEL_TOKEN_URL
    if _missing := [name for name, value in _needed_by_rest.items() if not value]:
        raise ImproperlyConfigured(f"The transport rest needs {', '.join(_missing)}.")
    if PRODUCTION and not all(url.startswith("https://") for url in (SIEBEL_URL, SIEBEL_TOKEN_URL) if url):
        raise ImproperlyConfigured("SIEBEL_URL and SIEBEL_TOKEN_URL start with https:// in production.")
SIEBEL_CA_FILE = env.str("SIEBEL_CA_FILE", default="")
SIEBEL_CONNECT_SECONDS = number_of("SIEBEL_CONNECT_SECONDS", 1, 0.1, 10)
SIEBEL_MAX_CONNECTIONS = env.int("SIEBEL_MAX_CONNECTIONS", default=10)
WEB_THREADS = env.int("WEB_THREADS", default=16 if SIEBEL_TRANSPORT == "rest" else 4)
if SIEBEL_TRANSPORT == "rest" and not 0 < SIEBEL_MAX_CONNECTIONS < WEB_THREADS:
    raise ImproperlyConfigured(
        "SIEBEL_MAX_CONNECTIONS is below WEB_THREADS: somebody must answer what needs no Siebel."
    )
SIEBEL_SERVICES = texts_of("SIEBEL_SERVICES")
SIEBEL_CODES = texts_of("SIEBEL_CODES")
SIEBEL_DATE_FORMAT = env.str("SIEBEL_DATE_FORMAT", default="%m/%d/%Y %H:%M:%S")
if not all(part in SIEBEL_DATE_FORMAT for part in ("%Y", "%m", "%d", "%H", "%M", "%S")):
    raise ImproperlyConfigured("SIEBEL_DATE_FORMAT has %Y, %m, %d, %H, %M and %S in it.")
SIEBEL_BREAKER_CALLS = int(number_of("SIEBEL_BREAKER_CALLS", 20, 2, 1000))
SIEBEL_BREAKER_SECONDS = number_of("SIEBEL_BREAKER_SECONDS", 30, 0.1, 3600)
SIEBEL_STATE_DIR = path_of("SIEBEL_STATE_DIR", VAR_DIR / "siebel")
SIEBEL_STALE_SECONDS = int(number_of("SIEBEL_STALE_SECONDS", 300, 1, 86_400))
SIEBEL_STALE_METHODS = env.list("SIEBEL_STALE_METHODS", default=[])
_MAY_BE_STALE = {
    "Loyalty Member.Get",
    "Loyalty Card.List",
    "Loyalty Contact.ListAddresses",
    "Loyalty Order.List",
    "Loyalty Order.ListItems",
    "Loyalty Reward.List",
}
if not set(SIEBEL_STALE_METHODS) <= _MAY_BE_STALE:
    raise ImproperlyConfigured(f"SIEBEL_STALE_METHODS are some of: {', '.join(sorted(_MAY_BE_STALE))}.")
SIEBELSERVER_DATABASE_URL = env.str("SIEBELSERVER_DATABASE_URL", default=f"sqlite:///{VAR_DIR}/siebel.sqlite3")

# Messages
BRAND_NAME = OTP_TOTP_ISSUER = env.str("BRAND_NAME", default="Loyalty")
SMS_GATEWAY = env.str("SMS_GATEWAY", default="local")
SMS_GATEWAYS = {
    "local": "sms.gateways.local.LocalGateway",
    "http": "sms.gateways.http.HttpGateway",
    "aliyun": "sms.gateways.aliyun.AliyunGateway",
    "tencent": "sms.gateways.tencent.TencentGateway",
}
if SMS_GATEWAY not in SMS_GATEWAYS:
    raise ImproperlyConfigured(f"SMS_GATEWAY is one of: {', '.join(SMS_GATEWAYS)}.")
if PRODUCTION and SMS_GATEWAY == "local":
    raise ImproperlyConfigured("SMS_GATEWAY names a gateway in production; local only writes a file.")
SMS_URL = env.str("SMS_URL", default="")
SMS_ACCESS_KEY = env.str("SMS_ACCESS_KEY", default="")
SMS_SECRET_KEY = env.str("SMS_SECRET_KEY", default="")
SMS_SIGN_NAME = env.str("SMS_SIGN_NAME", default="")
SMS_TENCENT_APP_ID = env.str("SMS_TENCENT_APP_ID", default="")
SMS_TENCENT_REGION = env.str("SMS_TENCENT_REGION", default="ap-guangzhou")
_needed = {
    "http": {"SMS_URL": SMS_URL, "SMS_ACCESS_KEY": SMS_ACCESS_KEY, "SMS_SECRET_KEY": SMS_SECRET_KEY},
    "aliyun": {"SMS_ACCESS_KEY": SMS_ACCESS_KEY, "SMS_SECRET_KEY": SMS_SECRET_KEY, "SMS_SIGN_NAME": SMS_SIGN_NAME},
}
_needed["tencent"] = {**_needed["aliyun"], "SMS_TENCENT_APP_ID": SMS_TENCENT_APP_ID}
if _missing := [name for name, value in _needed.get(SMS_GATEWAY, {}).items() if not value]:
    raise ImproperlyConfigured(f"The gateway {SMS_GATEWAY} needs {', '.join(_missing)}.")
if PRODUCTION and SMS_URL and not SMS_URL.startswith("https://"):
    raise ImproperlyConfigured("SMS_URL starts with https:// in production: messages carry PINs.")
SMS_GATEWAY_SECONDS = number_of("SMS_GATEWAY_SECONDS", 8, 0.1, 60)
SMS_RECEIPT_KEY = env.str("SMS_RECEIPT_KEY", default="")
SMS_RECEIPT_NETWORKS = networks_of("SMS_RECEIPT_NETWORKS", [])
if SMS_RECEIPT_KEY:
    secrets.demand_strong({"SMS_RECEIPT_KEY": [SMS_RECEIPT_KEY]})
if PRODUCTION and SMS_RECEIPT_KEY and not SMS_RECEIPT_NETWORKS:
    raise ImproperlyConfigured("SMS_RECEIPT_NETWORKS names whom receipts come from, where SMS_RECEIPT_KEY is set.")
SMS_OUTBOX_FILE = path_of("SMS_OUTBOX_FILE", VAR_DIR / "outbox/sms.jsonl")
SMS_RETRY_SECONDS = env.float("SMS_RETRY_SECONDS", default=2.0)
SMS_GATEWAY_PAUSE_SECONDS = env.float("SMS_GATEWAY_PAUSE_SECONDS", default=30.0)
SMS_PRICE = env.float("SMS_PRICE", default=0.0)
SMS_WAIT_SECONDS = env.float("SMS_WAIT_SECONDS", default=3.0)
# sms/send and sms/verify, which the seed calls replaced
LEGACY_SMS = env.bool("LEGACY_SMS", default=True)
# The page that a reset link opens; `{token}` stands for the token
RESET_LINK = env.str("RESET_LINK", default=f"{BASE_URL}/reset-password?token={{token}}")
EMAIL_BACKEND = env.str(
    "EMAIL_BACKEND",
    default=f"django.core.mail.backends.{'smtp' if PRODUCTION else 'filebased'}.EmailBackend",
)
EMAIL_FILE_PATH = str(path_of("EMAIL_FILE_PATH", VAR_DIR / "outbox/mail"))
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="loyalty@localhost")

# The card pool
CARD_FILES_DIR = path_of("CARD_FILES_DIR", VAR_DIR / "sftp")
SFTP_URL = env.str("SFTP_URL", default="")
SFTP_KEY_FILE = env.str("SFTP_KEY_FILE", default="")
SFTP_HOST_KEY = env.str("SFTP_HOST_KEY", default="")
SFTP_TIMEOUT_SECONDS = env.float("SFTP_TIMEOUT_SECONDS", default=10.0)
if SFTP_URL and not (SFTP_URL.startswith("sftp://") and SFTP_KEY_FILE and len(SFTP_HOST_KEY.split()) > 1):
    raise ImproperlyConfigured("SFTP_URL is sftp://user@host/folder, and needs SFTP_KEY_FILE and SFTP_HOST_KEY.")
CARD_SPOOL_DIR = path_of("CARD_SPOOL_DIR", VAR_DIR / "spool")
CARD_FILE_LIMIT = env.int("CARD_FILE_LIMIT", default=2 * 1024**3)
CARD_IMPORT_LEASE_SECONDS = env.float("CARD_IMPORT_LEASE_SECONDS", default=120.0)
CARD_INBOX_SETTLE_SECONDS = env.float("CARD_INBOX_SETTLE_SECONDS", default=60.0)
POOL_LOW_CARDS = env.int("POOL_LOW_CARDS", default=1000)
POOL_LOW_DAYS = env.float("POOL_LOW_DAYS", default=7.0)
# Wechats/upload, which uploadCard replaces
LEGACY_UPLOAD = env.bool("LEGACY_UPLOAD", default=True)
POOL_WINDOW = env.int("POOL_WINDOW", default=10_000)

# Orders and rewards
ORDER_INBOX_DIR = path_of("ORDER_INBOX_DIR", VAR_DIR / "inbox")
RECONCILIATION_DIR = path_of("RECONCILIATION_DIR", VAR_DIR / "reconciliation")

# Limits. LIMITS_SCALE multiplies what counts per address, per client or over all; never what guards one secret.
LIMITS_SCALE = number_of("LIMITS_SCALE", 1, 0.001, 1_000_000)
PUBLIC_RATE = env.str("PUBLIC_RATE", default="120/min")
if not re.fullmatch(r"[1-9][0-9]*/(s|sec|min|h|hour|day)", PUBLIC_RATE, re.ASCII):
    raise ImproperlyConfigured("PUBLIC_RATE is a rate such as 120/min.")
READS_PER_CUSTOMER_MINUTE = env.int("READS_PER_CUSTOMER_MINUTE", default=120)
WRITES_PER_CUSTOMER_MINUTE = env.int("WRITES_PER_CUSTOMER_MINUTE", default=30)
REQUESTS_PER_CLIENT_MINUTE = env.int("REQUESTS_PER_CLIENT_MINUTE", default=600)
CREATE_PER_ADDRESS_HOUR = env.int("CREATE_PER_ADDRESS_HOUR", default=10)
USER_AVAILABLE_PER_ADDRESS_MINUTE = env.int("USER_AVAILABLE_PER_ADDRESS_MINUTE", default=20)
USER_AVAILABLE_PER_ADDRESS_DAY = env.int("USER_AVAILABLE_PER_ADDRESS_DAY", default=200)
LOGIN_PER_NAME_15MIN = env.int("LOGIN_PER_NAME_15MIN", default=10)
LOGIN_PER_ADDRESS_5MIN = env.int("LOGIN_PER_ADDRESS_5MIN", default=10)
CARD_PIN_PER_CARD_HOUR = env.int("CARD_PIN_PER_CARD_HOUR", default=10)
CARD_PIN_PER_CARD_DAY = env.int("CARD_PIN_PER_CARD_DAY", default=20)
CARD_PIN_PER_CARD_EVER = env.int("CARD_PIN_PER_CARD_EVER", default=100)
CARD_PIN_PER_ADDRESS_HOUR = env.int("CARD_PIN_PER_ADDRESS_HOUR", default=20)
CARD_ADDS_PER_CUSTOMER_DAY = env.int("CARD_ADDS_PER_CUSTOMER_DAY", default=20)
CARD_MISSES_PER_CUSTOMER_HOUR = env.int("CARD_MISSES_PER_CUSTOMER_HOUR", default=20)
REPLACEMENTS_PER_CUSTOMER_30DAYS = env.int("REPLACEMENTS_PER_CUSTOMER_30DAYS", default=2)
DISABLES_PER_CUSTOMER_DAY = env.int("DISABLES_PER_CUSTOMER_DAY", default=3)
PIN_LIFETIME_SECONDS = int(number_of("PIN_LIFETIME_SECONDS", 600, 30, 86_400))
PROOF_TOKEN_LIFETIME_SECONDS = env.int("PROOF_TOKEN_LIFETIME_SECONDS", default=900)
RESET_LINK_LIFETIME_SECONDS = env.int("RESET_LINK_LIFETIME_SECONDS", default=3600)
MOBILE_WINDOW_SECONDS = env.int("MOBILE_WINDOW_SECONDS", default=600)
TOKEN_TRIES_PER_ADDRESS_MINUTE = env.int("TOKEN_TRIES_PER_ADDRESS_MINUTE", default=20)
PASSWORD_TRIES_PER_CUSTOMER_MINUTE = env.int("PASSWORD_TRIES_PER_CUSTOMER_MINUTE", default=5)
PASSWORD_TRIES_PER_CUSTOMER_HOUR = env.int("PASSWORD_TRIES_PER_CUSTOMER_HOUR", default=10)
NEW_PHONES_PER_CUSTOMER_DAY = env.int("NEW_PHONES_PER_CUSTOMER_DAY", default=3)
PIN_TRIES_PER_PIN = env.int("PIN_TRIES_PER_PIN", default=5)
PIN_TRIES_PER_PHONE_HOUR = env.int("PIN_TRIES_PER_PHONE_HOUR", default=10)
PIN_TRIES_PER_PHONE_DAY = env.int("PIN_TRIES_PER_PHONE_DAY", default=50)
PIN_TRIES_IN_A_ROW = env.int("PIN_TRIES_IN_A_ROW", default=100)
SMS_PHONE_COOLDOWN_SECONDS = env.int("SMS_PHONE_COOLDOWN_SECONDS", default=60)
SMS_PER_PHONE_HOUR = env.int("SMS_PER_PHONE_HOUR", default=5)
SMS_PER_PHONE_DAY = env.int("SMS_PER_PHONE_DAY", default=10)
SMS_CARD_COOLDOWN_SECONDS = env.int("SMS_CARD_COOLDOWN_SECONDS", default=60)
SMS_PER_CARD_DAY = env.int("SMS_PER_CARD_DAY", default=5)
SMS_PER_ADDRESS_HOUR = env.int("SMS_PER_ADDRESS_HOUR", default=30)
SMS_PER_DAY = env.int("SMS_PER_DAY", default=100_000)
SMS_PER_CLIENT_DAY = env.int("SMS_PER_CLIENT_DAY", default=1000)
EMAIL_COOLDOWN_SECONDS = env.int("EMAIL_COOLDOWN_SECONDS", default=60)
EMAILS_PER_RECIPIENT_DAY = env.int("EMAILS_PER_RECIPIENT_DAY", default=5)
RESET_EMAILS_PER_ADDRESS_HOUR = env.int("RESET_EMAILS_PER_ADDRESS_HOUR", default=20)
NOTICES_PER_RECIPIENT_DAY = env.int("NOTICES_PER_RECIPIENT_DAY", default=20)
GETCARD_PER_CLIENT_MINUTE = env.int("GETCARD_PER_CLIENT_MINUTE", default=60)
GETCARD_PER_CLIENT_DAY = env.int("GETCARD_PER_CLIENT_DAY", default=10_000)
UPLOADS_PER_CLIENT_HOUR = env.int("UPLOADS_PER_CLIENT_HOUR", default=10)
FORCEGC_PER_CLIENT_MINUTE = env.int("FORCEGC_PER_CLIENT_MINUTE", default=6)
GETHEAP_PER_CLIENT_MINUTE = env.int("GETHEAP_PER_CLIENT_MINUTE", default=6)
RECORDHEAP_PER_CLIENT_MINUTE = env.int("RECORDHEAP_PER_CLIENT_MINUTE", default=2)

# Diagnostics
DIAGNOSTICS_DIR = path_of("DIAGNOSTICS_DIR", VAR_DIR / "diagnostics")
HEAP_FILES_KEPT = int(number_of("HEAP_FILES_KEPT", 10, 1, 1000))
HEAP_TRACE_SECONDS = number_of("HEAP_TRACE_SECONDS", 2, 0, 20)

# Static files, browsers
STATIC_URL = "/static/"
STATIC_ROOT = path_of("STATIC_ROOT", VAR_DIR / "static") if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Cookies are shared by every port of a host, so two local installations need names of their own.
_INSTALLATION = "" if PRODUCTION else "_" + hashlib.sha256(SECRET_KEY.encode()).hexdigest()[:8]
SESSION_COOKIE_NAME = f"sessionid{_INSTALLATION}"
CSRF_COOKIE_NAME = f"csrftoken{_INSTALLATION}"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("TLS_ENDS_AT_PROXY", default=False) else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "loyalty.logs.formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # One line a request is ours (loyalty.middleware); what Django would add are the same requests, paths included.
    "loggers": {
        "django.request": {"level": "CRITICAL"},
        "django.server": {"level": "CRITICAL"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "axes": {"level": "CRITICAL"},  # it names whom somebody tried; its rows have that, too
    },
}
