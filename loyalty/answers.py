"""Answers that more than one operation gives."""

from typing import Any

from rest_framework import serializers

SUCCESS = {"success": True}


class SuccessSerializer(serializers.Serializer[Any]):
    """It was done, no more."""

    success = serializers.BooleanField()


class DataSerializer(serializers.Serializer[Any]):
    """Text for whoever looks after the system."""

    data = serializers.CharField()  # type: ignore[assignment]  # DRF takes fields out of their class
