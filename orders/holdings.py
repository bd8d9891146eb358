"""What this app holds on a person."""

from customers.personal_data import Holding, emptying, hold
from orders.models import Order, PartnerTransaction, Reward, StarAdjustment, StarEntry


def register() -> None:
    hold(
        Holding("orders", lambda p: Order.objects.filter(member_id=p.customer_id), in_crm=True),
        Holding("rewards", lambda p: Reward.objects.filter(member_id=p.customer_id), in_crm=True),
        Holding("stars", lambda p: StarEntry.objects.filter(member_id=p.customer_id), in_crm=True),
        Holding(
            "partnerTransactions",
            lambda p: PartnerTransaction.objects.filter(member_id=p.customer_id),
            emptying("external_identity", "reserve1", "reserve2", "reserve3"),
            in_crm=True,
        ),
        Holding("starAdjustments", lambda p: StarAdjustment.objects.filter(member_id=p.customer_id)),
    )
