"""What this app and those below it hold on a person."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from cards.models import Card, CardEvent
from customers.models import Address, ConsentChange, Member, MobileWindow, Note, ProofToken
from customers.personal_data import Holding, Person, delete, emptying, hold
from loyalty.models import CustomerToken, IdempotencyKey, SiebelRequest
from sms.models import Message, Pin
from staff.models import StaffAction


def _profile(rows: QuerySet[Any]) -> None:
    texts = [field.name for field in Member._meta.concrete_fields if field.empty_strings_allowed and not field.choices]
    kept = {"customer_id", "status", "user_name_key", "email_key"}
    rows.update(
        **dict.fromkeys(set(texts) - kept, ""),
        user_name_key=None,
        email_key=None,
        gender="",
        language="",
        birthday=None,
        opt_out=None,
        email_verified=False,
        email_activation_due=False,
        cell_phone_verified=False,
    )


def _sent_to(person: Person, model: type[Any]) -> QuerySet[Any]:
    """What went to a shared phone for somebody else is somebody else's."""
    strangers = Q(customer_id="", recipient__in=person.recipients)
    return model.objects.filter(Q(customer_id=person.customer_id) | strangers)  # type: ignore[no-any-return]


def _replies(person: Person) -> QuerySet[SiebelRequest]:
    """Replies that repeat an address."""
    ids = list(Address.objects.filter(member_id=person.customer_id).values_list("pk", flat=True))
    return SiebelRequest.objects.filter(service="Loyalty Contact", reply__AddressId__in=ids)


def _cards(person: Person) -> QuerySet[Card]:
    """Those that he has, and those that he had."""
    events = CardEvent.objects.filter(customer_id=person.customer_id)
    return Card.objects.filter(Q(customer_id=person.customer_id) | Q(pk__in=events.values("card_id")))


def _staff_actions(person: Person) -> QuerySet[LogEntry]:
    member = ContentType.objects.get_for_model(Member)
    return LogEntry.objects.filter(content_type=member, object_id=person.customer_id)


def _audited(person: Person) -> QuerySet[StaffAction]:
    """It stays: it names nobody, and the database lets no line of it go."""
    return StaffAction.objects.filter(subject=Member._meta.label_lower, object_id=person.customer_id)


def register() -> None:
    hold(
        Holding("profile", lambda p: Member.objects.filter(pk=p.customer_id), _profile, in_crm=True),
        Holding("addresses", lambda p: Address.objects.filter(member_id=p.customer_id), delete, in_crm=True),
        Holding("replies", _replies, delete, in_crm=True),
        Holding(
            "consents",
            lambda p: ConsentChange.objects.filter(member_id=p.customer_id),
            emptying("reason"),
            in_crm=True,
        ),
        Holding("cards", _cards, emptying("reason"), in_crm=True),
        Holding(
            "cardHistory",
            lambda p: CardEvent.objects.filter(customer_id=p.customer_id),
            emptying("reason"),
            in_crm=True,
        ),
        Holding("logIns", lambda p: CustomerToken.objects.filter(customer_id=p.customer_id), delete),
        Holding("messages", lambda p: _sent_to(p, Message), delete),
        Holding("pins", lambda p: _sent_to(p, Pin), delete),
        Holding("proofs", lambda p: ProofToken.objects.filter(customer_id=p.customer_id), delete),
        Holding("phoneVerification", lambda p: MobileWindow.objects.filter(pk=p.customer_id), delete),
        Holding(
            "retriedRequests",
            lambda p: IdempotencyKey.objects.filter(
                Q(caller=f"customer {p.customer_id}") | Q(caller__endswith=f" for {p.customer_id}")
            ),
            delete,
        ),
        Holding("notes", lambda p: Note.objects.filter(customer_id=p.customer_id), delete),
        Holding("staffActions", _staff_actions, emptying("change_message")),
        Holding("staffAudit", _audited),
    )
