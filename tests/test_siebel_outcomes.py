"""Writes to a Siebel that fails: nothing is guessed, nothing happens twice, both databases agree. (Over HTTP alone.)"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Sum
from pytest_django import Settings

from customers.models import Address, ConsentChange, Member
from loyalty import tasks
from loyalty.models import SiebelRequest, SiebelWrite
from loyalty.scopes import Scope
from orders.models import PartnerTransaction, StarEntry
from tests.conftest import Api, at_once, code_of, holding
from tests.crm import SiebelProcess
from tests.test_card_life import as_customer, new_customer
from tests.test_retries import keyed

OPT, ADD, REPORT = "Customers/updateOpt", "Customers/addresses/add", "PaymentReferences/partner/transaction"
NO = {"communicationType": "1"}
MANY = 99


@pytest.fixture
def mei(database: None) -> Member:
    return new_customer()


@pytest.fixture
def hers(api: Api, mei: Member) -> Api:
    return keyed(as_customer(api, mei))


def settle() -> None:
    """The task, as it runs once the time for the next question has come."""
    SiebelWrite.objects.update(ask_at="2020-01-01T00:00:00Z")
    tasks.settle_writes()


def states() -> list[str]:
    """Of the writes, in the order in which they were sent."""
    return list(SiebelWrite.objects.order_by("pk").values_list("state", flat=True))


def test_a_write_that_is_done_or_refused_is_noted_so(hers: Api, siebel: SiebelProcess) -> None:
    answer = hers.post(OPT, NO, headers={"X-Request-ID": "find-me-7"})
    assert answer.status_code == 200
    row = SiebelWrite.objects.get()
    assert (row.service, row.method, row.state, row.trace_id) == ("Loyalty Member", "UpdateOpt", "done", "find-me-7")
    assert SiebelRequest.objects.get().pk == row.request_id
    assert code_of(hers.with_headers(idempotency_key="2").post("Customers/cards/wake", {"cardNumber": "1"})) == 104
    assert states() == ["done", "refused"]


@pytest.mark.parametrize("fault", ["cut-after", "garbage", "huge", "empty"])
def test_what_was_done_without_an_answer_is_found_out_and_answered(
    hers: Api, siebel: SiebelProcess, fault: str
) -> None:
    siebel.fail(fault)
    assert hers.post(OPT, NO).status_code == 200
    assert states() == ["done"]
    assert ConsentChange.objects.count() == 1


@pytest.mark.parametrize("fault", [{"fault": "cut-before"}, {"fault": "status", "status": 502}, {"fault": "sbl"}])
def test_what_was_not_done_is_sent_again_under_another_request_id(
    hers: Api, siebel: SiebelProcess, fault: dict[str, Any]
) -> None:
    siebel.fail(**fault)
    assert hers.post(OPT, NO).status_code == 200
    assert states() == ["refused", "done"]
    assert ConsentChange.objects.count() == 1
    assert siebel.state()["repeated"] == []


def test_a_write_that_siebel_was_too_slow_for_is_settled_later(hers: Api, siebel: SiebelProcess) -> None:
    siebel.fail("hang", seconds=2)
    assert code_of(hers.post(OPT, NO), 504) == 5040
    assert states() == ["unknown"]
    settle()
    assert states() == ["done"]
    assert hers.post(OPT, NO).status_code == 200
    assert ConsentChange.objects.count() == 1
    assert states() == ["done"]


def test_what_is_called_not_done_never_will_be(hers: Api, siebel: SiebelProcess) -> None:
    siebel.fail("delay", seconds=2)
    assert code_of(hers.post(OPT, NO), 504) == 5040
    settle()
    assert states() == ["refused"]
    time.sleep(1.5)  # it gets to it now
    assert ConsentChange.objects.count() == 0
    assert hers.post(OPT, NO).status_code == 200
    assert states() == ["refused", "done"]
    assert ConsentChange.objects.count() == 1


def test_an_unknown_write_is_not_sent_again_while_nobody_can_tell(hers: Api, siebel: SiebelProcess) -> None:
    siebel.fail("cut-before", service="Loyalty Member", times=MANY)
    siebel.fail("sbl", service="Loyalty Request", times=MANY)
    calls = siebel.state()["calls"].get("Loyalty Member.UpdateOpt", 0)
    for _ in range(3):
        assert code_of(hers.post(OPT, NO), 504) == 5040
    assert siebel.state()["calls"]["Loyalty Member.UpdateOpt"] == calls + 1
    settle()
    assert states() == ["unknown"]
    row = SiebelWrite.objects.get()
    assert row.asks == 1
    assert row.ask_at > row.sent_at


def test_a_siebel_that_is_gone_is_503_and_no_write_is_open(hers: Api, siebel: SiebelProcess) -> None:
    siebel.fail("down", seconds=2.5)
    hers.get("Customers/cards/list")
    assert code_of(hers.post(OPT, NO), 503) == 5030
    assert set(states()) == {"refused"}
    time.sleep(2.5)
    assert hers.post(OPT, NO).status_code == 200
    assert ConsentChange.objects.count() == 1


def test_a_write_whose_sender_died_is_asked_for(hers: Api, siebel: SiebelProcess) -> None:
    hers.post(OPT, NO)
    SiebelWrite.objects.update(state="sent", settled_at=None)
    settle()
    assert states() == ["sent"]  # it may still be under way
    SiebelWrite.objects.update(sent_at="2020-01-01T00:00:00Z")
    settle()
    assert states() == ["done"]


def test_rows_long_settled_are_dropped_and_open_ones_stay(hers: Api, siebel: SiebelProcess) -> None:
    for state, settled_at in (("done", "2020-01-01T00:00:00Z"), ("unknown", None)):
        SiebelWrite.objects.create(request_id=state, state=state, sent_at="2020-01-01T00:00:00Z", settled_at=settled_at)
    tasks.sweep_expired()
    assert states() == ["unknown"]


# F9: Siebel does the work and then falls silent, is cut off, answers nonsense, and recovers


FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "cut-before"},
    {"fault": "cut-after"},
    {"fault": "hang", "seconds": 1.0},
    {"fault": "delay", "seconds": 0.8},
    {"fault": "garbage"},
    {"fault": "sbl"},
    {"fault": "status", "status": 503},
)


class Work:
    """Something that a client wants done once: it asks with one key until it knows."""

    def __init__(self, number: int, post: Callable[[], Any]) -> None:
        self.number, self.post = number, post
        self.answers: list[int] = []

    def insist(self, tries: int) -> None:
        for _ in range(tries):
            answer = self.post()
            self.answers.append(answer.status_code)
            if answer.status_code < 500:
                return
            time.sleep(0.05)


@pytest.mark.parametrize("count", [pytest.param(60, id="short"), pytest.param(500, marks=pytest.mark.long, id="long")])
@pytest.mark.timeout(600)
def test_no_write_is_lost_doubled_or_guessed(
    api: Api, mei: Member, siebel: SiebelProcess, settings: Settings, count: int
) -> None:
    settings.SIEBEL_DEADLINE_SECONDS, settings.SIEBEL_BREAKER_SECONDS, settings.LIMITS_SCALE = 0.5, 0.2, 1000
    settings.WRITES_PER_CUSTOMER_MINUTE = 10**6
    partner = holding(api, Scope.PARTNER, source_codes=["AMS"], partner_codes=["AMS"])
    hers = as_customer(api, mei)
    work = [Work(number, post_of(number, hers, partner, mei)) for number in range(count)]
    for fault in FAULTS:
        siebel.fail(**fault, share=0.05, times=10**6)

    def client(thread: int) -> None:
        for each in work[thread::8]:
            each.insist(4)

    at_once(8, client)
    siebel.recover()
    time.sleep(1.2)  # what hangs ends
    settle()
    assert not SiebelWrite.objects.filter(state="unknown").exists()
    compare()
    for each in work:
        if each.answers[-1] >= 500:
            each.insist(1)
    settle()
    assert {each.answers[-1] for each in work} == {200}
    assert Counter(answer for each in work for answer in each.answers if answer != 200).keys() <= {503, 504}
    assert siebel.state()["repeated"] == []
    compare()
    kinds = Counter(number % 3 for number in range(count))
    assert Address.objects.count() == len(set(Address.objects.values_list("address", flat=True))) == kinds[0]
    assert ConsentChange.objects.count() == kinds[1]
    assert PartnerTransaction.objects.count() == kinds[2]
    assert StarEntry.objects.aggregate(all=Sum("points"))["all"] == 5 * kinds[2]
    assert Member.objects.get(pk=mei.pk).star_balance == 5 * kinds[2]


def post_of(number: int, hers: Api, partner: Api, mei: Member) -> Callable[[], Any]:
    key = f"work-{number}"
    match number % 3:
        case 0:  # a customer of his own: twenty addresses are the most that one has
            his = keyed(as_customer(hers, new_customer(f"customer{number}")), key)
            return lambda: his.post(ADD, {"address": f"{number} Nanjing Road"})
        case 1:
            her = keyed(hers, key)
            return lambda: her.post(OPT, {"communicationType": str(number % 2), "reason": str(number)})
        case _:
            its = keyed(partner, key)
            said = {"memIdentityNumber": mei.pk, "memIdentityType": "CRMMemberID", "partnerCode": "AMS"}
            said |= {"typeCode": "Product", "receiptNumber": key, "productCode": "SVC", "points": "5"}
            said |= {"txnDate": "07/31/2026 18:30:00", "sourceCode": "AMS"}
            return lambda: its.post(REPORT, said)


def compare() -> None:
    """The ledger here and what Siebel remembers there: done is done, refused has had no effect."""
    ours = dict(SiebelWrite.objects.values_list("request_id", "state"))
    done = set(SiebelRequest.objects.filter(is_void=False).values_list("pk", flat=True))
    assert {request_id for request_id, state in ours.items() if state == "done"} == done
    assert set(ours.values()) <= {"done", "refused"}
