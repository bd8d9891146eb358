from django.conf import settings
from rest_framework.response import Response

from customers import registration, sessions, siebel
from customers.serializers import (
    CreatedSerializer,
    CustomerCreateForm,
    CustomerSerializer,
    LoginForm,
    RegisterPinForm,
    SessionSerializer,
    UserForm,
)
from loyalty import errors, rates
from loyalty.access import CUSTOMER, CUSTOMER_HEADER, PUBLIC
from loyalty.answers import SUCCESS, SuccessSerializer
from loyalty.budgets import DAY, scaled
from loyalty.operations import ApiRequest, OperationViewSet, operation


class CustomerViewSet(OperationViewSet):
    @operation(
        "POST",
        "Customers/create",
        tag="Customer WeChat",
        access=PUBLIC,
        form=CustomerCreateForm,
        under_data=True,
        answer=CreatedSerializer,
        refuses=registration.REFUSALS,
    )
    def create(self, request: ApiRequest) -> Response:
        """Create a new customer.

        Turns the member that was created with the card into a customer and the card into a live one. The fields may
        also stand under `data`. `cellPhoneValidFlag` is the PIN that sendRegisterPin sent to `cellPhone`.
        """
        customer_id = registration.register(**self.form(request), caller=request.caller)
        return Response({**SUCCESS, "customerId": customer_id}, headers={CUSTOMER_HEADER: customer_id})

    @operation(
        "POST",
        "Customers/login",
        tag="Customer",
        access=PUBLIC,
        form=LoginForm,
        answer=SessionSerializer,
        refuses=sessions.REFUSALS,
    )
    def login(self, request: ApiRequest) -> Response:
        """Log a customer in by user name or e-mail address.

        Send the token as `Authorization: Bearer …`; it expires after `expiresIn` seconds.
        """
        session = sessions.log_in(**self.form(request), caller=request.caller)
        return Response(SessionSerializer(session).data, headers={CUSTOMER_HEADER: session.customer_id})

    @operation(
        "GET",
        "Customers/detail",
        tag="Customer",
        access=CUSTOMER,
        answer=CustomerSerializer,
        refuses=[errors.InvalidMemberID],
    )
    def detail_of(self, request: ApiRequest) -> Response:
        """Find a customer by id."""
        customer = siebel.get(customer_id=request.caller.customer_id)
        return Response(CustomerSerializer(customer).data)

    @operation(
        "POST",
        "Customers/userAvailable",
        tag="Customer",
        access=PUBLIC,
        form=UserForm,
        answer=SuccessSerializer,
        refuses=[errors.EmailRegisteredActive, errors.EmailRegisteredInactive],
    )
    def user_available(self, request: ApiRequest) -> Response:
        """Check whether a user name or e-mail address is free."""
        form = self.form(request)
        rates.hit(
            request.caller.address,
            [
                ("user-available-minute", scaled(settings.USER_AVAILABLE_PER_ADDRESS_MINUTE), 60),
                ("user-available-day", scaled(settings.USER_AVAILABLE_PER_ADDRESS_DAY), DAY),
            ],
        )
        siebel.check_available(**form)
        return Response(SUCCESS)


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
