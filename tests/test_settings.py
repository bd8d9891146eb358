"""How the service starts, and how it refuses to: by its environment alone, so in processes of their own."""

import json
import os
import re
import runpy
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from loyalty import business_services

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION: dict[str, str] = runpy.run_path(str(ROOT / "bin/production_settings.py"))["SETTINGS"]
SHOW = "import json; from django.conf import settings; print(json.dumps({shown}))"
LOAD_EACH = """
import json, os, runpy, sys
from django.core.exceptions import ImproperlyConfigured
for environment in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(environment)
    try:
        runpy.run_path("config/settings.py")
        print(json.dumps("started"))
    except ImproperlyConfigured as error:
        print(json.dumps(str(error)))
"""


def start(
    environment: dict[str, str], *command: str, told: str = "", cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.run(
        [sys.executable, *command],
        env={**bare, **environment},
        cwd=cwd,
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )


def shown(environment: dict[str, str], what: str) -> Any:
    """What a process of this environment has in its settings."""
    done = start(environment, "-c", SHOW.format(shown=what))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


STRONG = PRODUCTION["SECRET_KEY"]
SECRETS = ("SECRET_KEY", "PIN_KEYS", "PIN_PEPPERS")
REFUSED = {
    "SECRET_KEY": ["", "short", "a" * 50, "abcabcabc" * 5],
    "SECRET_KEY_FALLBACKS": ["short", f"{STRONG},short"],
    "PIN_KEYS": ["", "short", f"{PRODUCTION['PIN_KEYS']},short", STRONG, PRODUCTION["PIN_KEYS"][:-4]],
    "PIN_PEPPERS": ["", "0123456789" * 3],
    "ALLOWED_HOSTS": ["", "*", "loyalty.example,*"],
    "DATABASE_URL": ["", "sqlite:////tmp/loyalty.sqlite3"],
    "REDIS_URL": [""],
    "CELERY_BROKER_URL": [""],
    "DEBUG": ["true"],
    "ENVIRONMENT": ["staging"],
    "SIEBEL_TRANSPORT": ["nobody"],
    "TRUSTED_PROXIES": ["10.0.0.0/33"],
    "OPEN_NETWORKS": ["10.0.0.0/8,office"],
    "PUBLIC_RATE": ["120", "many/min", "120/fortnight"],
    "SIEBEL_DEADLINE_SECONDS": ["20.5", "0", "soon"],
    "SIEBEL_LOGIN": ["", "kerberos"],
    "SIEBEL_SERVICES": ["Loyalty Card", '["Loyalty Card"]', '{"Loyalty Card": 1}'],
    "SIEBEL_CODES": ['{"SBL-LOY-00042": 402}'],
    "SIEBEL_DATE_FORMAT": ["%d.%m.%y"],
    "SIEBEL_BREAKER_CALLS": ["1"],
    "SIEBEL_BREAKER_SECONDS": ["0"],
    "SIEBEL_CONNECT_SECONDS": ["60"],
    "SIEBEL_STALE_SECONDS": ["0"],
    "SIEBEL_STALE_METHODS": ["Loyalty Member.CheckPassword", "Loyalty Card.Validate"],
    "HEAP_TRACE_SECONDS": ["30"],
    "HEAP_FILES_KEPT": ["0"],
    "IDEMPOTENCY_LEASE_SECONDS": ["1"],
    "SFTP_URL": ["sftp://loyalty@files.example/cards"],
    "SMS_RECEIPT_NETWORKS": ["10.0.0.0/33"],
    "SMS_GATEWAY": ["", "local", "nobody"],
    "SMS_URL": ["", "http://sms.example/send"],
    "SMS_ACCESS_KEY": [""],
    "SMS_SECRET_KEY": [""],
    "SMS_RECEIPT_KEY": ["short", STRONG],  # a strong one without networks
}


def test_production_does_not_start_on_a_missing_or_weak_value() -> None:
    cases = [(name, value) for name, values in REFUSED.items() for value in values]
    loaded = start({}, "-c", LOAD_EACH, told=json.dumps([PRODUCTION, *({**PRODUCTION, n: v} for n, v in cases)]))
    assert loaded.returncode == 0, loaded.stderr
    good, *bad = map(json.loads, loaded.stdout.splitlines())
    assert good == "started"
    for (name, value), reason in zip(cases, bad, strict=True):
        assert name in reason, (name, value)
        assert len(value) < 5 or name not in SECRETS or value not in reason


def test_every_process_reads_dotenv(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / ".env").write_text("ENVIRONMENT=production\nPORT=8765\nWEB_CONCURRENCY=3\n")
    run = start({}, "-m", "config.embedded", cwd=tmp_path)
    assert run.returncode == 1
    assert "make run is for a local installation" in run.stderr
    show = "from config import gunicorn; print(gunicorn.bind, gunicorn.workers)"
    assert start({}, "-c", show, cwd=tmp_path).stdout == "127.0.0.1:8765 3\n"
    assert start({"PORT": "8766"}, "-c", show, cwd=tmp_path).stdout == "127.0.0.1:8766 3\n"


@pytest.mark.parametrize(
    ("gateway", "needed"), [("aliyun", "SMS_SIGN_NAME"), ("tencent", "SMS_SIGN_NAME, SMS_TENCENT_APP_ID")]
)
def test_a_gateway_is_not_chosen_without_what_it_needs(gateway: str, needed: str) -> None:
    end = start({"SMS_GATEWAY": gateway, "SMS_ACCESS_KEY": "a", "SMS_SECRET_KEY": "b"}, "manage.py", "check")
    assert f"The gateway {gateway} needs {needed}." in end.stderr


OVER_THE_WIRE = {"SIEBEL_TRANSPORT": "rest", "SIEBEL_USER": "shop", "SIEBEL_PASSWORD": "word"}
OVER_THE_WIRE["SIEBEL_URL"] = "https://siebel.example"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SIEBEL_URL": ""}, "The transport rest needs SIEBEL_URL."),
        ({"SIEBEL_USER": "", "SIEBEL_PASSWORD": ""}, "The transport rest needs SIEBEL_USER, SIEBEL_PASSWORD."),
        ({"SIEBEL_LOGIN": "oauth"}, "The transport rest needs SIEBEL_TOKEN_URL."),
        ({"SIEBEL_URL": "http://siebel.example"}, "start with https://"),
        ({"SIEBEL_LOGIN": "oauth", "SIEBEL_TOKEN_URL": "http://login.example"}, "start with https://"),
        ({"WEB_THREADS": "4"}, "SIEBEL_MAX_CONNECTIONS is below WEB_THREADS"),
        ({"SIEBEL_MAX_CONNECTIONS": "0"}, "SIEBEL_MAX_CONNECTIONS"),
        ({}, ""),
    ],
)
def test_a_siebel_is_not_chosen_without_what_it_needs(changes: dict[str, str], said: str) -> None:
    end = start({**PRODUCTION, **OVER_THE_WIRE, **changes}, "-c", SHOW.format(shown="settings.WEB_THREADS"))
    assert said in end.stderr
    assert (end.returncode == 0) is (not said)


def test_siebelserver_is_not_for_production() -> None:
    assert "not for production" in start(dict(PRODUCTION), "manage.py", "siebelserver").stderr


def test_a_refused_start_ends_with_an_error() -> None:
    end = start({**PRODUCTION, "SECRET_KEY": ""}, "manage.py", "check")
    assert end.returncode != 0
    assert "SECRET_KEY is missing or weak" in end.stderr


def test_production_is_closed() -> None:
    said = shown(
        {**PRODUCTION, "PASSWORD_COST": "test"},
        "[settings.DEBUG, settings.OPEN_NETWORKS, settings.ALLOWED_HOSTS, 'demo' in settings.INSTALLED_APPS,"
        " settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_SSL_REDIRECT,"
        " settings.PASSWORD_HASHERS[0]]",
    )
    assert said == [False, [], ["loyalty.example"], False, True, True, True, "loyalty.passwords.Argon2idHasher"]


def test_secrets_are_read_from_files_and_the_variable_wins(tmp_path: Path) -> None:
    names = ("SECRET_KEY", "PIN_KEYS", "PIN_PEPPERS", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
    for name in names:
        (tmp_path / name).write_text(f"{PRODUCTION[name]}\n")
    environment = {name: value for name, value in PRODUCTION.items() if name not in names}
    environment |= {f"{name}_FILE": str(tmp_path / name) for name in names}
    what = (
        "[settings.SECRET_KEY, settings.PIN_KEYS, settings.PIN_PEPPERS, settings.REDIS_URL, settings.CELERY_BROKER_URL]"
    )
    secret, *others = shown(environment, what)
    assert secret == STRONG
    assert others == [
        [PRODUCTION["PIN_KEYS"]],
        [PRODUCTION["PIN_PEPPERS"]],
        PRODUCTION["REDIS_URL"],
        PRODUCTION["CELERY_BROKER_URL"],
    ]
    assert shown({**environment, "SECRET_KEY": STRONG[::-1]}, what)[0] == STRONG[::-1]


def test_a_secret_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    environment = {name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"}
    end = start(
        {**environment, "SECRET_KEY_FILE": str(tmp_path / "nothing")}, "-c", SHOW.format(shown="settings.DEBUG")
    )
    assert end.returncode != 0
    assert str(tmp_path / "nothing") in end.stderr


def test_a_local_installation_makes_its_own_secrets_once_for_its_owner_only(tmp_path: Path) -> None:
    local, what = {"VAR_DIR": str(tmp_path / "var")}, "[settings.SECRET_KEY, settings.PIN_KEYS, settings.PIN_PEPPERS]"
    first, second = shown(local, what), shown(local, what)
    assert first == second
    assert len({first[0], *first[1], *first[2]}) == 3
    assert stat.S_IMODE((tmp_path / "var/local.env").stat().st_mode) == 0o600
    assert shown({"VAR_DIR": str(tmp_path / "other")}, what) != first


def test_production_takes_no_local_secrets(tmp_path: Path) -> None:
    (tmp_path / "local.env").write_text(f"SECRET_KEY={STRONG}\n")
    end = start({**PRODUCTION, "SECRET_KEY": "", "VAR_DIR": str(tmp_path)}, "-c", SHOW.format(shown="settings.DEBUG"))
    assert "SECRET_KEY is missing" in end.stderr


def test_demo_data_is_never_made_in_production(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="never made in production"):
        call_command("demo_data")
    assert start(dict(PRODUCTION), "manage.py", "demo_data").returncode != 0


# Documentation


def test_siebel_md_names_every_method_of_every_business_service() -> None:
    rows = [line.split("|")[1:3] for line in (ROOT / "docs/siebel.md").read_text().splitlines() if line.count("|") > 4]
    named, service = set(), ""
    for first, methods in rows:
        service = first.strip() or service
        named |= {(service, method) for method in re.split(r"[,;] ", methods.strip())}
    assert set(business_services.methods()) <= named


def test_env_example_names_every_setting_and_no_other() -> None:
    sources = (
        "config/settings.py",
        "config/gunicorn.py",
        "config/embedded.py",
        "config/celery.py",
        "loyalty/metrics.py",
    )
    text = "".join((ROOT / source).read_text() for source in sources)
    read = set(re.findall(r'(?:env\.\w+|path_of|networks_of|number_of|texts_of|environ\.get)\(\s*"([A-Z_0-9]+)"', text))
    named = set(re.findall(r"^(?:# )?([A-Z_0-9]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == read
