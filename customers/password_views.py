"""Operations that set a new password."""

from rest_framework.response import Response

from customers import password_reset
from customers.pin_serializers import (
    CustomerIdSerializer,
    CustomerTokenSerializer,
    EmailForm,
    PasswordForm,
    PasswordPinForm,
    ResetForm,
    VerifyPasswordPinForm,
)
from loyalty import errors
from loyalty.access import CUSTOMER, CUSTOMER_HEADER, PUBLIC
from loyalty.answers import SUCCESS, SuccessSerializer
from loyalty.idempotency import Replays
from loyalty.operations import ApiRequest, OperationViewSet, operation
from sms import outbox
from sms.models import Channel


class PasswordViewSet(OperationViewSet):
    @operation(
        "POST",
        "Customers/resetPassword",
        tag="Customer",
        access=CUSTOMER,
        replays=Replays.NEVER,
        form=PasswordForm,
        answer=SuccessSerializer,
        refuses=[
            errors.InvalidMemberID,
            errors.EmailNotFound,
            errors.IncorrectUserPassword,
            errors.PasswordNotStrong,
        ],
    )
    def reset_password(self, request: ApiRequest) -> Response:
        """Set a new password, given the current one.

        Every log-in of the customer ends, this one included. The new one must differ, else 3014 too.
        """
        password_reset.change(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/sms/sendPasswordPin",
        tag="Customer",
        access=PUBLIC,
        form=PasswordPinForm,
        answer=SuccessSerializer,
        sms=True,
        refuses=password_reset.SEND_REFUSALS,
    )
    def send_password_pin(self, request: ApiRequest) -> Response:
        """Send a PIN to find a forgotten password with.

        The answer is the same whether the phone is a customer's or not. Where it is several customers', `user` says
        whose password it is about.
        """
        password_reset.send_pin(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/sms/verifyPasswordPin",
        tag="Customer",
        access=PUBLIC,
        replays=Replays.NEVER,
        form=VerifyPasswordPinForm,
        answer=CustomerTokenSerializer,
        sms=True,
        refuses=[
            errors.PhoneNotValid,
            *outbox.REFUSALS,
            errors.WrongCaptcha,
            errors.MissingNo,
            errors.MissingCaptcha,
            errors.FrequentVerify,
            errors.MultiAccountBoundToOnePhone,
        ],
    )
    def verify_password_pin(self, request: ApiRequest) -> Response:
        """Turn the PIN of sendPasswordPin into a token for resetPasswordByPhoneToken."""
        customer_id, token = password_reset.verify_pin(**self.form(request))
        return Response({CUSTOMER_HEADER: customer_id, "token": token}, headers={CUSTOMER_HEADER: customer_id})

    @operation(
        "POST",
        "Customers/sms/resetPasswordByPhoneToken",
        tag="Customer",
        access=PUBLIC,
        replays=Replays.NEVER,
        form=ResetForm,
        answer=CustomerIdSerializer,
        sms=True,
        refuses=password_reset.RESET_REFUSALS,
    )
    def reset_by_phone(self, request: ApiRequest) -> Response:
        """Set a new password by the token of verifyPasswordPin.

        Every log-in of the customer ends. The new one must differ from the old one, else 3014.
        """
        customer_id = password_reset.reset(**self.form(request), channel=Channel.SMS, caller=request.caller)
        return Response({CUSTOMER_HEADER: customer_id}, headers={CUSTOMER_HEADER: customer_id})

    @operation(
        "POST",
        "Customers/sendResetPasswordEmail",
        tag="Customer",
        access=PUBLIC,
        form=EmailForm,
        answer=SuccessSerializer,
    )
    def send_reset_email(self, request: ApiRequest) -> Response:
        """Send an e-mail with a link to set a new password.

        The answer is the same whether the address is a customer's or not. The link lives an hour.
        """
        password_reset.send_link(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/resetPasswordToken",
        tag="Customer",
        access=PUBLIC,
        replays=Replays.NEVER,
        form=ResetForm,
        answer=SuccessSerializer,
        refuses=password_reset.RESET_REFUSALS,
    )
    def reset_by_email(self, request: ApiRequest) -> Response:
        """Set a new password by the token of the link in an e-mail.

        Every log-in of the customer ends, and the e-mail address is verified from now on. The new one must differ from
        the old one, else 3014.
        """
        password_reset.reset(**self.form(request), channel=Channel.EMAIL, caller=request.caller)
        return Response(SUCCESS)
