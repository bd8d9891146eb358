"""What this app and those below it show on a customer's page."""

from django.utils.translation import gettext_lazy as _

from cards.models import Card, CardEvent
from customers.models import Address, ConsentChange, Member
from customers.page import Section, show
from loyalty.models import CustomerToken
from sms.models import Message
from staff.models import StaffAction

MEMBER = "member__customer_id__exact"

show(
    Section(
        _("Cards"),
        Card,
        lambda pk: Card.objects.filter(customer_id=pk).select_related("replaced_by"),
        ("number", "status", "end_date", "registered_at", "replaced_by"),
        "customer__customer_id__exact",
    ),
    Section(
        _("History of the cards"),
        CardEvent,
        lambda pk: CardEvent.objects.filter(customer_id=pk).select_related("card"),
        ("at", "card", "event", "source", "target", "actor", "reason"),
        "customer_id__exact",
        moment="at",
    ),
    Section(
        _("Addresses"),
        Address,
        lambda pk: Address.objects.filter(member_id=pk),
        ("is_primary", "country", "state", "city", "zip", "address", "contact_name", "contact_phone"),
        MEMBER,
    ),
    Section(
        _("Consents"),
        ConsentChange,
        lambda pk: ConsentChange.objects.filter(member_id=pk),
        ("at", "opt_out", "reason", "actor"),
        MEMBER,
        moment="at",
    ),
    Section(
        _("Messages"),
        Message,
        lambda pk: Message.objects.filter(customer_id=pk),
        ("created_at", "channel", "recipient", "template", "state", "code"),
        "customer_id__exact",
        moment="created_at",
    ),
    Section(
        _("Log-ins"),
        CustomerToken,
        lambda pk: CustomerToken.objects.filter(customer_id=pk).order_by("-id"),
        ("created_at", "expires_at", "revoked_at"),
        "customer_id__exact",
        moment="created_at",
    ),
    Section(
        _("What staff did"),
        StaffAction,
        lambda pk: StaffAction.objects.filter(subject=Member._meta.label_lower, object_id=pk),
        ("at", "staff", "kind", "message", "reason"),
        "object_id__exact",
        moment="at",
    ),
)
