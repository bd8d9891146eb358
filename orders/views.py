from collections.abc import Iterable
from typing import Any

from rest_framework.response import Response

from loyalty import errors, pages
from loyalty.access import CUSTOMER, client, owner_or_client
from loyalty.ids import PATTERN
from loyalty.operations import ApiRequest, OperationViewSet, operation
from loyalty.pages import PageQuery
from loyalty.scopes import Scope
from orders import partners, siebel
from orders.serializers import (
    OrderItemSerializer,
    OrderSerializer,
    PartnerTransactionForm,
    PartnerTransactionSerializer,
    RewardQuery,
    RewardSerializer,
)


class OrderViewSet(OperationViewSet):
    @operation(
        "GET",
        "Customers/orders/list",
        tag="Customer",
        access=CUSTOMER,
        query=PageQuery,
        answer=OrderSerializer,
        many=True,
        refuses=[errors.InvalidMemberID],
    )
    def list_orders(self, request: ApiRequest) -> Response:
        """List all the orders for a customer.

        The newest first. `X-Total-Count` says how many there are, `Link` where the other pages stand.
        """
        asked = self.query(request)
        found, total = siebel.list_orders(customer_id=request.caller.customer_id, **asked)
        return _paged(request, asked, OrderSerializer(found, many=True).data, total)

    @operation(
        "GET",
        "Customers/rewards",
        tag="Customer",
        access=CUSTOMER,
        query=RewardQuery,
        answer=RewardSerializer,
        many=True,
        refuses=[errors.InvalidMemberID],
    )
    def list_rewards(self, request: ApiRequest) -> Response:
        """List all customer rewards.

        The newest first, by the day they were issued; ten thousand at most.
        """
        asked = self.query(request)
        found, total = siebel.list_rewards(customer_id=request.caller.customer_id, **asked)
        return _paged(request, asked, RewardSerializer(found, many=True).data, total)

    @operation(
        "GET",
        "Orders/{orderId}/items",
        tag="Order",
        access=owner_or_client(Scope.ORDERS),
        answer=OrderItemSerializer,
        many=True,
        refuses=[errors.OrderNotFound, errors.InvalidMemberID],
    )
    def list_items(self, request: ApiRequest, orderId: str) -> Response:
        """List all the items sold for an order.

        A customer's token sees his own orders alone: another's is refused as an unknown one is.
        """
        if not PATTERN.fullmatch(orderId):
            raise errors.OrderNotFound
        found = siebel.list_items(order_id=orderId, customer_id=request.caller.customer_id)
        return Response(OrderItemSerializer(found, many=True).data)


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


def _paged(request: ApiRequest, asked: dict[str, Any], rows: Iterable[Any], total: int) -> Response:
    names = [name for name in ("status", "pageSize", "startDate", "endDate") if request.query_params.get(name)]
    query = {name: request.query_params[name] for name in names}
    page, size = asked["page_num"], asked["page_size"]
    return Response(rows, headers=pages.headers(request.path, query, page=page, size=size, total=total))
