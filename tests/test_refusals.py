"""Every refusal of the first nine operations, provoked at the front door: the contract's and those of decisions.md."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import time_machine
import yaml
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from cards.members import MemberStatus
from cards.models import Card, CardStatus
from customers.models import Member
from loyalty import authentication
from loyalty.models import Store
from loyalty.operations import REGISTRY
from loyalty.scopes import Scope
from sms.gateways.local import LocalGateway
from tests.conftest import MEI, PHONE, Api, Outbox, Printed, code_of, csv_file, holding, new_client, print_card

CONTRACT = yaml.safe_load(Path(__file__).with_name("contract.yaml").read_text())["operations"]
ATTACHED = (CardStatus.REGISTERED, CardStatus.DORMANT, CardStatus.IN_TRANSIT)
UNKNOWN_CARD = "6299999999999999"
NOBODY = "1-NOBODY0000"
FILE_SERVER_CODES = {5031, 5032}  # provoked in test_file_server.py, with a server


def yesterday() -> Any:
    return timezone.localdate() - timedelta(days=1)


def card_in(status: str = CardStatus.ACTIVE, **columns: Any) -> Printed:
    if status in ATTACHED:
        columns.setdefault("customer", Member.objects.create())
    return print_card(status=status, **columns)


@dataclass
class Shopper:
    """Somebody with a card, a phone, and a key or a token where an operation wants one."""

    api: Api
    outbox: Outbox
    settings: Settings
    card: Printed = field(default_factory=print_card)

    def post(self, path: str, body: dict[str, Any], **changes: Any) -> Any:
        """What is changed to `...` is left out."""
        changed = {**body, **changes}
        return self.api.post(path, {name: value for name, value in changed.items() if value is not ...})

    def validate(self, **changes: Any) -> Any:
        return self.post("Cards/validate", {"cardNumber": self.card.number, "pin": self.card.pin}, **changes)

    def ask_pin(self, **changes: Any) -> Any:
        body = {"phoneNumber": PHONE, "template": "create-en", **self.card.credentials}
        return self.post("Customers/sms/sendRegisterPin", body, **changes)

    def ask_pin_holding(self, status: str) -> Any:
        return self.has(status=status).ask_pin()

    def create(self, **changes: Any) -> Any:
        """With a PIN that was sent, for another card, as a PIN belongs to a phone alone."""
        phone = changes.get("cellPhone", PHONE)
        self.ask_pin(phoneNumber=phone, **print_card().credentials)
        return self.create_with(self.outbox.pin(phone) if self.outbox.messages(phone) else "000000", **changes)

    def create_with(self, pin: Any, **changes: Any) -> Any:
        body = {**MEI, **self.card.credentials, "cellPhoneValidFlag": pin}
        return self.post("Customers/create", body, **changes)

    def create_holding(self, status: str) -> Any:
        return self.has(status=status).create()

    def log_in(self, user: str = MEI["userName"], password: str = MEI["password"]) -> Any:
        return self.api.post("Customers/login", {"user": user, "password": password})

    def is_free(self, user: str) -> Any:
        return self.api.post("Customers/userAvailable", {"user": user})

    def upload(self, file: Any) -> Any:
        return self.loader().form("Wechats/uploadCard", {"fileName": file})

    def loader_of(self, text: str) -> Callable[[], Any]:
        """One client that uploads the same file again and again."""
        client = self.loader()
        return lambda: client.form("Wechats/uploadCard", {"fileName": csv_file(text)})

    def loader(self) -> Api:
        return holding(self.api, Scope.WECHAT_LOAD)

    def wechat(self) -> Api:
        return holding(self.api, Scope.WECHAT)

    def has(self, **columns: Any) -> "Shopper":
        """Her card is another one."""
        self.card = card_in(**columns)
        return self

    def meets(self, status: str = MemberStatus.ACTIVE, name: str = "jo", email: str = "jo@example.com") -> "Shopper":
        """There is a member with this name and address."""
        member = Member(status=status)
        member.set_login(name, email)
        member.save()
        return self

    def joined(self, **columns: Any) -> "Shopper":
        """She is a customer already, later changed by staff."""
        assert self.create().status_code == 200
        Member.objects.filter(pk=self.card.customer_id).update(**columns)
        return self

    def token(self) -> Api:
        return self.api.with_headers(authorization=f"Bearer {authentication.issue_token(self.card.customer_id)[0]}")

    def gateway(self, customer_id: str | None) -> Api:
        """The app's gateway, acting for a customer."""
        header = {} if customer_id is None else {"x_customer_id": customer_id}
        return holding(self.api, Scope.CUSTOMERS, networks=["127.0.0.1"]).with_headers(**header)

    def limited(self, **limits: Any) -> "Shopper":
        for name, value in limits.items():
            setattr(self.settings, name, value)
        return self


@pytest.fixture
def shopper(api: Api, sms_outbox: Outbox, settings: Settings) -> Shopper:
    return Shopper(api, sms_outbox, settings)


def often(act: Callable[[], Any], times: int = 2) -> Any:
    return [act() for _ in range(times)][-1]


@dataclass(frozen=True)
class Case:
    code: int
    story: str
    act: Callable[[Shopper], Any]
    status: int = 400


def customer_cases(path: str) -> list[Case]:
    return [
        Case(401, "nobody", lambda s: s.api.get(path), 401),
        Case(401, "a bare id", lambda s: s.api.with_headers(x_customer_id=s.card.customer_id).get(path), 401),
        Case(401, "a made-up token", lambda s: s.api.with_headers(authorization="Bearer no").get(path), 401),
        Case(401, "another scheme", lambda s: s.api.with_headers(authorization="Basic bm86bm8=").get(path), 401),
        Case(
            401, "a made-up key", lambda s: s.api.with_headers(x_api_key="lk_no", x_customer_id=NOBODY).get(path), 401
        ),
        Case(403, "a key that draws cards", lambda s: s.wechat().with_headers(x_customer_id=NOBODY).get(path), 403),
        Case(403, "another's id", lambda s: s.joined().token().with_headers(x_customer_id=NOBODY).get(path), 403),
        Case(422, "no id", lambda s: s.gateway(None).get(path)),
        Case(422, "two ids", lambda s: s.gateway(f"{s.card.customer_id},{NOBODY}").get(path)),
        Case(422, "an id in small letters", lambda s: s.gateway("1-abc").get(path)),
        Case(402, "an unknown customer", lambda s: s.gateway(NOBODY).get(path)),
        Case(402, "an open member", lambda s: s.gateway(s.card.customer_id).get(path)),
        Case(402, "a blocked customer", lambda s: s.joined(status="Inactive").token().get(path)),
        Case(402, "a closed customer", lambda s: s.joined(status="Closed").token().get(path)),
        Case(402, "a closed one's id", lambda s: s.joined(status="Closed").gateway(s.card.customer_id).get(path)),
        Case(405, "another method", lambda s: s.joined().token().post(path), 405),
        Case(
            429,
            "a crowd",
            lambda s: often(partial(s.limited(READS_PER_CUSTOMER_MINUTE=1).joined().token().get, path)),
            429,
        ),
    ]


def joining_with(**changes: Any) -> Callable[[Shopper], Any]:
    return lambda s: s.create_with("123456", **changes)


GATEWAY = {refusal.code: phone for phone, refusal in LocalGateway.FAULTS.items()}
TABLE: dict[str, list[Case]] = {
    "Cards/validate": [
        Case(422, "no card number", lambda s: s.validate(cardNumber=None)),
        Case(422, "a number for a card number", lambda s: s.validate(cardNumber=6200000000000000)),
        Case(422, "a line break behind it", lambda s: s.validate(cardNumber=f"{s.card.number}\n")),
        Case(422, "no PIN", lambda s: s.validate(pin="")),
        Case(422, "a list for a PIN", lambda s: s.validate(pin=["246810"])),
        Case(422, "no object", lambda s: s.api.post("Cards/validate", "[]")),
        Case(422, "no JSON", lambda s: s.api.post("Cards/validate", "{")),
        Case(422, "a name twice", lambda s: s.api.post("Cards/validate", '{"pin":"1","pin":"1","cardNumber":"1"}')),
        Case(413, "too much", lambda s: s.limited(API_BODY_LIMIT=40).validate(), 413),
        Case(415, "XML", lambda s: s.api.post("Cards/validate", "<a/>", content_type="text/xml"), 415),
        Case(405, "another method", lambda s: s.api.get("Cards/validate"), 405),
        Case(105, "a wrong PIN", lambda s: s.validate(pin="000000")),
        Case(105, "a blank behind the PIN", lambda s: s.validate(pin="246810 ")),
        Case(20009, "wrong PINs", lambda s: often(lambda: s.validate(pin="000000"), 11)),
        Case(429, "a crowd", lambda s: often(s.limited(PUBLIC_RATE="1/min").validate), 429),
    ],
    "Customers/sms/sendRegisterPin": [
        Case(20003, "no phone", lambda s: s.ask_pin(phoneNumber=...)),
        Case(20003, "an empty phone", lambda s: s.ask_pin(phoneNumber="")),
        Case(-6, "a landline", lambda s: s.ask_pin(phoneNumber="02112345678")),
        Case(-6, "a country code", lambda s: s.ask_pin(phoneNumber=f"+86{PHONE}")),
        Case(-6, "a line break", lambda s: s.ask_pin(phoneNumber=f"{PHONE}\n")),
        Case(-6, "wide digits", lambda s: s.ask_pin(phoneNumber="１３８１２３４５６７８")),
        Case(-6, "a number for a phone", lambda s: s.ask_pin(phoneNumber=int(PHONE))),
        Case(20004, "no template", lambda s: s.ask_pin(template=...)),
        Case(20004, "an empty template", lambda s: s.ask_pin(template="")),
        Case(-7, "another operation's template", lambda s: s.ask_pin(template="update-cn")),
        Case(-7, "a template that is no PIN's", lambda s: s.ask_pin(template="welcome-en")),
        Case(422, "no card number", lambda s: s.ask_pin(cardNumber=...)),
        Case(422, "no card PIN", lambda s: s.ask_pin(cardPassword=...)),
        Case(104, "an unknown card", lambda s: s.ask_pin(cardNumber=UNKNOWN_CARD)),
        Case(105, "a wrong card PIN", lambda s: s.ask_pin(cardPassword="000000")),
        *(
            Case(code, f"a card that is {status}", partial(Shopper.ask_pin_holding, status=status))
            for status, code in {
                CardStatus.INACTIVE: 3006,
                CardStatus.REGISTERED: 106,
                CardStatus.DORMANT: 106,
                CardStatus.IN_TRANSIT: 106,
                CardStatus.EXPIRED: 3008,
                CardStatus.OBSOLETE: 3015,
                CardStatus.CANCELLED: 3015,
                CardStatus.RETURNED: 3015,
                CardStatus.ABOLISHED: 3015,
            }.items()
        ),
        Case(3008, "a card past its end date", lambda s: s.has(end_date=yesterday()).ask_pin()),
        *(
            Case(code, "the gateway says so", partial(Shopper.ask_pin, phoneNumber=phone))
            for code, phone in GATEWAY.items()
        ),
        Case(40001, "again at once", lambda s: often(s.ask_pin)),
        Case(20009, "wrong card PINs", lambda s: often(lambda: s.ask_pin(cardPassword="000000"), 11)),
        Case(429, "a crowd", lambda s: often(s.limited(PUBLIC_RATE="1/min").ask_pin), 429),
    ],
    "Customers/create": [
        *(Case(422, f"no {name}", joining_with(**{name: ...})) for name in (*MEI, "cardNumber", "cardPassword")),
        *(
            Case(422, f"{name} {value!r}", joining_with(**{name: value}))
            for name, value in (
                ("email", "mei"),
                ("email", "mıke@example.com"),
                ("birthday", "1990-07-15"),
                ("birthday", "02/30/1990"),
                ("birthday", "01/01/2999"),
                ("language", "FRA"),
                ("gender", "X"),
                ("optOut", 3),
                ("cellPhone", "1381234567"),
                ("userName", "jo@example.com"),
                ("firstName", "Mei\0"),
                ("password", "correct horse " * 10),
                ("data", []),  # where the model may stand
            )
        ),
        Case(-4, "a common password", lambda s: s.create(password="Password1")),
        Case(-4, "a short password", lambda s: s.create(password="x7!kqzp")),
        Case(-4, "the e-mail as password", lambda s: s.create(password=MEI["email"])),
        Case(-4, "the brand's name as password", lambda s: s.create(password="Loyalty2024")),
        Case(-4, "the user name as password", lambda s: s.create(password="mei.li2024", userName="mei.li202")),
        Case(20003, "an empty phone", lambda s: s.create_with("123456", cellPhone="")),
        Case(20006, "no PIN", lambda s: s.create_with(...), 423),
        Case(20005, "an empty PIN", lambda s: s.create_with("")),
        Case(10005, "a PIN that was never sent", lambda s: s.create_with("123456")),
        Case(20009, "wrong PINs", lambda s: often(lambda: s.create_with("123456"), 11)),
        *(
            Case(code, "the PIN's message failed", partial(Shopper.create, cellPhone=phone))
            for code, phone in GATEWAY.items()
        ),
        Case(3011, "a user name in use", lambda s: s.meets(name="MEI.LI").create()),
        Case(201, "a customer's e-mail", lambda s: s.meets(email="mei.li@EXAMPLE.com").create()),
        Case(202, "a closed customer's e-mail", lambda s: s.meets("Closed", email=MEI["email"]).create()),
        Case(204, "a blocked customer's e-mail", lambda s: s.meets("Inactive", email=MEI["email"]).create()),
        Case(104, "an unknown card", lambda s: s.create(cardNumber=UNKNOWN_CARD)),
        Case(105, "a wrong card PIN", lambda s: s.create(cardPassword="000000")),
        *(
            Case(108, f"a card that is {status}", partial(Shopper.create_holding, status=status))
            for status in CardStatus
            if status != CardStatus.ACTIVE
        ),
        Case(3008, "a card past its end date", lambda s: s.has(end_date=yesterday()).create()),
        Case(3009, "a blocked member", lambda s: s.has(member_status="Inactive").create()),
        Case(3009, "a closed member", lambda s: s.has(member_status="Closed").create()),
        Case(402, "a card without a member", lambda s: s.has(member=None).create()),
        Case(301, "an unknown store", lambda s: s.create(SourceCode="9999")),
        Case(429, "a crowd", lambda s: often(s.limited(PUBLIC_RATE="1/min").create), 429),
    ],
    "Customers/login": [
        Case(422, "no user", lambda s: s.api.post("Customers/login", {"password": "x"})),
        Case(422, "no password", lambda s: s.api.post("Customers/login", {"user": "mei.li"})),
        Case(403, "an unknown name", lambda s: s.log_in("nobody")),
        Case(403, "a wrong password", lambda s: s.joined().log_in(password="wrong")),
        Case(403, "a closed customer", lambda s: s.joined(status="Closed").log_in()),
        Case(403, "a blocked customer", lambda s: s.joined(status="Inactive").log_in()),
        Case(3016, "an e-mail to be activated", lambda s: s.joined(email_activation_due=True).log_in()),
        Case(3099, "a phone to be verified", lambda s: s.joined(cell_phone_verified=False).log_in()),
        Case(429, "wrong passwords", lambda s: often(lambda: s.log_in("nobody"), 11), 429),
    ],
    "Customers/detail": customer_cases("Customers/detail"),
    "Customers/cards/list": customer_cases("Customers/cards/list"),
    "Customers/userAvailable": [
        Case(422, "no user", lambda s: s.api.post("Customers/userAvailable", {})),
        Case(201, "a customer's name", lambda s: s.joined().is_free("Mei.Li")),
        Case(201, "a customer's e-mail", lambda s: s.joined().is_free("MEI.LI@example.com")),
        Case(201, "a blocked customer's name", lambda s: s.joined(status="Inactive").is_free("mei.li")),
        Case(202, "a closed customer's name", lambda s: s.joined(status="Closed").is_free("mei.li")),
        Case(202, "a closed customer's e-mail", lambda s: s.joined(status="Closed").is_free(MEI["email"])),
        Case(429, "a crowd", lambda s: often(lambda: s.is_free("free"), 21), 429),
    ],
    "Wechats/getCard": [
        Case(401, "no key", lambda s: s.api.get("Wechats/getCard"), 401),
        Case(401, "a made-up key", lambda s: s.api.with_headers(x_api_key="lk_no").get("Wechats/getCard"), 401),
        Case(403, "a key that may only load", lambda s: s.loader().get("Wechats/getCard"), 403),
        Case(403, "a customer", lambda s: s.joined().token().get("Wechats/getCard"), 403),
        Case(405, "another method", lambda s: s.wechat().post("Wechats/getCard"), 405),
        Case(4001, "an empty pool", lambda s: s.wechat().get("Wechats/getCard")),
        Case(
            429,
            "a crowd",
            lambda s: often(partial(s.limited(GETCARD_PER_CLIENT_MINUTE=1).wechat().get, "Wechats/getCard")),
            429,
        ),
    ],
    "Wechats/uploadCard": [
        Case(401, "no key", lambda s: s.api.post("Wechats/uploadCard"), 401),
        Case(403, "a key that may only draw", lambda s: s.wechat().post("Wechats/uploadCard"), 403),
        Case(4002, "another header", lambda s: s.upload(csv_file("card,pin\n"))),
        Case(4003, "a spreadsheet", lambda s: s.upload(csv_file("msrCard,pin\n", "cards.xls"))),
        Case(4003, "a spreadsheet's name", lambda s: s.upload("cards.xls")),
        Case(4007, "no such file", lambda s: s.upload("nothing.csv")),
        Case(422, "a number for a name", lambda s: s.loader().post("Wechats/uploadCard", {"fileName": 7})),
        Case(413, "too much", lambda s: s.limited(UPLOAD_BODY_LIMIT=9).upload(csv_file("m" * 9000)), 413),
        Case(
            429,
            "a crowd",
            lambda s: often(s.limited(UPLOADS_PER_CLIENT_HOUR=1).loader_of("msrCard,pin\n")),
            429,
        ),
    ],
}
CASES = [
    pytest.param(path, case, id=f"{path} {case.code} {case.story}") for path, cases in TABLE.items() for case in cases
]


@pytest.mark.parametrize(("path", "case"), CASES)
def test_an_operation_refuses(shopper: Shopper, path: str, case: Case) -> None:
    reply = case.act(shopper)
    assert code_of(reply, case.status) == case.code
    error = reply.json()["error"]
    assert error["name"] == name_of(path, case)
    assert error["reason"] == reasons(path).get(case.code, error["reason"])
    assert error["requestId"] == reply.headers["X-Request-ID"]
    assert (case.code in (429, 20001, 20009, 40001)) == ("Retry-After" in reply.headers)
    assert (case.status == 401) == ("WWW-Authenticate" in reply.headers)


def name_of(path: str, case: Case) -> str:
    if case.code in (422, 404, 405, 413, 415):
        return "ValidationError"
    if case.status in (401, 403):
        return "AuthorizationError"
    if case.status == 429:
        return "RateLimitError"
    return "SMSRequestError" if "/sms/" in path or case.status == 423 else "SiebelRequestError"


def reasons(path: str) -> dict[int, str]:
    """The contract's codes of an operation."""
    declared = next(entry for entry in CONTRACT if entry["path"] == f"/api/{path}")
    listed = [error.split() for errors in declared.get("errors", {}).values() for error in errors]
    return {int(code): reason for code, reason in listed}


@pytest.mark.parametrize("path", TABLE)
def test_no_code_of_the_contract_or_of_the_schema_is_left_out(path: str) -> None:
    provoked = {case.code for case in TABLE[path]}
    assert set(reasons(path)) - provoked == set()
    assert {refusal.code for refusal in REGISTRY[path].refuses} - provoked - FILE_SERVER_CODES == set()


def test_where_several_refusals_apply_the_order_is_that_of_the_contract(shopper: Shopper) -> None:
    shopper.meets(name="taken").meets("Closed", name="other", email="taken@example.com")
    Store.objects.create(number="1002", is_open=False)
    shopper.ask_pin()
    blocked = card_in(member_status=MemberStatus.INACTIVE, end_date=yesterday())
    wrong = {
        "birthday": "15/07/1990",
        "password": "12345678",
        "cellPhoneValidFlag": "000000",
        "userName": "taken",
        "email": "taken@example.com",
        "cardNumber": UNKNOWN_CARD,
        "cardPassword": "000000",
        "SourceCode": "1002",
    }
    for code, mended in (
        (422, {"birthday": MEI["birthday"]}),
        (10005, {"cellPhoneValidFlag": shopper.outbox.pin()}),
        (-4, {"password": MEI["password"]}),
        (3011, {"userName": "mei.li"}),
        (202, {"email": MEI["email"]}),
        (104, {"cardNumber": blocked.number}),
        (105, {"cardPassword": blocked.pin}),
        (3008, {"cardNumber": card_in(member_status=MemberStatus.INACTIVE).number}),
        (3009, {"cardNumber": shopper.card.number}),
        (301, {"SourceCode": Store.objects.create(number="1001").number}),
    ):
        assert code_of(shopper.create_with("", **wrong)) == code
        wrong |= mended
    assert shopper.create_with("", **wrong).status_code == 200


def test_a_pin_is_not_sent_before_everything_else_is_right(shopper: Shopper) -> None:
    wrong: dict[str, Any] = {"phoneNumber": "1", "cardNumber": UNKNOWN_CARD, "cardPassword": "000000"}
    inactive = card_in(CardStatus.INACTIVE)
    for code, mended in (
        (-6, {"phoneNumber": PHONE}),
        (104, {"cardNumber": inactive.number}),
        (105, {"cardPassword": inactive.pin}),
        (3006, {"cardNumber": shopper.card.number}),
    ):
        assert code_of(shopper.ask_pin(**wrong)) == code
        wrong |= mended
        assert shopper.outbox.messages() == []
    assert shopper.ask_pin(**wrong).json() == {"success": True}
    assert len(shopper.outbox.messages()) == 1


@pytest.mark.parametrize(
    ("columns", "state_code"),
    [
        ({"status": CardStatus.INACTIVE}, "CardInactive"),
        ({"status": CardStatus.ACTIVE}, "CardActive"),
        ({"status": CardStatus.REGISTERED}, "CardAlreadyRegistered"),
        ({"status": CardStatus.DORMANT}, "CardAlreadyRegistered"),
        ({"status": CardStatus.IN_TRANSIT}, "CardAlreadyRegistered"),
        ({"status": CardStatus.OBSOLETE}, "CardExpiredOrCancelled"),
        ({"status": CardStatus.EXPIRED}, "CardExpiredOrCancelled"),
        ({"status": CardStatus.CANCELLED}, "CardExpiredOrCancelled"),
        ({"status": CardStatus.RETURNED}, "CardExpiredOrCancelled"),
        ({"status": CardStatus.ABOLISHED}, "CardExpiredOrCancelled"),
    ],
    ids=str,
)
def test_a_card_in_each_state_is_described(shopper: Shopper, columns: dict[str, Any], state_code: str) -> None:
    reply = shopper.has(**columns).validate()
    assert reply.json() == {
        "cardNumber": shopper.card.number,
        "state": columns["status"],
        "stateCode": state_code,
    }
    assert code_of(shopper.validate(pin="000000")) == 105


def test_a_card_is_good_until_the_end_of_its_last_day(shopper: Shopper) -> None:
    assert shopper.has(end_date=timezone.localdate()).validate().json()["stateCode"] == "CardActive"
    over = shopper.has(end_date=yesterday()).validate().json()
    assert (over["state"], over["stateCode"]) == ("Active", "CardExpiredOrCancelled")


def test_an_unknown_card_is_no_error(shopper: Shopper) -> None:
    assert shopper.validate(cardNumber=UNKNOWN_CARD).json() == {
        "cardNumber": UNKNOWN_CARD,
        "state": "NotFound",
        "stateCode": "CardNotFound",
    }


def test_one_cannot_tell_why_a_log_in_failed(shopper: Shopper) -> None:
    shopper.joined()
    answers = [shopper.log_in("nobody"), shopper.log_in(password="wrong")]
    for status in (MemberStatus.CLOSED, MemberStatus.INACTIVE):
        Member.objects.filter(pk=shopper.card.customer_id).update(status=status)
        answers += [shopper.log_in(), shopper.log_in(password="wrong")]
    unlike = {"X-Request-ID"}
    bodies = [{**reply.json()["error"], "requestId": ""} for reply in answers]
    headers = [{name: text for name, text in reply.items() if name not in unlike} for reply in answers]
    assert [body for body in bodies if body != bodies[0]] == []
    assert [header for header in headers if header != headers[0]] == []
    assert len({len(reply.content) for reply in answers}) == 1


@pytest.mark.embedded
def test_a_log_in_costs_one_hash_whoever_it_names(shopper: Shopper, hashes: list[str]) -> None:
    shopper.joined()
    for columns, user, password in (
        ({}, "nobody", "wrong"),
        ({}, "nobody@example.com", MEI["password"]),
        ({}, "mei.li", "wrong"),
        ({}, "mei.li", MEI["password"]),
        ({"email_activation_due": True}, "mei.li", MEI["password"]),
        ({"status": MemberStatus.CLOSED}, "mei.li", MEI["password"]),
        ({"status": MemberStatus.INACTIVE}, "mei.li", "wrong"),
        ({"password": ""}, "mei.li", MEI["password"]),
    ):
        Member.objects.filter(pk=shopper.card.customer_id).update(**columns)
        hashes.clear()
        shopper.log_in(user, password)
        assert len(hashes) == 1, columns


@pytest.mark.parametrize("column", ["email_activation_due", "cell_phone_verified"])
def test_only_the_right_password_is_told_what_is_missing(shopper: Shopper, column: str) -> None:
    shopper.joined(**{column: column == "email_activation_due"})
    assert code_of(shopper.log_in(password="wrong")) == 403
    assert code_of(shopper.log_in()) in (3016, 3099)


@pytest.mark.parametrize("user", ["mei.li", "MEI.LI", "Mei.Li@example.com", "mei.li@EXAMPLE.COM", " mei.li "])
def test_a_customer_logs_in_by_name_or_e_mail_in_any_case(shopper: Shopper, user: str) -> None:
    shopper.joined()
    reply = shopper.log_in(user)
    assert reply.json().keys() == {"customerId", "token", "expiresIn"}
    assert reply.json()["customerId"] == reply.headers["x-customer-id"] == shopper.card.customer_id
    assert code_of(shopper.log_in(user, MEI["password"].upper())) == 403


def test_a_token_ends_with_its_time(shopper: Shopper) -> None:
    mei = shopper.joined().api.log_in(MEI["userName"], MEI["password"])
    life = shopper.log_in().json()["expiresIn"]
    with time_machine.travel(timezone.now() + timedelta(seconds=life - 60)):
        assert mei.get("Customers/detail").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=life + 1)):
        assert code_of(mei.get("Customers/detail"), 401) == 401


def test_a_revoked_token_opens_nothing_more(shopper: Shopper) -> None:
    mei = shopper.joined().api.log_in(MEI["userName"], MEI["password"])
    assert authentication.revoke_tokens(shopper.card.customer_id) == 1
    assert code_of(mei.get("Customers/detail"), 401) == 401
    assert shopper.log_in().status_code == 200


def test_a_token_decides_alone(shopper: Shopper) -> None:
    """A key beside it adds nothing, and an old one does not stand between its owner and the log-in."""
    key = shopper.joined().gateway(None).headers["x-api-key"]
    other = card_in(CardStatus.REGISTERED, customer=Member.objects.create())
    both = shopper.token().with_headers(x_api_key=key)
    assert both.get("Customers/detail").json()["customerId"] == shopper.card.customer_id
    assert code_of(both.with_headers(x_customer_id=other.customer_id).get("Customers/detail"), 403) == 403
    assert code_of(both.with_headers(authorization="Bearer no").get("Customers/detail"), 401) == 401
    shopper.api = shopper.api.with_headers(authorization="Bearer no")
    assert shopper.log_in().status_code == 200


@pytest.mark.parametrize("path", ["Customers/detail", "Customers/cards/list", "Wechats/getCard"])
def test_a_staff_session_means_nothing_here(shopper: Shopper, path: str) -> None:
    shopper.api.client.force_login(User.objects.create_superuser("boss"))
    assert code_of(shopper.api.with_headers(x_customer_id=NOBODY).get(path), 401) == 401
    assert code_of(shopper.api.get(path), 401) == 401


def test_a_key_opens_nothing_once_revoked_expired_switched_off_or_elsewhere(shopper: Shopper) -> None:
    now = timezone.now()
    for scopes, columns in (
        ((Scope.WECHAT,), {"expires_at": now}),
        ((Scope.WECHAT,), {"is_active": False}),
        ((Scope.WECHAT,), {"networks": ["10.0.0.0/8"]}),
    ):
        assert code_of(holding(shopper.api, *scopes, **columns).get("Wechats/getCard"), 401) == 401
    client, key = new_client(Scope.WECHAT, networks=["127.0.0.1"])
    caller = shopper.api.with_headers(x_api_key=key)
    assert code_of(caller.get("Wechats/getCard")) == 4001
    authentication.revoke_key(client.keys.get())
    assert code_of(caller.get("Wechats/getCard"), 401) == 401


def test_head_is_refused_and_draws_no_card(shopper: Shopper) -> None:
    assert shopper.wechat().request("HEAD", "/api/Wechats/getCard").status_code == 405
    assert shopper.wechat().request("OPTIONS", "/api/Wechats/getCard").status_code == 405


def test_a_refused_registration_leaves_card_and_member_as_they_were(shopper: Shopper) -> None:
    before = Member.objects.filter(pk=shopper.card.customer_id).values().get()
    assert code_of(shopper.create(SourceCode="9999")) == 301
    assert Member.objects.filter(pk=shopper.card.customer_id).values().get() == before
    assert Card.objects.get(number=shopper.card.number).status == CardStatus.ACTIVE
    assert shopper.create_with(shopper.outbox.pin()).status_code == 200
