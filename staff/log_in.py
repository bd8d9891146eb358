"""Logging in with a password and the code of an authenticator; each of the staff has one of these at most."""

from typing import Any

import qrcode
from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminAuthenticationForm
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathImage


class TotpForm(OTPAdminAuthenticationForm):  # type: ignore[misc]
    """It takes the code of the only device that there is: nobody chooses one."""

    otp_device = otp_challenge = None
    otp_token = forms.CharField(
        label=_("Code"),
        help_text=_("Six digits, from your authenticator."),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def _chosen_device(self, user: Any) -> TOTPDevice | None:
        device: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
        return device

    def _update_form(self, user: Any) -> None:
        """There is nothing to choose."""


def renew(user: User) -> TOTPDevice:
    """A new secret for an authenticator; the former one is worth nothing from now on."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).delete()
        return TOTPDevice.objects.create(user=user, name="authenticator")


def picture(device: TOTPDevice) -> SafeString:
    """What an authenticator scans, as SVG."""
    image = qrcode.make(device.config_url, image_factory=SvgPathImage, box_size=12)
    drawn: str = image.to_string(encoding="unicode")
    return mark_safe(drawn)  # noqa: S308 (paths that the library drew)


def drawing(device: TOTPDevice) -> qrcode.QRCode:
    """The same for a terminal."""
    code = qrcode.QRCode()
    code.add_data(device.config_url)
    return code
