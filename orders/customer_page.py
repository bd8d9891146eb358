"""What this app shows on a customer's page."""

from django.utils.translation import gettext_lazy as _

from customers.customer_page import MEMBER
from customers.page import Section, show
from orders.models import Order, PartnerTransaction, Reward, StarAdjustment, StarEntry

show(
    Section(
        _("Orders"),
        Order,
        lambda pk: Order.objects.filter(member_id=pk).select_related("store"),
        ("ordered_at", "number", "store", "total_amount", "currency", "stars"),
        MEMBER,
        moment="ordered_at",
    ),
    Section(
        _("Rewards"),
        Reward,
        lambda pk: Reward.objects.filter(member_id=pk),
        ("issued_at", "code", "name", "status", "expiry_date", "used_at"),
        MEMBER,
        moment="issued_at",
    ),
    Section(
        _("Stars"),
        StarEntry,
        lambda pk: StarEntry.objects.filter(member_id=pk).order_by("-position"),
        ("at", "kind", "points", "balance", "source", "reason", "actor"),
        MEMBER,
        moment="at",
    ),
    Section(
        _("Star adjustments"),
        StarAdjustment,
        lambda pk: StarAdjustment.objects.filter(member_id=pk).select_related("requested_by", "decided_by"),
        ("requested_at", "kind", "points", "reason", "state", "requested_by", "decided_by"),
        MEMBER,
        adds_by="member",
    ),
    Section(
        _("Partner transactions"),
        PartnerTransaction,
        lambda pk: PartnerTransaction.objects.filter(member_id=pk),
        ("created_at", "receipt_number", "partner_code", "points", "amount", "external_identity"),
        MEMBER,
        moment="created_at",
    ),
)
