"""The customers and cards of a demonstration: made through the models, as no front door leads to their states."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from cards.members import MemberStatus
from cards.models import Card, CardStatus, pin_digest
from customers.models import Address, Member
from loyalty.dates import wire_moment
from loyalty.models import Store
from orders import partner_service
from orders.models import Order, OrderItem, Reward

Person = dict[str, str]
Credentials = dict[str, str]


def digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def new_card(
    status: str, *, member: Member | None = None, customer: Member | None = None, days: int = 730
) -> Credentials:
    """A card with `days` to its end date, its PIN, and a member of its own unless one is given."""
    number, pin = f"6200{digits(12)}", digits(6)
    Card.objects.create(
        number=number,
        pin_digest=pin_digest(number, pin),
        status=status,
        end_date=timezone.localdate() + timedelta(days=days),
        member=member or Member.objects.create(),
        customer=customer,
        registered_at=timezone.now() if customer else None,
        reason="Lost" if status == CardStatus.OBSOLETE else "",
    )
    return {"cardNumber": number, "pin": pin}


def new_customer(
    first_name: str, *, cell_phone: str, email_activation_due: bool = False, cell_phone_verified: bool = True
) -> tuple[Member, Person]:
    """An active customer; answers the member and what a person needs to log in."""
    password = secrets.token_urlsafe(12)
    mark = secrets.token_hex(3)
    member = Member(
        status=MemberStatus.ACTIVE,
        first_name=first_name,
        last_name="Li",
        gender=Member.Gender.FEMALE,
        birthday=timezone.localdate().replace(year=1990, month=7, day=15),
        language=Member.Language.ENU,
        cell_phone=cell_phone,
        cell_phone_verified=cell_phone_verified,
        email_activation_due=email_activation_due,
        email_verified=not email_activation_due,
        source_code="WECHAT",
        opt_out=Member.OptOut.ALLOW,
        registered_at=timezone.now(),
        password=make_password(password),
    )
    member.set_login(f"{first_name.lower()}.{mark}", f"{first_name.lower()}.{mark}@example.com")
    member.save()
    Address.objects.create(
        member=member,
        is_primary=True,
        country="China",
        state="Shanghai",
        city="Shanghai",
        zip="200001",
        address="1 Nanjing Road",
    )
    return member, {
        "customerId": member.pk,
        "userName": member.user_name,
        "email": member.email,
        "password": password,
        "cellPhone": cell_phone,
    }


def stores() -> dict[str, str]:
    """An open store, a closed one, and the channels that a SourceCode may name."""
    Store.objects.create(number="1001", name="Nanjing Road")
    Store.objects.create(number="1002", name="Old Town", is_open=False)
    Store.objects.create(number="WECHAT", name="WeChat mini-program", kind=Store.Kind.CHANNEL)
    return {"open": "1001", "closed": "1002"}


def cards_of_every_status(customer: Member) -> dict[str, Credentials]:
    """One card in each state that a client may meet; the attached ones are the customer's."""
    attached = (CardStatus.REGISTERED, CardStatus.DORMANT, CardStatus.IN_TRANSIT, CardStatus.OBSOLETE)
    made: dict[str, Credentials] = {
        str(status): new_card(
            status,
            customer=customer if status in attached else None,
            member=customer if status == CardStatus.REGISTERED else None,
        )
        for status in CardStatus
    }
    made["ActiveExpired"] = new_card(CardStatus.ACTIVE, days=-1)
    blocked = Member.objects.create(status=MemberStatus.INACTIVE)
    closed = Member.objects.create(status=MemberStatus.CLOSED)
    made["MemberBlocked"] = new_card(CardStatus.ACTIVE, member=blocked)
    made["MemberClosed"] = new_card(CardStatus.ACTIVE, member=closed)
    return made


def purchases(customer: Member) -> None:
    """Three orders of the last weeks with the stars that the shop reported, and rewards in every status."""
    store = Store.objects.get(number="1001")
    menu = (
        ("LATTE", "Caffè latte", "32.00"),
        ("MUFFIN", "Blueberry muffin", "18.50"),
        ("BEANS", "Coffee beans 250 g", "98.00"),
    )
    for weeks in (1, 3, 6):
        basket = [(code, name, Decimal(price), 1 + weeks % 2) for code, name, price in menu[: 1 + weeks % 3]]
        total = sum((price * quantity for _, _, price, quantity in basket), Decimal())
        order = Order.objects.create(
            number=f"DEMO-{weeks:04}",
            member=customer,
            store=store,
            ordered_at=timezone.now() - timedelta(weeks=weeks),
            total_amount=total,
            stars=int(total // 10),
            item_count=len(basket),
        )
        OrderItem.objects.bulk_create(
            OrderItem(
                order=order,
                product_code=code,
                product_name=name,
                quantity=quantity,
                unit_price=price,
                amount=price * quantity,
            )
            for code, name, price, quantity in basket
        )
        _report(customer, order.number, product="ORDER", points=order.stars, amount=total)
    _report(customer, "DEMO-CUP", product="REWARD", points=-5, amount=Decimal())
    _reward(customer, "Birthday drink", Reward.Status.UNUSED, expires_in=60)
    _reward(customer, "Welcome pastry", Reward.Status.USED, expires_in=30, used=True)
    _reward(customer, "Summer special", Reward.Status.EXPIRED, expires_in=-10)


def _report(customer: Member, receipt: str, *, product: str, points: int, amount: Decimal) -> None:
    """As the shop's tills report it: ledger and balance follow."""
    partner_service.record_transaction(
        request_id=f"demo {receipt}",
        actor="demo",
        trace_id="demo",
        source_code="POS",
        receipt_number=receipt,
        partner_code="POS",
        member_identity_type="CRMMemberID",
        member_identity_number=customer.pk,
        type_code="Product",
        product_code=product,
        quantity="1",
        points=str(points),
        amount=f"{amount:.2f}",
        txn_date=wire_moment(timezone.now()),
        external_identity="",
        operator="POS",
        store_number="1001",
        reserve1="",
        reserve2="",
        reserve3="",
    )


def _reward(customer: Member, name: str, status: str, *, expires_in: int, used: bool = False) -> None:
    Reward.objects.create(
        member=customer,
        code=f"DEMO-{secrets.token_hex(4).upper()}",
        name=name,
        status=status,
        issued_at=timezone.now() - timedelta(days=40),
        expiry_date=timezone.localdate() + timedelta(days=expires_in),
        used_at=timezone.now() - timedelta(days=5) if used else None,
    )


def phones() -> Callable[[], str]:
    """Numbers that nobody in the demonstration shares unless meant to."""
    seen: set[str] = set()

    def fresh() -> str:
        while (number := f"139{digits(8)}") in seen:
            pass
        seen.add(number)
        return number

    return fresh
