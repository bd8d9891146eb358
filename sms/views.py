from rest_framework.response import Response

from loyalty import errors
from loyalty.access import client
from loyalty.answers import SUCCESS, SuccessSerializer
from loyalty.idempotency import Replays
from loyalty.operations import ApiRequest, OperationViewSet, operation
from loyalty.scopes import Scope
from sms import legacy, outbox
from sms.serializers import SendForm, VerifyForm


class LegacyViewSet(OperationViewSet):
    @operation(
        "POST",
        "Customers/sms/send",
        tag="Customer",
        access=client(Scope.SMS),
        form=SendForm,
        answer=SuccessSerializer,
        sms=True,
        deprecated=True,
        refuses=[
            *outbox.REFUSALS,
            errors.PhoneNotValid,
            errors.TemplateNotValid,
            errors.MissingNo,
            errors.MissingMsg,
        ],
    )
    def send(self, request: ApiRequest) -> Response:
        """Send a PIN to a cell phone.

        Replaced by sendRegisterPin and sendUpdatePin.
        """
        legacy.demand_switched_on()
        legacy.send(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/sms/verify",
        tag="Customer",
        access=client(Scope.SMS),
        replays=Replays.NEVER,
        form=VerifyForm,
        answer=SuccessSerializer,
        sms=True,
        deprecated=True,
        refuses=[
            *outbox.REFUSALS,
            errors.PhoneNotValid,
            errors.MissingNo,
            errors.MissingCaptcha,
            errors.WrongCaptcha,
            errors.FrequentVerifyOfOld,
        ],
    )
    def verify(self, request: ApiRequest) -> Response:
        """Check the last PIN that was sent to a cell phone.

        It is not used up. Replaced by the operations that take the PIN.
        """
        legacy.demand_switched_on()
        legacy.verify(**self.form(request))
        return Response(SUCCESS)
