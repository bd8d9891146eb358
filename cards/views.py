from rest_framework.response import Response

from cards import limits, reports, siebel
from cards.serializers import (
    AddForm,
    CardNumberForm,
    CardPinForm,
    CardSerializer,
    CardStateSerializer,
    DeleteForm,
    LostForm,
)
from loyalty import errors
from loyalty.access import CUSTOMER, PUBLIC
from loyalty.answers import SUCCESS, SuccessSerializer
from loyalty.operations import ApiRequest, OperationViewSet, operation


class CardViewSet(OperationViewSet):
    @operation(
        "POST",
        "Cards/validate",
        tag="Card",
        access=PUBLIC,
        form=CardPinForm,
        answer=CardStateSerializer,
        refuses=[errors.IncorrectPin, errors.FrequentVerify],
    )
    def validate(self, request: ApiRequest) -> Response:
        """Validate a card by its number and PIN.

        An unknown card is answered with the state code CardNotFound. After too many wrong PINs the right one is refused
        too.
        """
        state = siebel.validate(**self.form(request), caller=request.caller)
        return Response(CardStateSerializer(state).data)


class CustomerCardViewSet(OperationViewSet):
    @operation(
        "GET",
        "Customers/cards/list",
        tag="Customer",
        access=CUSTOMER,
        answer=CardSerializer,
        many=True,
        refuses=[errors.InvalidMemberID],
    )
    def list_cards(self, request: ApiRequest) -> Response:
        """List all the cards of a customer.

        The live card comes first, then the most recently attached.
        """
        cards = siebel.list_cards(customer_id=request.caller.customer_id)
        return Response(CardSerializer(cards, many=True).data)

    @operation(
        "POST",
        "Customers/cards/add",
        tag="Customer",
        access=CUSTOMER,
        form=AddForm,
        answer=CardSerializer,
        refuses=[
            errors.CardAlreadyRegistered,
            errors.CardNotFound,
            errors.IncorrectPin,
            errors.CardNotActive,
            errors.InvalidMemberID,
            errors.CardExpired,
            errors.MemberNotActive,
            errors.FrequentVerify,
        ],
    )
    def add(self, request: ApiRequest) -> Response:
        """Attach a new card to a customer.

        With makeLive the card that was live becomes Dormant. A customer's first card is always live.
        """
        customer_id = request.caller.customer_id
        form = self.form(request)
        with limits.adding(customer_id):
            card = siebel.add(customer_id=customer_id, caller=request.caller, **form)
        return Response(CardSerializer(card).data)

    @operation(
        "POST",
        "Customers/cards/delete",
        tag="Customer",
        access=CUSTOMER,
        form=DeleteForm,
        answer=SuccessSerializer,
        refuses=[
            errors.CardRegisteredWithAnotherCustomer,
            errors.CardNotFound,
            errors.CardNotDormant,
            errors.InvalidMemberID,
        ],
    )
    def delete_card(self, request: ApiRequest) -> Response:
        """Remove a customer's dormant card."""
        customer_id = request.caller.customer_id
        form = self.form(request)
        with limits.naming(customer_id):
            siebel.delete(customer_id=customer_id, caller=request.caller, **form)
        return Response(SUCCESS)

    @operation(
        "POST",
        "Customers/cards/lost",
        tag="Customer",
        access=CUSTOMER,
        form=LostForm,
        answer=CardSerializer,
        refuses=[
            errors.CardAlreadyLostOrStolen,
            errors.CardRegisteredWithAnotherCustomer,
            errors.CardNotFound,
            errors.CardInTransit,
            errors.InvalidMemberID,
            errors.CardNotRegisteredOrDormant,
            errors.NoCardAvailable,
        ],
    )
    def lost(self, request: ApiRequest) -> Response:
        """Report a customer's card as lost, stolen or damaged.

        The answer is the replacement, InTransit until it is woken, or without one the obsolete card. With no card in
        stock nothing changes. The most recently attached dormant card takes the place of a lost live one.
        """
        card = reports.report(**self.form(request), caller=request.caller)
        return Response(CardSerializer(card).data)

    @operation(
        "POST",
        "Customers/cards/wake",
        tag="Customer",
        access=CUSTOMER,
        form=CardNumberForm,
        answer=SuccessSerializer,
        refuses=[
            errors.CardNotFound,
            errors.CardNotDormant,
            errors.CardRegisteredWithAnotherCustomer,
            errors.InvalidMemberID,
        ],
    )
    def wake(self, request: ApiRequest) -> Response:
        """Make a dormant card, or a replacement that has arrived, the live one."""
        customer_id = request.caller.customer_id
        form = self.form(request)
        with limits.naming(customer_id):
            siebel.wake(customer_id=customer_id, caller=request.caller, **form)
        return Response(SUCCESS)
