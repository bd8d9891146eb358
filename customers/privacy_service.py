"""The embedded CRM's side of what is held on a person: the business service "Loyalty Member", Export and Erase."""

import json

from django.db import transaction
from django.utils import timezone

from cards import lifecycle
from cards.lifecycle import Cause
from cards.members import MemberStatus
from customers import personal_data
from customers.models import Member
from customers.password_service import SERVICE
from customers.personal_data import Person
from loyalty import errors
from loyalty.business_services import business_service, remember
from loyalty.siebel import Reply


@business_service(SERVICE, "Export")
def export(*, member_number: str) -> Reply:
    """All rows on a member, as JSON text."""
    return {"Data": json.dumps(personal_data.held(Person(member_number), in_crm=True))}


@business_service(SERVICE, "Erase")
def erase(*, request_id: str, actor: str, trace_id: str, member_number: str) -> Reply:
    """Close a member's account, where it is open, and forget the person. Raises InvalidMemberID."""
    with transaction.atomic():
        member = Member.objects.select_for_update().filter(pk=member_number).first()
        if member is None or member.status == MemberStatus.OPEN:
            raise errors.InvalidMemberID
        if member.status != MemberStatus.CLOSED:
            lifecycle.close_all(member.pk, Cause(actor, trace_id))
            member.status, member.closed_at = MemberStatus.CLOSED, timezone.now()
            member.save(update_fields=["status", "closed_at"])
        erased = personal_data.erase_held(Person(member.pk), in_crm=True)
        return remember(request_id, SERVICE, "Erase", {"Rows": json.dumps(erased)})
