from rest_framework.response import Response

from loyalty.access import client
from loyalty.operations import ApiRequest, OperationViewSet, operation
from loyalty.scopes import Scope
from orders import partners
from orders.serializers import PartnerTransactionForm, PartnerTransactionSerializer


class PartnerViewSet(OperationViewSet):
    @operation(
        "POST",
        "PaymentReferences/partner/transaction",
        tag="PaymentReference",
        access=client(Scope.PARTNER),
        form=PartnerTransactionForm,
        answer=PartnerTransactionSerializer,
        refuses=partners.REFUSALS,
    )
    def record_transaction(self, request: ApiRequest) -> Response:
        """Report a transaction and the balance of an SVC card.

        One effect a receipt: the same transaction again is answered with the first result, another one under its
        receiptNumber is refused. The key must be bound to sourceCode and partnerCode.
        """
        taken = partners.record(**self.form(request), caller=request.caller)
        return Response(PartnerTransactionSerializer(taken).data)
