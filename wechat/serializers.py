from typing import Any

from rest_framework import serializers

from loyalty.fields import Text
from wechat.card_files import DEFAULT_NAME


class NamedFileForm(serializers.Serializer[Any]):
    fileName = Text(source="file_name", default=DEFAULT_NAME, help_text="A file on the file server.", max_length=300)


class UploadForm(serializers.Serializer[Any]):
    fileName = serializers.FileField(required=False, help_text="A CSV file, or the name of one on the file server.")


class QueuedBatchSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    batchId = serializers.CharField()


class PoolCardSerializer(serializers.Serializer[Any]):
    msrCard = serializers.CharField(source="msr_card")
    pin = serializers.CharField()
    customerId = serializers.CharField(source="customer_id")
