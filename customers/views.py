from django.conf import settings
from rest_framework.response import Response

from customers import addresses, changes, closing, registration, sessions, siebel
from customers.serializers import (
    AddressForm,
    AddressSerializer,
    CreatedSerializer,
    CustomerCreateForm,
    CustomerSerializer,
    LoginForm,
    OptForm,
    PatchForm,
    ReasonForm,
    SessionSerializer,
    UpdateForm,
    UserForm,
)
from loyalty import errors, rates
from loyalty.access import CUSTOMER, CUSTOMER_HEADER, PUBLIC
from loyalty.answers import SUCCESS, SuccessSerializer
from loyalty.budgets import DAY, scaled
from loyalty.idempotency import Replays
from loyalty.ids import PATTERN
from loyalty.operations import ApiRequest, OperationViewSet, operation


class CustomerViewSet(OperationViewSet):
    @operation(
        "POST",
        "Customers/create",
        tag="Customer WeChat",
        access=PUBLIC,
        form=CustomerCreateForm,
        under_data=True,
        replays=Replays.TO_ANYBODY,
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
        replays=Replays.NEVER,
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
        "Customers/disable",
        tag="Customer",
        access=CUSTOMER,
        form=ReasonForm,
        answer=SuccessSerializer,
        refuses=[errors.InvalidMemberID],
    )
    def disable(self, request: ApiRequest) -> Response:
        """Disable a customer.

        Closes the account, cancels its cards and ends every log-in. Staff can undo it for fourteen days.
        """
        closing.disable(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/update",
        tag="Customer",
        access=CUSTOMER,
        form=UpdateForm,
        answer=SuccessSerializer,
        refuses=changes.REFUSALS,
    )
    def update(self, request: ApiRequest) -> Response:
        """Update a customer.

        What is left out stays as it is, what is empty is cleared. A new `cellPhone` needs `cellPhoneValidFlag`, the PIN
        that sendUpdatePin sent to it; a new `cellPhone` or `email` also `phoneToken` (from verifyForToken) or
        `emailToken` (from verifyEmailPin). The old and the new one are told.
        """
        changes.change(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/update/patch",
        tag="Customer",
        access=CUSTOMER,
        form=PatchForm,
        answer=SuccessSerializer,
        refuses=[*changes.REFUSALS, errors.UnexpectedError],
    )
    def patch(self, request: ApiRequest) -> Response:
        """Update some fields of a customer.

        Under the rules of update; a field that it does not have is refused, a malformed e-mail address with 5000.
        """
        changes.change(**self.form(request), caller=request.caller)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/updateOpt",
        tag="Customer",
        access=CUSTOMER,
        form=OptForm,
        answer=SuccessSerializer,
        refuses=[errors.InvalidMemberID],
    )
    def update_opt(self, request: ApiRequest) -> Response:
        """Update what a customer allows to be sent.

        Each change is kept, with its reason.
        """
        form = self.form(request)
        siebel.update_opt(customer_id=request.caller.customer_id, caller=request.caller, **form)
        return Response(SUCCESS)

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


class AddressViewSet(OperationViewSet):
    @operation(
        "GET",
        "Customers/addresses/list",
        tag="Customer",
        access=CUSTOMER,
        answer=AddressSerializer,
        many=True,
        refuses=[errors.InvalidMemberID],
    )
    def list_addresses(self, request: ApiRequest) -> Response:
        """List all addresses of a customer.

        The primary one, which the customer's primary fields show too, comes first.
        """
        found = addresses.list_addresses(customer_id=request.caller.customer_id)
        return Response(AddressSerializer(found, many=True).data)

    @operation(
        "POST",
        "Customers/addresses/add",
        tag="Customer",
        access=CUSTOMER,
        form=AddressForm,
        answer=AddressSerializer,
        refuses=[errors.InvalidMemberID],
    )
    def add(self, request: ApiRequest) -> Response:
        """Add an address for a customer.

        The first one is the primary one; later ones with isPrimary. At most twenty, then 429.
        """
        caller = request.caller
        added = addresses.add(customer_id=caller.customer_id, caller=caller, **self.form(request))
        return Response(AddressSerializer(added).data)

    @operation(
        "POST",
        "Customers/addresses/update/{addressId}",
        tag="Customer",
        access=CUSTOMER,
        form=AddressForm,
        answer=AddressSerializer,
        refuses=[errors.InvalidMemberID, errors.InvalidAddressId],
    )
    def update(self, request: ApiRequest, addressId: str) -> Response:
        """Update a customer's address.

        What is left out stays as it is, what is empty is cleared.
        """
        caller = request.caller
        form = self.form(request)
        if not PATTERN.fullmatch(addressId):
            raise errors.InvalidAddressId
        changed = addresses.update(customer_id=caller.customer_id, address_id=addressId, caller=caller, **form)
        return Response(AddressSerializer(changed).data)
