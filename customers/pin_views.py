"""Operations that send PINs and check them."""

from rest_framework.response import Response

from customers import channels, mobile, registration
from customers.pin_serializers import (
    CaptchaForm,
    EmailPinForm,
    MobilePinForm,
    OldPhonePinForm,
    RegisterPinForm,
    TokenSerializer,
    UpdatePinForm,
    VerifyMobileForm,
)
from loyalty import errors
from loyalty.access import CUSTOMER, PUBLIC
from loyalty.answers import SUCCESS, SuccessSerializer
from loyalty.idempotency import Replays
from loyalty.operations import ApiRequest, OperationViewSet, operation
from sms import outbox


class PinViewSet(OperationViewSet):
    @operation(
        "POST",
        "Customers/sms/sendRegisterPin",
        tag="Customer",
        access=PUBLIC,
        form=RegisterPinForm,
        answer=SuccessSerializer,
        sms=True,
        refuses=registration.PIN_REFUSALS,
    )
    def send_register_pin(self, request: ApiRequest) -> Response:
        """Send a register PIN to a cell phone.

        Only to who knows a free card's own PIN. Too many messages to the same card or phone are refused with 40001 and
        `Retry-After`.
        """
        registration.send_pin(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/sms/sendUpdatePin",
        tag="Customer",
        access=CUSTOMER,
        form=UpdatePinForm,
        answer=SuccessSerializer,
        sms=True,
        refuses=[*channels.SEND_REFUSALS, errors.PhoneNotValid, errors.MissingNo, errors.InvalidMemberID],
    )
    def send_update_pin(self, request: ApiRequest) -> Response:
        """Send an update PIN to the cell phone that a customer wants to change to.

        It goes with the change as `cellPhoneValidFlag`.
        """
        channels.send_update_pin(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/sms/sendOldPhonePin",
        tag="Customer",
        access=CUSTOMER,
        form=OldPhonePinForm,
        answer=SuccessSerializer,
        sms=True,
        refuses=[*channels.SEND_REFUSALS, errors.MemberNotFound],
    )
    def send_old_phone_pin(self, request: ApiRequest) -> Response:
        """Send an update PIN to the customer's cell phone on file.

        verifyForToken takes it.
        """
        channels.send_old_phone_pin(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/sms/verifyForToken",
        tag="Customer",
        access=CUSTOMER,
        replays=Replays.NEVER,
        form=CaptchaForm,
        answer=TokenSerializer,
        sms=True,
        refuses=[
            *outbox.REFUSALS,
            errors.WrongCaptcha,
            errors.MissingCaptcha,
            errors.FrequentVerify,
            errors.MemberNotFound,
        ],
    )
    def verify_for_token(self, request: ApiRequest) -> Response:
        """Turn the PIN of sendOldPhonePin into a token.

        It goes with a changed cell phone or e-mail address as `phoneToken`.
        """
        token = channels.verify_old_phone(**self.form(request), caller=request.caller)
        return Response({**SUCCESS, "token": token})

    @operation(
        "POST",
        "Customers/sendEmailPin",
        tag="Customer",
        access=CUSTOMER,
        answer=SuccessSerializer,
        refuses=[errors.RegisterSMSTooFrenquently, errors.MemberNotFound],
    )
    def send_email_pin(self, request: ApiRequest) -> Response:
        """Send a PIN to the customer's e-mail address on file.

        verifyEmailPin takes it.
        """
        channels.send_email_pin(caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/verifyEmailPin",
        tag="Customer",
        access=CUSTOMER,
        replays=Replays.NEVER,
        form=EmailPinForm,
        answer=TokenSerializer,
        refuses=[
            errors.IncorrectPin,
            errors.SendFailed,
            errors.RegisterSMSTooFrenquently,
            errors.MemberNotFound,
        ],
    )
    def verify_email_pin(self, request: ApiRequest) -> Response:
        """Turn the PIN of sendEmailPin into a token.

        The e-mail address is verified from now on. The token goes with a changed cell phone or e-mail address as
        `emailToken`.
        """
        token = channels.verify_email(**self.form(request), caller=request.caller)
        return Response({**SUCCESS, "token": token})

    @operation(
        "POST",
        "Customers/sms/sendMobilePin",
        tag="Customer",
        access=PUBLIC,
        form=MobilePinForm,
        answer=SuccessSerializer,
        sms=True,
        refuses=mobile.SEND_REFUSALS,
    )
    def send_mobile_pin(self, request: ApiRequest) -> Response:
        """Send a PIN to verify a customer's cell phone.

        Within ten minutes of a log-in that was refused with 3099, to the number on file; to another one with the ticket
        that the refusal carried.
        """
        mobile.send_pin(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/sms/verifyMobile",
        tag="Customer",
        access=PUBLIC,
        replays=Replays.NEVER,
        form=VerifyMobileForm,
        answer=SuccessSerializer,
        sms=True,
        refuses=mobile.VERIFY_REFUSALS,
    )
    def verify_mobile(self, request: ApiRequest) -> Response:
        """Verify a customer's cell phone by the PIN of sendMobilePin; then he may log in."""
        mobile.verify(**self.form(request), caller=request.caller)
        return Response(SUCCESS)
