"""A partner reports transactions: one effect a receipt, stars to the ledger, the SVC balance to the customer's page."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from cards.models import CardStatus
from customers.models import Member
from loyalty import authentication
from loyalty.models import Store
from loyalty.operations import REGISTRY
from loyalty.scopes import Scope
from orders import ledger
from orders.models import PartnerTransaction, RefusedTransaction, StarEntry
from tests.conftest import Api, at_once, code_of, holding, print_card
from tests.effects import everything

PATH = "PaymentReferences/partner/transaction"
MANY = 40


def active(name: str = "mei", status: str = "Active") -> Member:
    member = Member(status=status)
    member.set_login(name, f"{name}@example.com")
    member.save()
    return member


class Partner:
    """The account management system, which reports SVC balances and stars of one customer."""

    def __init__(self, **codes: list[str]) -> None:
        self.mei = active()
        self.api = holding(Api(), Scope.PARTNER, **{"source_codes": ["AMS"], "partner_codes": ["AMS"], **codes})
        self.said: dict[str, Any] = {
            "memIdentityNumber": self.mei.pk,
            "memIdentityType": "CRMMemberID",
            "partnerCode": "AMS",
            "typeCode": "Product",
            "receiptNumber": "R-1",
            "productCode": "SVC",
            "points": "25",
            "txnDate": "07/31/2026 18:30:00",
            "sourceCode": "AMS",
        }

    def report(self, **changes: Any) -> Any:
        """What is changed to `...` is left out."""
        said = {**self.said, **changes}
        return self.api.post(PATH, {name: value for name, value in said.items() if value is not ...})

    def with_card(self, status: str, **changes: Any) -> Any:
        customer = self.mei if status in (CardStatus.REGISTERED, CardStatus.DORMANT, CardStatus.OBSOLETE) else None
        card = print_card(status=status, customer=customer)
        return self.report(memIdentityType="CardNumber", memIdentityNumber=card.number, **changes)

    def detail(self) -> Any:
        token, _ = authentication.issue_token(self.mei.pk)
        return Api({"authorization": f"Bearer {token}"}).get("Customers/detail").json()

    def known_with(self, **changes: Any) -> Any:
        """A receipt that was accepted before, now with something else in it."""
        assert self.report().status_code == 200
        return self.report(**changes)


@pytest.fixture
def partner(database: None, settings: Settings) -> Partner:
    settings.LIMITS_SCALE = 1000
    return Partner()


def stars_add_up(member: Member) -> int:
    """The balance, which the kept total and the sum of the entries agree on."""
    member.refresh_from_db()
    assert member.star_balance == ledger.balance_of(member.pk) == sum(e.points for e in member.star_entries.all())
    return member.star_balance


def test_a_receipt_earns_stars_and_names_the_svc_balance(partner: Partner) -> None:
    answer = partner.report(externalIdentity="9001", amount="88.5").json()
    row = PartnerTransaction.objects.get()
    assert answer == {
        "transactionId": row.pk,
        "receiptNumber": "R-1",
        "customerId": partner.mei.pk,
        "starBalance": 25,
        "svcBalance": "88.50",
        "status": "Accepted",
    }
    assert row.txn_at.isoformat() == "2026-07-31T10:30:00+00:00"
    entry = StarEntry.objects.get()
    assert (entry.kind, entry.points, entry.balance, entry.position) == ("earn", 25, 25, 1)
    assert (entry.source, entry.key) == ("partner AMS", "receipt AMS R-1")
    detail = partner.detail()
    assert (detail["starBalance"], detail["svc"]) == (25, "88.50")
    assert stars_add_up(partner.mei) == 25


def test_the_same_again_is_answered_with_the_first_result(partner: Partner) -> None:
    first = partner.report(amount="1.50", externalIdentity="9001").json()
    assert partner.report(receiptNumber="R-2").json()["starBalance"] == 50
    before = everything()
    same = {"amount": "1.5", "externalIdentity": "9001", "quantity": "1", "operator": None, "reserve1": ""}
    assert partner.report(**same).json() == first
    Store.objects.all().delete()
    Member.objects.filter(pk=partner.mei.pk).update(status="Closed")
    assert partner.report(**same).json() == first
    Member.objects.filter(pk=partner.mei.pk).update(status="Active")
    changed = {table for table, rows in everything().items() if rows != before[table]}
    assert changed <= {"loyalty_siebelrequest", "loyalty_siebelwrite"}


def test_a_form_may_leave_out_what_is_null_for_the_account_system(partner: Partner) -> None:
    empty = dict.fromkeys(("storeNumber", "reserve1", "reserve2", "reserve3", "externalIdentity", "operator"), "")
    answer = partner.api.form(PATH, {**partner.said, **empty, "points": "", "amount": "", "quantity": ""}).json()
    assert (answer["starBalance"], answer["svcBalance"]) == (0, None)
    row = PartnerTransaction.objects.get()
    assert (row.quantity, row.points, str(row.amount), row.store_id) == (1, 0, "0.00", None)
    assert not StarEntry.objects.exists()


def test_every_field_of_the_seed_is_kept(partner: Partner) -> None:
    Store.objects.create(number="1001", name="Nanjing Road")
    said = {"quantity": "3", "operator": "AMS 店", "storeNumber": "1001", "amount": "-9999999999.99"}
    assert partner.report(**said, reserve1="a", reserve2="b", reserve3="c").status_code == 200
    row = PartnerTransaction.objects.get()
    kept = (str(row.quantity), row.operator, row.store and row.store.number, str(row.amount))
    assert kept == tuple(said.values())
    assert (row.reserve1, row.reserve2, row.reserve3) == ("a", "b", "c")
    assert (row.partner_code, row.source_code, row.type_code, row.product_code) == ("AMS", "AMS", "Product", "SVC")


def test_stars_are_redeemed_down_to_nothing(partner: Partner) -> None:
    partner.report()
    assert partner.report(receiptNumber="R-2", points="-25").json()["starBalance"] == 0
    assert [entry.kind for entry in StarEntry.objects.all()] == ["redeem", "earn"]
    assert code_of(partner.report(receiptNumber="R-3", points="-1")) == 3102
    assert stars_add_up(partner.mei) == 0


@pytest.mark.parametrize("status", [CardStatus.REGISTERED, CardStatus.DORMANT])
def test_a_card_names_its_customer(partner: Partner, status: str) -> None:
    assert partner.with_card(status).json()["customerId"] == partner.mei.pk
    assert PartnerTransaction.objects.get().card_number.startswith("6200")


def test_the_last_svc_balance_is_that_of_the_last_transaction(partner: Partner) -> None:
    for receipt, identity, amount, at in (
        ("R-1", "9001", "10", "07/31/2026 18:30:00"),
        ("R-2", "9002", "20", "08/01/2026 18:30:00"),
        ("R-3", "9001", "30", "07/30/2026 18:30:00"),  # it came late
        ("R-4", "", "40", "08/02/2026 18:30:00"),  # of no SVC card
    ):
        partner.report(receiptNumber=receipt, externalIdentity=identity, amount=amount, txnDate=at)
    assert partner.detail()["svc"] == "20.00"
    history = PartnerTransaction.objects.filter(external_identity="9001").order_by("-effective_at")
    assert [str(row.amount) for row in history] == ["10.00", "30.00"]
    partner.report(receiptNumber="R-5", externalIdentity="9001", amount="50", txnDate="07/31/2099 18:30:00")
    partner.report(receiptNumber="R-6", externalIdentity="9001", amount="60", txnDate="07/31/2099 18:30:00")
    assert partner.detail()["svc"] == "60.00"  # a date to come does not stand in the way of what comes later


# Refusals


MALFORMED: list[tuple[str, Any]] = [
    *(
        (name, value)
        for name in ("points", "amount", "quantity")
        for value in ("1E+2", "１", "٣", "1" * 14, "-0", "NaN")
    ),
    *((name, value) for name in ("points", "amount", "quantity") for value in ("Infinity", " 5", "5\n", "+5", "05", 5)),
    *(
        (name, value)
        for name in ("points", "amount", "quantity")
        for value in ("0x1", "1_0", "1,0", True, ["5"], {"a": 1})
    ),
    *(("points", value) for value in ("1.0", "10000000", "-10000000")),
    *(("amount", value) for value in ("1.", ".5", "1.005", "-0.00", "10000000000", "--1", "1.0.0")),
    *(("quantity", value) for value in ("0", "-1", "1.0", "1000000")),
    *(("txnDate", value) for value in (..., "", "07/31/2026", "2026-07-31 18:30:00", "02/30/2026 00:00:00")),
    *(("txnDate", value) for value in ("07/31/2026 24:00:00", "07/31/1999 00:00:00", "07/31/2026 18:30:00\n", 7)),
    *(("txnDate", value) for value in ("０7/31/2026 18:30:00", "07/31/2026 18:30:00Z", "07/31/9999 00:00:00")),
    *(("receiptNumber", value) for value in (..., "", None, "=1+1", "R 1", "R\0", "R" * 61, 1, "Ｒ1", "-1")),
    *(("sourceCode", value) for value in (..., "", "A MS", "*", "A" * 31)),
    *(("partnerCode", value) for value in (..., "", "*", None)),
    *(("memIdentityNumber", value) for value in (..., "", "1'--", "1" * 31)),
    *(("memIdentityType", value) for value in (..., "", "Phone", "crmmemberid")),
    *(("typeCode", value) for value in (..., "Service", None)),
    *(("productCode", value) for value in (..., "", "S V C")),
    *(("externalIdentity", value) for value in ("=9001", "9" * 61, 9)),
    *((name, value) for name in ("operator", "storeNumber", "reserve1") for value in ("x" * 201, "\0", 5, ["x"])),
]


@pytest.mark.parametrize(("name", "value"), MALFORMED, ids=repr)
def test_a_field_out_of_pattern_is_refused(partner: Partner, name: str, value: Any) -> None:
    reply = partner.report(**{name: value})
    assert code_of(reply) == 422
    assert list(reply.json()["error"]["details"]) == [name]
    assert not PartnerTransaction.objects.exists()


REFUSALS: list[tuple[int, str, Callable[[Partner], Any]]] = [
    (402, "an unknown member", lambda p: p.report(memIdentityNumber="1-NOBODY0000")),
    (402, "what is no id", lambda p: p.report(memIdentityNumber="6200")),
    (402, "an open member", lambda p: p.report(memIdentityNumber=Member.objects.create().pk)),
    (402, "a closed customer", lambda p: p.report(memIdentityNumber=active("tom", "Closed").pk)),
    (402, "a blocked customer", lambda p: p.report(memIdentityNumber=active("tom", "Inactive").pk)),
    (402, "a card nobody has", lambda p: p.with_card(CardStatus.ACTIVE)),
    (402, "a lost card", lambda p: p.with_card(CardStatus.OBSOLETE)),
    (104, "an unknown card", lambda p: p.report(memIdentityType="CardNumber", memIdentityNumber="6299")),
    (104, "an id for a card", lambda p: p.report(memIdentityType="CardNumber")),
    (301, "an unknown store", lambda p: p.report(storeNumber="9999")),
    (3102, "more stars than there are", lambda p: p.report(points="-1")),
    *(
        (3101, f"another {name}", lambda p, name=name, value=value: p.known_with(**{name: value}))
        for name, value in {
            "points": "26",
            "amount": "0.01",
            "quantity": "2",
            "productCode": "TEA",
            "txnDate": "07/31/2026 18:30:01",
            "externalIdentity": "9001",
            "memIdentityNumber": "1-NOBODY0000",
            "memIdentityType": "CardNumber",
            "storeNumber": "9999",
            "operator": "AMS",
            "reserve3": "x",
        }.items()
    ),
]


@pytest.mark.parametrize(("code", "story", "act"), REFUSALS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_transaction_is_refused(partner: Partner, code: int, story: str, act: Callable[[Partner], Any]) -> None:
    reply = act(partner)
    assert code_of(reply) == code
    assert reply.json()["error"]["name"] == "SiebelRequestError"
    noted = RefusedTransaction.objects.get()
    assert (noted.reason, noted.receipt_number) == (reply.json()["error"]["reason"], "R-1")
    assert stars_add_up(partner.mei) in (0, 25)


def test_no_code_of_the_operation_is_left_out() -> None:
    assert {refusal.code for refusal in REGISTRY[PATH].refuses} == {code for code, _, _ in REFUSALS}


@pytest.mark.parametrize(
    ("codes", "changes"),
    [
        ({}, {"sourceCode": "POS"}),
        ({}, {"partnerCode": "POS"}),
        ({"source_codes": []}, {}),
        ({"partner_codes": []}, {}),
        ({"source_codes": ["*"]}, {"partnerCode": "POS"}),
        ({}, {"sourceCode": "ams"}),
    ],
)
def test_a_key_reports_under_its_own_codes_alone(
    database: None, codes: dict[str, list[str]], changes: dict[str, str]
) -> None:
    partner = Partner(**codes)
    before = everything()
    assert code_of(partner.report(**changes), 403) == 403
    assert everything() == before


def test_a_star_stands_for_any_code(database: None) -> None:
    partner = Partner(source_codes=["*"], partner_codes=["*"])
    assert partner.report(sourceCode="POS", partnerCode="SHOP").status_code == 200


def test_where_several_refusals_apply_the_order_is_that_of_the_contract(partner: Partner) -> None:
    partner.report(receiptNumber="R-0")
    wrong = {
        "points": "-26",
        "txnDate": "now",
        "sourceCode": "POS",
        "receiptNumber": "R-0",
        "memIdentityType": "CardNumber",
        "memIdentityNumber": "6299",
        "storeNumber": "9999",
    }
    unregistered = print_card()
    for code, mended in (
        (422, {"txnDate": "07/31/2026 18:30:00"}),
        (403, {"sourceCode": "AMS"}),
        (3101, {"receiptNumber": "R-1"}),
        (104, {"memIdentityNumber": unregistered.number}),
        (402, {"memIdentityNumber": partner.mei.pk, "memIdentityType": "CRMMemberID"}),
        (301, {"storeNumber": Store.objects.create(number="1001").number}),
        (3102, {"points": "-25"}),
    ):
        assert code_of(partner.report(**wrong), 403 if code == 403 else 400) == code
        wrong |= mended
    assert partner.report(**wrong).json()["starBalance"] == 0


# At once


def test_forty_reports_of_one_receipt_have_one_effect(partner: Partner) -> None:
    replies = at_once(MANY, lambda _: partner.report())
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.content for reply in replies}) == PartnerTransaction.objects.count() == 1
    assert stars_add_up(partner.mei) == 25


def test_one_receipt_that_takes_the_last_stars_takes_them_once(partner: Partner) -> None:
    partner.report()
    replies = at_once(MANY, lambda _: partner.report(receiptNumber="R-2", points="-25"))
    assert {reply.status_code for reply in replies} == {200}
    assert stars_add_up(partner.mei) == 0


def test_of_forty_contents_of_one_receipt_one_counts(partner: Partner) -> None:
    replies = at_once(MANY, lambda n: partner.report(points=str(n + 1)))
    assert Counter(reply.status_code for reply in replies) == {200: 1, 400: MANY - 1}
    assert {code_of(reply) for reply in replies if reply.status_code == 400} == {3101}
    assert stars_add_up(partner.mei) == PartnerTransaction.objects.get().points


def test_of_forty_customers_on_one_receipt_one_gets_it(partner: Partner) -> None:
    members = [active(f"name{number}").pk for number in range(MANY)]
    replies = at_once(MANY, lambda n: partner.report(memIdentityNumber=members[n]))
    assert Counter(reply.status_code for reply in replies) == {200: 1, 400: MANY - 1}
    assert StarEntry.objects.count() == 1


def test_forty_receipts_of_one_customer_all_count(partner: Partner) -> None:
    replies = at_once(MANY, lambda n: partner.report(receiptNumber=f"R-{n}", points=str(n + 1)))
    assert {reply.status_code for reply in replies} == {200}
    assert stars_add_up(partner.mei) == MANY * (MANY + 1) // 2
    assert len({reply.json()["starBalance"] for reply in replies}) == MANY
