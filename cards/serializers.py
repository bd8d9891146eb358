from typing import Any

from rest_framework import serializers

from loyalty.fields import CardNumber, CardPin, Choice, Day, Text, YesNo


class CardPinForm(serializers.Serializer[Any]):
    cardNumber = CardNumber(source="card_number")
    pin = CardPin()


class CardNumberForm(serializers.Serializer[Any]):
    cardNumber = CardNumber(source="card_number")


class AddForm(CardPinForm):
    makeLive = YesNo(source="make_live", help_text="Make it the live card. The first card always is.")


class DeleteForm(CardNumberForm):
    reason = Text(max_length=200)


class LostForm(CardNumberForm):
    reasonCode = Choice(["Lost", "Stolen", "Damaged"], source="reason_code")
    sendReplacement = YesNo(source="send_replacement", help_text="Send a card of the pool in its place.")


class CardStateSerializer(serializers.Serializer[Any]):
    """`stateCode`: CardActive, CardNotFound, CardAlreadyRegistered, CardExpiredOrCancelled or CardInactive."""

    cardNumber = serializers.CharField(source="card_number")
    state = serializers.CharField()
    stateCode = serializers.CharField(source="state_code")


class CardSerializer(serializers.Serializer[Any]):
    cardNumber = serializers.CharField(source="card_number")
    status = serializers.CharField()
    isLive = serializers.BooleanField(source="is_live")
    endDate = Day(source="end_date", allow_null=True)
    registeredDate = Day(source="registered_date", allow_null=True)
    replacedBy = serializers.CharField(source="replaced_by", allow_null=True)
    reason = serializers.CharField(allow_null=True)
