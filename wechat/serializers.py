from typing import Any

from rest_framework import serializers

from wechat.card_files import DEFAULT_NAME


class FileName(serializers.CharField):
    """Text to the letter, control characters included: whether it names a card file, the storage says."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)
        self.validators = []

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class NamedFileForm(serializers.Serializer[Any]):
    fileName = FileName(source="file_name", default=DEFAULT_NAME, help_text="A file on the file server.")


class UploadForm(serializers.Serializer[Any]):
    fileName = serializers.FileField(required=False, help_text="A CSV file, or the name of one on the file server.")


class WechatUploadForm(serializers.Serializer[Any]):
    wechatFile = serializers.FileField(help_text="A CSV file.")


class QueuedBatchSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    batchId = serializers.CharField()


class PoolCardSerializer(serializers.Serializer[Any]):
    msrCard = serializers.CharField(source="msr_card")
    pin = serializers.CharField()
    customerId = serializers.CharField(source="customer_id")
