"""The answer that says no more than that it was done."""

from typing import Any

from rest_framework import serializers

SUCCESS = {"success": True}


class SuccessSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
