"""The embedded CRM's side of members: the business service "Loyalty Member"."""

from collections.abc import Mapping
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from cards import lifecycle, members
from cards.lifecycle import Cause
from cards.members import MemberStatus
from customers import profile, svc
from customers.models import Address, ConsentChange, Member, login_column, login_key
from customers.password_service import SERVICE, demand_on_file
from loyalty import errors
from loyalty.business_services import argument_of, business_service, remember
from loyalty.dates import from_wire, wire_date, wire_moment
from loyalty.models import Store
from loyalty.siebel import Reply

REOPEN_WITHIN = timedelta(days=14)


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
            member.set_login(fields["user_name"], fields["email"])
            _fill(member, fields)
            member.birthday = from_wire(birth_date)
            member.opt_out = int(wire["opt_out"]) if "opt_out" in wire else None
            member.password, member.status = hashed, MemberStatus.ACTIVE
            member.registered_at, member.cell_phone_verified = timezone.now(), True
            member.save()
            _change_primary_address(member, fields)
            if member.opt_out is not None:
                _note_consent(member, "Registration", actor, trace_id)
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


@business_service(SERVICE, "FindByLogin")
def find_by_login(*, login: str = "", cellular_phone: str = "") -> Reply:
    """The active customers, three at most, with this user name or e-mail address and this phone, where given."""
    found = Member.objects.filter(status=MemberStatus.ACTIVE)
    if login:
        found = found.filter(**{login_column(login): login_key(login)})
    if cellular_phone:
        found = found.filter(cell_phone=cellular_phone)
    if not (login or cellular_phone):
        found = found.none()
    columns = ("customer_id", "cell_phone", "email", "language")
    names = ("MemberNumber", "CellularPhone", "EmailAddress", "PreferredLanguage")
    return {"Members": [dict(zip(names, row, strict=True)) for row in found.values_list(*columns)[:3]]}


@business_service(SERVICE, "CheckAvailable")
def check_available(*, login: str) -> Reply:
    """Whether a user name or e-mail address is free. Raises EmailRegisteredActive or EmailRegisteredInactive."""
    key = login_key(login)
    for column in ("email_key", "user_name_key"):
        status = Member.objects.filter(**{column: key}).values_list("status", flat=True).first()
        if status is not None:
            raise errors.EmailRegisteredInactive if status == MemberStatus.CLOSED else errors.EmailRegisteredActive
    return {}


@business_service(SERVICE, "Update")
def update(
    *,
    request_id: str,
    actor: str,
    trace_id: str,
    member_number: str,
    verified_cellular_phone: str = "",
    verified_email_address: str = "",
    **wire: str,
) -> Reply:
    """Change what is given. A changed phone or e-mail address is unverified unless it is the one that was proved.

    Raises InvalidMemberID, UserNameInUse, EmailInUse, InvalidStore, EmailsDontMatch.
    """
    fields = _fields(wire)
    try:
        with transaction.atomic():
            member = Member.objects.select_for_update().filter(pk=member_number, status=MemberStatus.ACTIVE).first()
            if member is None:
                raise errors.InvalidMemberID
            _change_login(member, fields)
            if fields.get("source_code", "") != member.source_code:
                _demand_open_store(fields.get("source_code", ""))
            if fields.get("cell_phone", member.cell_phone) != member.cell_phone:
                member.cell_phone_verified = False
            _fill(member, fields)
            demand_on_file(member, verified_cellular_phone, verified_email_address)
            member.cell_phone_verified |= bool(verified_cellular_phone)
            if verified_email_address:
                member.email_verified, member.email_activation_due = True, False
            if "birth_date" in wire:
                member.birthday = from_wire(wire["birth_date"])
            if "opt_out" in wire:
                member.opt_out = int(wire["opt_out"]) if wire["opt_out"] else None
                _note_consent(member, "Changed with the profile", actor, trace_id)
            member.save()
            _change_primary_address(member, fields)
            return remember(request_id, SERVICE, "Update", {})
    except IntegrityError:  # another request took the name or the address meanwhile
        taken = Member.objects.filter(user_name_key=login_key(fields.get("user_name", ""))).exclude(pk=member_number)
        raise errors.UserNameInUse if taken.exists() else errors.EmailInUse from None


@business_service(SERVICE, "UpdateOpt")
def update_opt(
    *, request_id: str, actor: str, trace_id: str, member_number: str, opt_out: str = "", reason: str = ""
) -> Reply:
    """What a customer allows from now on; without `opt_out` the reason alone is noted. Raises InvalidMemberID."""
    with transaction.atomic():
        members.lock_customer(member_number)
        member = Member.objects.get(pk=member_number)
        if opt_out:
            member.opt_out = int(opt_out)
            member.save(update_fields=["opt_out"])
        _note_consent(member, reason, actor, trace_id)
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


@business_service(SERVICE, "Reopen")
def reopen(*, request_id: str, actor: str, trace_id: str, member_number: str, reason: str) -> Reply:
    """Undo Disable, within REOPEN_WITHIN of it. Raises InvalidMemberID."""
    with transaction.atomic():
        closed = Member.objects.filter(pk=member_number, status=MemberStatus.CLOSED)
        member = closed.select_for_update().filter(closed_at__gt=timezone.now() - REOPEN_WITHIN).first()
        if member is None or not (member.user_name_key or member.email_key):  # nobody comes back from being erased
            raise errors.InvalidMemberID
        closed.update(status=MemberStatus.ACTIVE, closed_at=None, closed_reason="")
        lifecycle.reopen_all(member_number, Cause(actor, trace_id, reason))
        return remember(request_id, SERVICE, "Reopen", {})


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


def _change_login(member: Member, fields: Mapping[str, str]) -> None:
    """A user name that is the e-mail address follows it. Raises UserNameInUse, EmailInUse."""
    email = fields.get("email", member.email)
    named_by_email = member.user_name_key is not None and member.user_name_key == member.email_key
    user_name = fields.get("user_name", email if named_by_email else member.user_name)
    others = Member.objects.exclude(pk=member.pk)
    if user_name and others.filter(user_name_key=login_key(user_name)).exists():
        raise errors.UserNameInUse
    if email and others.filter(email_key=login_key(email)).exists():
        raise errors.EmailInUse
    if login_key(email) != (member.email_key or ""):
        member.email_verified = False
    member.set_login(user_name, email)


def _note_consent(member: Member, reason: str, actor: str, trace_id: str) -> None:
    ConsentChange.objects.create(member=member, opt_out=member.opt_out, reason=reason, actor=actor, request_id=trace_id)


def _fill(member: Member, fields: Mapping[str, str]) -> None:
    for name in profile.OF_MEMBER:
        if name not in ("user_name", "email") and name in fields:
            setattr(member, name, fields[name])


def _change_primary_address(member: Member, fields: Mapping[str, str]) -> None:
    """The primary address is changed, or made where there is none."""
    given = {column: fields[name] for name, column in profile.PRIMARY.items() if name in fields}
    if given and not Address.objects.filter(member=member, is_primary=True).update(**given) and any(given.values()):
        Address.objects.create(member=member, is_primary=True, **given)
