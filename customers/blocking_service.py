"""The embedded CRM's side of blocking: the business service "Loyalty Member", Block and Unblock."""

from django.db import transaction

from cards.members import MemberStatus
from customers.models import Member
from customers.password_service import SERVICE
from loyalty import errors
from loyalty.business_services import business_service, remember
from loyalty.siebel import Reply


@business_service(SERVICE, "Block")
def block(*, request_id: str, actor: str, trace_id: str, member_number: str, reason: str) -> Reply:
    """Raises InvalidMemberID."""
    return _turn(request_id, "Block", member_number, MemberStatus.ACTIVE, MemberStatus.INACTIVE)


@business_service(SERVICE, "Unblock")
def unblock(*, request_id: str, actor: str, trace_id: str, member_number: str, reason: str) -> Reply:
    """Raises InvalidMemberID."""
    return _turn(request_id, "Unblock", member_number, MemberStatus.INACTIVE, MemberStatus.ACTIVE)


def _turn(request_id: str, method: str, member_number: str, source: MemberStatus, target: MemberStatus) -> Reply:
    with transaction.atomic():
        if not Member.objects.filter(pk=member_number, status=source).update(status=target):
            raise errors.InvalidMemberID
        return remember(request_id, SERVICE, method, {})
