"""The SMS desk: staff stop everything or allow some numbers only; figures and alarms where somebody should look."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django import Settings

from sms import outbox, tasks
from sms.models import Desk, Line, Message, Pin, Purpose, Template
from tests.conftest import PHONE, Api, Outbox, code_of, print_card
from tests.test_killed import database_url

SCRAPE = """
import django
django.setup()
from django.test import Client
from sms import tasks
tasks.watch_messages()
"""


@pytest.fixture
def staff(database: None) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("chief"))
    Desk.objects.get_or_create(pk=1)
    return client


def decide(staff: Client, **form: str) -> Any:
    return staff.post(reverse("admin:sms_desk_change", args=[1]), {"prefixes": "", **form}, follow=True)


def ask(api: Api, phone: str = PHONE) -> Any:
    asked = {"phoneNumber": phone, "template": "create-en", **print_card().credentials}
    return api.post("Customers/sms/sendRegisterPin", asked)


def page(staff: Client) -> str:
    text: str = staff.get(reverse("admin:sms_desk_change", args=[1])).content.decode()
    return text


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def alarms() -> set[str]:
    """What is wrong, as the metrics have it; the row that staff see must say the same."""
    tasks.watch_messages()
    wrong = {name for name in ("pins", "day", "waiting", "gateway") if gauge("loyalty_sms_alarm", alarm=name)}
    assert Desk.objects.get().alarms.keys() == wrong
    return wrong


def test_the_kill_switch_refuses_at_once_and_what_waits_goes_on_waiting(
    api: Api, staff: Client, sms_outbox: Outbox
) -> None:
    decide(staff, is_stopped="on")
    assert code_of(ask(api)) == 20002
    assert Message.objects.count() == 0
    greeting = outbox.queue(recipient=PHONE, template="welcome-en")
    stale = outbox.queue(recipient=PHONE, template="welcome-en", expires_at=timezone.now())
    assert [outbox.claim_due(), outbox.claim_due()] == [[], []]
    greeting.refresh_from_db()
    stale.refresh_from_db()
    assert (greeting.state, greeting.attempts, stale.state, stale.text) == ("queued", 0, "expired", "")
    assert sms_outbox.messages() == []
    decide(staff)
    outbox.wait(greeting)
    assert [entry["template"] for entry in sms_outbox.messages()] == ["welcome-en"]
    assert ask(api).status_code == 200


def test_numbers_that_are_not_allowed_get_nothing(api: Api, staff: Client, sms_outbox: Outbox) -> None:
    decide(staff, prefixes="139\n1381234")
    assert ask(api).status_code == 200
    assert code_of(ask(api, "13712345678")) == 20002
    greeting = outbox.queue(recipient="13712345678", template="welcome-en")
    assert sms_outbox.messages("13712345678") == []
    while greeting.state in ("queued", "sending"):
        greeting.refresh_from_db()
    assert (greeting.state, greeting.code, greeting.reason) == (
        "failed",
        20002,
        "The number is not among those allowed.",
    )


@pytest.mark.parametrize("wrong", ["+86", "138000000000", "１３８", "138 139"])
def test_what_is_no_beginning_of_a_number_is_told(staff: Client, wrong: str) -> None:
    assert "one a line, such as 138" in decide(staff, prefixes=wrong).content.decode()
    assert Desk.objects.get().prefixes == []


def pins(count: int, *, used: int = 0, age: int = 10, purpose: str = Purpose.CREATE) -> None:
    created = timezone.now() - timedelta(minutes=age)
    messages = Message.objects.bulk_create(
        Message(recipient=f"139{n:08}", template="create-en", state="sent", created_at=created) for n in range(count)
    )
    Pin.objects.bulk_create(
        Pin(
            purpose=purpose,
            recipient=f"{message.pk}",
            message=message,
            expires_at=created,
            used_at=timezone.now() if n < used else None,
        )
        for n, message in enumerate(messages)
    )


def test_pins_that_nobody_uses_raise_the_alarm(staff: Client) -> None:
    pins(199, used=50)
    assert alarms() == set()
    pins(1)
    assert alarms() == {"pins"}
    assert gauge("loyalty_sms_pins_used_ratio") == 0.25
    assert "fewer than 30% of the last 200 PINs were used" in page(staff)
    assert "50 of the last 200" in page(staff)
    pins(60, used=60)
    assert alarms() == set()


def test_pins_that_say_nothing_are_not_counted(staff: Client) -> None:
    pins(200, used=200)
    pins(200, age=1)  # time to type them is left
    pins(200, purpose=Purpose.CAPTCHA)  # never used up
    assert alarms() == set()
    assert gauge("loyalty_sms_pins_used_ratio") == 1


def test_the_daily_ceiling_is_announced_at_four_fifths(api: Api, staff: Client, settings: Settings) -> None:
    settings.SMS_PER_DAY = 5
    for number in range(3):
        assert ask(api, f"1390000000{number}").status_code == 200
    assert alarms() == set()
    assert ask(api, "13900000009").status_code == 200
    assert alarms() == {"day"}
    assert gauge("loyalty_sms_day_ratio") == 0.8
    assert "80%" in page(staff)


def test_a_gateway_that_fails_and_messages_that_wait_raise_alarms(
    staff: Client, caplog: pytest.LogCaptureFixture
) -> None:
    Line.objects.create(gateway="http", failures=3, closed_until=timezone.now())
    Message.objects.create(recipient=PHONE, template="x", created_at=timezone.now() - timedelta(seconds=61))
    assert alarms() == alarms() == {"gateway", "waiting"}
    raised = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(raised) == 2  # each once
    decide(staff, is_stopped="on")
    Line.objects.update(failures=0)
    assert alarms() == set()


@pytest.fixture
def shared_metrics(tmp_path: Path, database: None) -> dict[str, str]:
    """The environment of several processes whose metrics are one."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": django_settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }


def test_what_a_worker_finds_the_web_server_shows(shared_metrics: dict[str, str]) -> None:
    def run(script: str) -> str:
        command = [sys.executable, "-c", script]
        return subprocess.run(
            command, env=shared_metrics, cwd=django_settings.BASE_DIR, check=True, capture_output=True, text=True
        ).stdout

    pins(200, used=50)
    run(SCRAPE)
    pins(100, used=100)
    run(SCRAPE)
    shown = run(SCRAPE.replace("tasks.watch_messages()", "print(Client().get('/metrics').content.decode())"))
    assert "loyalty_sms_pins_used_ratio 0.5\n" in shown
    assert 'loyalty_sms_alarm{alarm="pins"} 0.0\n' in shown


# Texts of the provider


def test_a_template_names_the_providers_own(staff: Client) -> None:
    template = Template.objects.get(channel="sms", key="create-en")
    url = reverse("admin:sms_template_change", args=[template.pk])
    form = {"text": template.text, "provider_code": "SMS_100"}
    try:
        for wrong in ("code=password", "pin, pin", "code=pin, code=minutes", "=pin", "pin;minutes", "co-de=pin"):
            answer = staff.post(url, {**form, "provider_variables": wrong})
            assert list(answer.context["adminform"].form.errors) == ["provider_variables"], wrong
        staff.post(url, {**form, "provider_variables": "minutes, code = pin"})
        template.refresh_from_db()
        assert list(template.for_provider({"pin": "1", "minutes": "10"}).items()) == [("minutes", "10"), ("code", "1")]
        assert "SMS_100(minutes=10, code=123456)" in staff.get(url).content.decode()
    finally:
        Template.objects.filter(pk=template.pk).update(provider_code="", provider_variables="")
