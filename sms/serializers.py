from typing import Any

from rest_framework import serializers

from loyalty.fields import CellPhone, Choice, Secret
from sms import legacy


class SendForm(serializers.Serializer[Any]):
    phoneNumber = CellPhone(source="phone")
    template = Choice(list(legacy.TEMPLATES), required=False, help_text="Left out: 20004.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "template" not in attrs:
            raise serializers.ValidationError({"template": "This field is required."}, code="required")
        return attrs


class VerifyForm(serializers.Serializer[Any]):
    phoneNumber = CellPhone(source="phone")
    captcha = Secret(max_length=20)
