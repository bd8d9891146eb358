"""The customer's forms and answers, under the seed's names."""

import unicodedata
from typing import Any

from rest_framework import serializers

from customers.models import Member, login_key
from customers.siebel import Customer
from loyalty import errors, phones
from loyalty.answers import SuccessSerializer
from loyalty.fields import CardNumber, CardPin, CellPhone, Choice, Day, Email, Flag, Lines, Number, Secret, Text


def optional(kind: type[Text], source: str | None = None, *, max_length: int = 100) -> Text:
    """A field that may be left out, null or empty, which all mean nothing."""
    return kind(source=source, max_length=max_length, required=False, allow_null=True, allow_blank=True)


class ProfileForm(serializers.Serializer[Any]):
    """What a customer may say of himself."""

    userName = Text(source="user_name")
    email = Email()
    firstName = Text(source="first_name")
    lastName = Text(source="last_name")
    gender = Choice(["Male", "Female"], required=False, allow_null=True, allow_blank=True)
    birthday = Day(past_only=True)
    primaryCountry = optional(Text, "primary_country")
    primaryState = optional(Text, "primary_state")
    primaryCity = optional(Text, "primary_city")
    primaryZip = optional(Text, "primary_zip", max_length=20)
    primaryAddress = optional(Text, "primary_address", max_length=300)
    hobbies = optional(Text, max_length=500)
    language = Choice(["CHS", "ENU"])
    notes = optional(Lines, max_length=2000)
    favouriteProduct = optional(Text, "favourite_product")
    favouriteProductAlternate = optional(Text, "favourite_product_alternate")
    cellPhone = CellPhone(source="cell_phone", allow_blank=True, help_text="Empty: 20003.")
    homePhone = optional(Text, "home_phone", max_length=30)
    workPhone = optional(Text, "work_phone", max_length=30)
    fax = optional(Text, max_length=30)
    SourceCode = optional(Text, "source_code", max_length=30)
    optOut = Number(source="opt_out", min_value=0, max_value=2, required=False, allow_null=True)
    cellPhoneValidFlag = Secret(
        source="cell_phone_valid_flag",
        max_length=20,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="The PIN that was sent to cellPhone.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        name, email = attrs.get("user_name", ""), attrs.get("email", "")
        if "@" in login_key(name) and login_key(name) != login_key(email):
            raise serializers.ValidationError({"userName": ["With an @ it can only be the e-mail address itself."]})
        if any(unicodedata.category(sign) == "Cf" for sign in name):  # two names that look alike
            raise serializers.ValidationError({"userName": ["It has characters that nobody sees."]})
        if len(login_key(name)) > Member.USER_NAME_KEY_LENGTH:
            raise serializers.ValidationError({"userName": ["It is too long."]})
        if attrs.get("cell_phone") == "":
            raise errors.MissingNo
        return attrs


class CustomerCreateForm(ProfileForm):
    password = Secret(max_length=128)
    cardNumber = CardNumber(source="card_number")
    cardPassword = CardPin(source="card_password")


class UpdateForm(ProfileForm):
    phoneToken = optional(Text, "phone_token", max_length=200)
    emailToken = optional(Text, "email_token", max_length=200)


class PatchForm(UpdateForm):
    """Any of UpdateForm's fields and no other; what is required there may be left out here, not emptied."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields

    def to_internal_value(self, data: Any) -> Any:
        found: dict[str, Any] = {name: ["No such field."] for name in data if name not in {*self.fields, "httpCtx"}}
        value: Any = {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            codes: Any = error.get_codes()
            if not found and set(codes) == {"email"} and codes["email"][0] not in ("invalid", "null"):
                raise errors.UnexpectedError from None
            found |= error.detail  # type: ignore[arg-type]
        if found:
            raise serializers.ValidationError(found)
        return value


class LoginForm(serializers.Serializer[Any]):
    user = Text(max_length=254, help_text="User name or e-mail address.")
    password = Secret()


class UserForm(serializers.Serializer[Any]):
    user = Text(max_length=254, help_text="User name or e-mail address.")


class CreatedSerializer(SuccessSerializer):
    customerId = serializers.CharField()


class SessionSerializer(serializers.Serializer[Any]):
    """`expiresIn` is in seconds."""

    customerId = serializers.CharField(source="customer_id")
    token = serializers.CharField()
    expiresIn = serializers.IntegerField(source="expires_in")


class CustomerSerializer(serializers.Serializer[Customer]):
    """What is not known is null."""

    customerId = serializers.CharField(source="customer_id")
    status = serializers.CharField()
    userName = serializers.CharField(source="profile.user_name", allow_null=True)
    email = serializers.CharField(source="profile.email", allow_null=True)
    firstName = serializers.CharField(source="profile.first_name", allow_null=True)
    lastName = serializers.CharField(source="profile.last_name", allow_null=True)
    gender = serializers.ChoiceField(["Male", "Female"], source="profile.gender", allow_null=True)
    birthday = Day(source="profile.birthday", allow_null=True)
    primaryCountry = serializers.CharField(source="profile.primary_country", allow_null=True)
    primaryState = serializers.CharField(source="profile.primary_state", allow_null=True)
    primaryCity = serializers.CharField(source="profile.primary_city", allow_null=True)
    primaryZip = serializers.CharField(source="profile.primary_zip", allow_null=True)
    primaryAddress = serializers.CharField(source="profile.primary_address", allow_null=True)
    hobbies = serializers.CharField(source="profile.hobbies", allow_null=True)
    language = serializers.ChoiceField(["CHS", "ENU"], source="profile.language", allow_null=True)
    notes = serializers.CharField(source="profile.notes", allow_null=True)
    favouriteProduct = serializers.CharField(source="profile.favourite_product", allow_null=True)
    favouriteProductAlternate = serializers.CharField(source="profile.favourite_product_alternate", allow_null=True)
    cellPhone = serializers.RegexField(phones.PATTERN, source="profile.cell_phone", allow_null=True)
    homePhone = serializers.CharField(source="profile.home_phone", allow_null=True)
    workPhone = serializers.CharField(source="profile.work_phone", allow_null=True)
    fax = serializers.CharField(source="profile.fax", allow_null=True)
    SourceCode = serializers.CharField(source="profile.source_code", allow_null=True)
    optOut = serializers.IntegerField(source="profile.opt_out", allow_null=True)
    emailVerified = serializers.BooleanField(source="email_verified")
    cellPhoneVerified = serializers.BooleanField(source="cell_phone_verified")
    registeredDate = Day(source="registered_date", allow_null=True)
    starBalance = serializers.IntegerField(source="star_balance")
    svc = serializers.CharField(allow_null=True, help_text="The last SVC balance reference.")


class ReasonForm(serializers.Serializer[Any]):
    reason = Text(max_length=200)


class OptForm(serializers.Serializer[Any]):
    communicationType = Choice(
        ["0", "1", "2"],
        source="opt_out",
        default=None,
        allow_null=True,
        allow_blank=True,
        help_text="0 allow, 1 not allow, 2 not allow third party. Left out: the reason alone is noted.",
    )
    reason = Text(max_length=200, default=None, allow_null=True, allow_blank=True)


class AddressForm(serializers.Serializer[Any]):
    country = optional(Text)
    state = optional(Text)
    city = optional(Text)
    zip = optional(Text, max_length=20)
    address = Text(max_length=300)
    isPrimary = Flag(source="is_primary", required=False, allow_null=True)
    contactName = optional(Text, "contact_name")
    contactPhone = optional(Text, "contact_phone", max_length=30)


class AddressSerializer(serializers.Serializer[Any]):
    addressId = serializers.CharField(source="address_id")
    country = serializers.CharField(allow_null=True)
    state = serializers.CharField(allow_null=True)
    city = serializers.CharField(allow_null=True)
    zip = serializers.CharField(allow_null=True)
    address = serializers.CharField(allow_null=True)
    isPrimary = serializers.BooleanField(source="is_primary")
    contactName = serializers.CharField(source="contact_name", allow_null=True)
    contactPhone = serializers.CharField(source="contact_phone", allow_null=True)
