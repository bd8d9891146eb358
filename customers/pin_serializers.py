"""The forms and answers of operations that send PINs, check them, and set passwords."""

from typing import Any

from rest_framework import serializers

from loyalty import errors
from loyalty.access import CUSTOMER_HEADER
from loyalty.answers import SuccessSerializer
from loyalty.fields import CardNumber, CardPin, CellPhone, Choice, Email, Secret, Text


def user(**kwargs: Any) -> Text:
    return Text(max_length=254, help_text="User name or e-mail address.", **kwargs)


def pin() -> Secret:
    return Secret(source="pin", max_length=20, help_text="The PIN that was sent.")


def ticket() -> Text:
    return Text(
        required=False, allow_blank=True, help_text="The one that log-in's 3099 carried: allows a number not on file."
    )


class RegisterPinForm(serializers.Serializer[Any]):
    phoneNumber = CellPhone(source="phone")
    template = Choice(["create-cn", "create-en"])
    cardNumber = CardNumber(source="card_number")
    cardPassword = CardPin(source="card_password")


class OldPhonePinForm(serializers.Serializer[Any]):
    template = Choice(["update-cn", "update-en"])


class UpdatePinForm(OldPhonePinForm):
    phoneNumber = CellPhone(source="phone")


class CaptchaForm(serializers.Serializer[Any]):
    captcha = pin()


class EmailPinForm(serializers.Serializer[Any]):
    pinCode = pin()


class MobilePinForm(serializers.Serializer[Any]):
    phoneNumber = CellPhone(source="phone")
    template = Choice(["verify-cn", "verify-en"])
    user = user()
    ticket = ticket()


class VerifyMobileForm(serializers.Serializer[Any]):
    left_out = {"cellPhoneValidFlag": errors.CaptchaRequired}

    phoneNumber = CellPhone(source="phone")
    cellPhoneValidFlag = pin()
    user = user()
    ticket = ticket()


class PasswordPinForm(serializers.Serializer[Any]):
    phoneNumber = CellPhone(source="phone")
    template = Choice(["password-cn", "password-en"])
    user = user(required=False, allow_blank=True)


class VerifyPasswordPinForm(serializers.Serializer[Any]):
    phoneNumber = CellPhone(source="phone")
    cellPhoneValidFlag = pin()
    user = user(required=False, allow_blank=True)


class PasswordForm(serializers.Serializer[Any]):
    password = Secret(help_text="The current one.")
    newPassword = Secret(source="new_password")


class ResetForm(serializers.Serializer[Any]):
    token = Text(max_length=200)
    newPassword = Secret(source="new_password")


class EmailForm(serializers.Serializer[Any]):
    email = Email()


class TokenSerializer(SuccessSerializer):
    token = serializers.CharField(help_text="Good for one use within 15 minutes.")


class CustomerIdSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {CUSTOMER_HEADER: serializers.CharField(), **super().get_fields()}


class CustomerTokenSerializer(CustomerIdSerializer):
    token = serializers.CharField(help_text="Good for one use within 15 minutes.")
