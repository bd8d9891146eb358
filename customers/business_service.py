"""The embedded CRM's side of members: the business service "Loyalty Member"."""

from collections.abc import Mapping

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from cards import lifecycle, members
from cards.lifecycle import Cause
from cards.members import MemberStatus
from customers import profile, svc
from customers.models import Address, ConsentChange, Member, login_key
from loyalty import errors
from loyalty.business_services import argument_of, business_service, remember
from loyalty.dates import from_wire, wire_date, wire_moment
from loyalty.models import Store
from loyalty.siebel import Reply

SERVICE = "Loyalty Member"


@business_service(SERVICE, "Register")
def register(
    *,
    request_id: str,
    actor: str,
    trace_id: str,
    card_number: str,
    card_password: str,
    password: str,
    birth_date: str,
    **wire: str,
) -> Reply:
    """Turn the member that was created with a card into a customer, and the card into a live one; all or nothing.

    Raises UserNameInUse, the e-mail refusals, the card's, InvalidMemberID, MemberNotOpen, InvalidStore.
    """
    fields = _fields(wire)
    hashed = make_password(password)  # before the transaction: nobody waits for a lock while it is computed
    try:
        with transaction.atomic():
            _demand_free(fields["user_name"], fields["email"])
            card = lifecycle.lock_to_register(card_number, card_password)
            member = Member.objects.select_for_update().filter(pk=card.member_id).first()
            if member is None:
                raise errors.InvalidMemberID
            if member.status != MemberStatus.OPEN:
                raise errors.MemberNotOpen
            _demand_open_store(fields.get("source_code", ""))
            _fill(member, fields)
            member.birthday = from_wire(birth_date)
            member.opt_out = int(wire["opt_out"]) if "opt_out" in wire else None
            member.password, member.status = hashed, MemberStatus.ACTIVE
            member.registered_at, member.cell_phone_verified = timezone.now(), True
            member.save()
            _save_primary_address(member, fields)
            lifecycle.register(card, member.pk, Cause(actor, trace_id))
            return remember(request_id, SERVICE, "Register", {"MemberNumber": member.pk})
    except IntegrityError:
        _demand_free(fields["user_name"], fields["email"])  # another request took the name or the address meanwhile
        raise


@business_service(SERVICE, "Get")
def get(*, member_number: str) -> Reply:
    """An active customer's whole record. Raises InvalidMemberID for any other."""
    member = Member.objects.filter(pk=member_number, status=MemberStatus.ACTIVE).first()
    if member is None:
        raise errors.InvalidMemberID
    primary = Address.objects.filter(member=member, is_primary=True).first()
    wire = {profile.TEXT[name]: getattr(member, name) for name in profile.OF_MEMBER}
    if primary:
        wire |= {profile.TEXT[name]: getattr(primary, column) for name, column in profile.PRIMARY.items()}
    return {
        **wire,
        "MemberNumber": member.pk,
        "MemberStatus": member.status,
        "BirthDate": wire_date(member.birthday),
        "OptOut": "" if member.opt_out is None else str(member.opt_out),
        "EmailVerified": _flag(member.email_verified),
        "CellularPhoneVerified": _flag(member.cell_phone_verified),
        "RegisteredDate": wire_moment(member.registered_at),
        "AvailablePoints": str(member.star_balance),
        "SvcBalance": svc.balance_of(member.pk),
    }


@business_service(SERVICE, "CheckAvailable")
def check_available(*, login: str) -> Reply:
    """Whether a user name or e-mail address is free. Raises EmailRegisteredActive or EmailRegisteredInactive."""
    key = login_key(login)
    for column in ("email_key", "user_name_key"):
        status = Member.objects.filter(**{column: key}).values_list("status", flat=True).first()
        if status is not None:
            raise errors.EmailRegisteredInactive if status == MemberStatus.CLOSED else errors.EmailRegisteredActive
    return {}


@business_service(SERVICE, "CheckPassword")
def check_password_of(*, login: str, password: str) -> Reply:
    """Who logs in. One hash is computed whatever the case, so that time tells nothing.

    Raises InvalidEmailAndPassword for an unknown name, a wrong password and a member who is no active customer alike;
    only with the right password NeedEmailActiveMember or RefuseLoginDueUnverifiedMobile.
    """
    key = login_key(login)
    column = "email_key" if "@" in key else "user_name_key"
    member = Member.objects.filter(**{column: key}).first()
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


@business_service(SERVICE, "UpdateOpt")
def update_opt(
    *, request_id: str, actor: str, trace_id: str, member_number: str, opt_out: str = "", reason: str = ""
) -> Reply:
    """What a customer allows from now on; without `opt_out` the reason alone is noted. Raises InvalidMemberID."""
    with transaction.atomic():
        members.lock_customer(member_number)
        row = Member.objects.filter(pk=member_number)
        if opt_out:
            row.update(opt_out=int(opt_out))
        ConsentChange.objects.create(
            member_id=member_number,
            opt_out=int(opt_out) if opt_out else row.values_list("opt_out", flat=True).get(),
            reason=reason,
            actor=actor,
            request_id=trace_id,
        )
        return remember(request_id, SERVICE, "UpdateOpt", {})


@business_service(SERVICE, "Disable")
def disable(*, request_id: str, actor: str, trace_id: str, member_number: str, reason: str) -> Reply:
    """Close an account, its cards with it. Raises InvalidMemberID."""
    with transaction.atomic():
        members.lock_customer(member_number)
        Member.objects.filter(pk=member_number).update(
            status=MemberStatus.CLOSED, closed_at=timezone.now(), closed_reason=reason
        )
        lifecycle.close_all(member_number, Cause(actor, trace_id, reason))
        return remember(request_id, SERVICE, "Disable", {})


def _flag(value: bool) -> str:
    return "Y" if value else "N"


def _fields(wire: Mapping[str, str]) -> dict[str, str]:
    """The wire's arguments (already `login_name` for `LoginName`) under our own names."""
    ours = {argument_of(field): name for name, field in profile.TEXT.items()}
    return {ours[argument]: value for argument, value in wire.items() if argument in ours}


def _demand_free(user_name: str, email: str) -> None:
    if Member.objects.filter(user_name_key=login_key(user_name)).exists():
        raise errors.UserNameInUse
    status = Member.objects.filter(email_key=login_key(email)).values_list("status", flat=True).first()
    if status == MemberStatus.ACTIVE:
        raise errors.EmailRegisteredActive
    if status == MemberStatus.CLOSED:
        raise errors.EmailRegisteredInactive
    if status is not None:
        raise errors.EmailInUse


def _demand_open_store(number: str) -> None:
    if number and not Store.objects.filter(number=number, is_open=True).exists():
        raise errors.InvalidStore


def _fill(member: Member, fields: Mapping[str, str]) -> None:
    member.set_login(fields["user_name"], fields["email"])
    for name in profile.OF_MEMBER:
        if name not in ("user_name", "email") and name in fields:
            setattr(member, name, fields[name])


def _save_primary_address(member: Member, fields: Mapping[str, str]) -> None:
    given = {column: fields[name] for name, column in profile.PRIMARY.items() if fields.get(name)}
    if given:
        Address.objects.update_or_create(member=member, is_primary=True, defaults=given)
