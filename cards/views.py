from rest_framework.response import Response

from cards import siebel
from cards.serializers import CardPinForm, CardSerializer, CardStateSerializer
from loyalty import errors
from loyalty.access import CUSTOMER, PUBLIC
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
