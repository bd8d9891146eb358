"""How staff get in: with a password and an authenticator's code, and not too many wrong ones."""

import io
import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from staff.models import StaffAction

PASSWORD = "correct horse battery"


@pytest.fixture
def ann(database: None, settings: Settings) -> User:
    settings.STAFF_TOTP = True
    return User.objects.create_superuser("ann", password=PASSWORD)


def enter(client: Client | None = None, **answers: str) -> Any:
    form = {"username": "ann", "password": PASSWORD, "next": "/admin/", **answers}
    return (client or Client()).post("/admin/login/", form)


def enrol(name: str = "ann") -> str:
    """The code of a new authenticator, set up as operators do."""
    said = io.StringIO()
    call_command("staff_totp", name, stdout=said)
    assert re.search(r"otpauth://totp/Loyalty%3Aann\?secret=\w+", said.getvalue())
    return code_of(TOTPDevice.objects.get(user__username=name))


def code_of(device: TOTPDevice) -> str:
    return f"{totp(device.bin_key):06}"


def test_a_password_and_a_code_get_in(ann: User) -> None:
    client = Client()
    assert enter(client, otp_token=enrol()).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_password_alone_does_not(ann: User) -> None:
    client = Client()
    assert 'name="otp_token"' in client.get("/admin/login/").content.decode()
    assert enter(client).status_code == 200  # nobody has an authenticator yet
    code = enrol()
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert [enter(client, otp_token=token).status_code for token in ("", "abcdef", wrong)] == [200] * 3
    assert client.get("/admin/").status_code == 302
    client.force_login(ann)  # however a session came about
    assert client.get("/admin/").status_code == 302


def test_a_code_counts_once_and_for_its_owner(ann: User) -> None:
    code = enrol()
    assert enter(otp_token=code).status_code == 302
    assert enter(otp_token=code).status_code == 200
    User.objects.create_superuser("ben", password=PASSWORD)
    device = TOTPDevice.objects.get()
    TOTPDevice.objects.update(last_t=-1)
    answer = enter(username="ben", otp_token=code_of(device), otp_device=device.persistent_id)
    assert answer.status_code == 200


def test_wrong_codes_are_slowed_down(ann: User) -> None:
    code = enrol()
    enter(otp_token="000000" if code != "000000" else "000001")
    TOTPDevice.objects.update(throttling_failure_count=20)
    assert enter(otp_token=code).status_code == 200


def test_locally_the_password_is_enough(ann: User, settings: Settings) -> None:
    settings.STAFF_TOTP = False
    client = Client()
    assert "otp_token" not in client.get("/admin/login/").content.decode()
    assert enter(client).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_who_fails_too_often_waits_and_nobody_else_does(ann: User, settings: Settings) -> None:
    settings.STAFF_TOTP = False
    codes = [enter(password="wrong").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 200, 429]
    assert "Too many wrong passwords" in enter().content.decode()
    User.objects.create_superuser("ben", password=PASSWORD)
    ben = Client()
    assert enter(ben, username="ben").status_code == 302
    body = {"action": "unlock", "_selected_action": ann.pk}
    assert "They may try again." in ben.post("/admin/auth/user/", body, follow=True).content.decode()
    assert enter().status_code == 302


def test_unknown_names_wait_alike(ann: User) -> None:
    assert [enter(username="nobody").status_code for _ in range(5)] == [200, 200, 200, 200, 429]


def test_a_superuser_makes_somebody_a_new_authenticator(ann: User, settings: Settings) -> None:
    settings.STAFF_TOTP = False
    client = Client()
    client.force_login(ann)
    old = enrol()
    url = f"/admin/auth/user/{ann.pk}/authenticator/"
    assert url in client.get(f"/admin/auth/user/{ann.pk}/change/").content.decode()
    assert "otpauth://" not in client.get(url).content.decode()
    assert code_of(TOTPDevice.objects.get()) == old or time.time() % 30 < 2
    shown = client.post(url).content.decode()
    assert "<svg" in shown
    device = TOTPDevice.objects.get()
    assert device.config_url.replace("&", "&amp;") in shown
    assert device.key not in str(StaffAction.objects.values())
    settings.STAFF_TOTP = True
    assert enter(otp_token=code_of(device)).status_code == 302


def test_an_authenticator_is_for_staff_alone(ann: User) -> None:
    with pytest.raises(CommandError, match="no such member of staff"):
        call_command("staff_totp", "nobody")
    clerk = User.objects.create_user("clerk", is_staff=True)
    client = Client()
    client.force_login(clerk)
    assert client.post(f"/admin/auth/user/{ann.pk}/authenticator/").status_code in (302, 403)
    assert not TOTPDevice.objects.exists()
