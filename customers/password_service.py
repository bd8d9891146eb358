"""The embedded CRM's side of passwords: the business service "Loyalty Member" as far as it checks and sets them."""

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from cards.members import MemberStatus
from customers.models import Member, login_column, login_key
from loyalty import errors
from loyalty.business_services import business_service, remember
from loyalty.siebel import Reply

SERVICE = "Loyalty Member"


@business_service(SERVICE, "CheckPassword")
def check_password_of(*, login: str, password: str) -> Reply:
    """Who logs in. One hash is computed whatever the case, so that time tells nothing.

    Raises InvalidEmailAndPassword for an unknown name, a wrong password and a member who is no active customer alike;
    only with the right password NeedEmailActiveMember or RefuseLoginDueUnverifiedMobile.
    """
    member = Member.objects.filter(**{login_column(login): login_key(login)}).first()
    if member is None:
        make_password(password)
        raise errors.InvalidEmailAndPassword

    def rehash(raw: str) -> None:
        Member.objects.filter(pk=member.pk, password=member.password).update(password=make_password(raw))

    right = check_password(password, member.password, setter=rehash)
    if not right or member.status != MemberStatus.ACTIVE:
        raise errors.InvalidEmailAndPassword
    if member.email_activation_due:
        raise errors.NeedEmailActiveMember
    if not member.cell_phone_verified:
        raise errors.RefuseLoginDueUnverifiedMobile
    return {"MemberNumber": member.pk, "MemberStatus": member.status}


@business_service(SERVICE, "SetPassword")
def set_password(
    *,
    request_id: str,
    actor: str,
    trace_id: str,
    member_number: str,
    new_password: str,
    password: str = "",
    cellular_phone: str = "",
    email_address: str = "",
) -> Reply:
    """A new password, which must differ from the old one, for who knows that or holds what is on file.

    Raises InvalidMemberID, EmailsDontMatch, EmailNotFound, IncorrectUserPassword. An e-mail address that was proved
    counts as verified.
    """
    member = Member.objects.filter(pk=member_number, status=MemberStatus.ACTIVE).first()
    if member is None:
        raise errors.InvalidMemberID
    if not member.email:
        raise errors.EmailNotFound
    demand_on_file(member, cellular_phone, email_address)
    known = member.password
    if password and not check_password(password, known):
        raise errors.IncorrectUserPassword
    if check_password(new_password, known):
        raise errors.IncorrectUserPassword
    hashed = make_password(new_password)  # before the transaction: nobody waits for a lock while it is computed
    with transaction.atomic():
        member = Member.objects.select_for_update().get(pk=member_number)
        if member.status != MemberStatus.ACTIVE:
            raise errors.InvalidMemberID
        demand_on_file(member, cellular_phone, email_address)
        if member.password != known:
            raise errors.IncorrectUserPassword
        member.password = hashed
        if email_address:
            member.email_verified, member.email_activation_due = True, False
        member.save(update_fields=["password", "email_verified", "email_activation_due"])
        return remember(request_id, SERVICE, "SetPassword", {})


def demand_on_file(member: Member, cell_phone: str, email: str) -> None:
    """Raises EmailsDontMatch where what was proved, if anything, is not what stands on file."""
    if (cell_phone and cell_phone != member.cell_phone) or (email and login_key(email) != member.email_key):
        raise errors.EmailsDontMatch
