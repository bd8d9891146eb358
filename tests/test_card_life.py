"""A customer's cards: added, woken, removed, reported lost; each step as the table of transitions says."""

from itertools import product
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from cards import transitions
from cards.members import MemberStatus
from cards.models import Card, CardEvent, CardStatus
from cards.transitions import TRANSITIONS, Event
from customers.models import Member
from loyalty import authentication, encryption
from loyalty.scopes import Scope
from tests import crm
from tests.conftest import Api, Printed, at_once, code_of, holding, print_card
from tests.stack import ROOT
from wechat.models import Batch, PoolCard

S = CardStatus


def new_customer(name: str = "mei") -> Member:
    member = Member(status=MemberStatus.ACTIVE, cell_phone="13812345678")
    member.set_login(name, f"{name}@example.com")
    member.save()
    return member


@pytest.fixture
def mei(database: None) -> Member:
    return new_customer()


@pytest.fixture
def hers(api: Api, mei: Member) -> Api:
    return as_customer(api, mei)


def as_customer(api: Api, member: Member) -> Api:
    return api.with_headers(authorization=f"Bearer {authentication.issue_token(member.pk)[0]}")


def own(member: Member, status: str = S.REGISTERED) -> Printed:
    return print_card(status=status, customer=member)


def pooled(count: int = 1, *, alias: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Cards of the pool, in the order in which they are drawn."""
    batch = Batch.objects.using(alias).create(file_name="stock.csv", state=Batch.State.DONE)
    cards = [print_card() for _ in range(count)]
    PoolCard.objects.using(alias).bulk_create(
        PoolCard(
            number=card.number,
            pin=encryption.seal(card.pin, owner=card.number),
            customer_id=card.customer_id,
            batch=batch,
        )
        for card in cards
    )
    return [card.number for card in cards]


def stocked(count: int = 1) -> list[str]:
    """Cards that Siebel sends as replacements: the pool's, or its own stock where it is a system of its own."""
    return pooled(count, alias=crm.ALIAS)


def statuses(member: Member) -> dict[str, str]:
    return dict(Card.objects.filter(customer=member).values_list("number", "status"))


def add(caller: Api, card: Printed, **more: Any) -> Any:
    return caller.post("Customers/cards/add", {"cardNumber": card.number, "pin": card.pin, **more})


def lose(caller: Api, card: Printed, **more: Any) -> Any:
    return caller.post("Customers/cards/lost", {"cardNumber": card.number, "reasonCode": "Lost", **more})


def delete(caller: Api, card: Printed) -> Any:
    return caller.post("Customers/cards/delete", {"cardNumber": card.number, "reason": "worn out"})


def wake(caller: Api, card: Printed) -> Any:
    return caller.post("Customers/cards/wake", {"cardNumber": card.number})


# What works


def test_the_first_card_is_live_and_the_next_one_is_not_unless_wanted(hers: Api, mei: Member) -> None:
    first, second, third = print_card(), print_card(), print_card()
    assert add(hers, first).json()["isLive"] is True
    assert add(hers, second, makeLive="N").json() == {
        "cardNumber": second.number,
        "status": "Dormant",
        "isLive": False,
        "endDate": None,
        "registeredDate": add_day(second),
        "replacedBy": None,
        "reason": None,
    }
    assert add(hers, third, makeLive="Y").json()["status"] == "Registered"
    assert statuses(mei) == {first.number: "Dormant", second.number: "Dormant", third.number: "Registered"}


def add_day(card: Printed) -> str:
    registered = Card.objects.get(number=card.number).registered_at
    assert registered
    return f"{registered.astimezone():%m/%d/%Y}"


def test_a_woken_card_sends_the_live_one_to_rest(hers: Api, mei: Member) -> None:
    live, dormant = own(mei), own(mei, S.DORMANT)
    assert wake(hers, dormant).json() == {"success": True}
    assert statuses(mei) == {live.number: "Dormant", dormant.number: "Registered"}


def test_a_removed_card_is_nobodys_and_says_why(hers: Api, mei: Member) -> None:
    card = own(mei, S.DORMANT)
    assert delete(hers, card).json() == {"success": True}
    row = Card.objects.get(number=card.number)
    assert (row.status, row.customer, row.reason) == ("Cancelled", None, "worn out")
    assert hers.get("Customers/cards/list").json() == []


def test_a_lost_live_card_gives_its_place_to_the_last_dormant_one(hers: Api, mei: Member) -> None:
    older, live = print_card(), print_card()
    newer = print_card()
    add(hers, live)
    add(hers, older)
    add(hers, newer)
    reply = lose(hers, live, reasonCode="Stolen").json()
    assert (reply["cardNumber"], reply["status"], reply["reason"]) == (live.number, "Obsolete", "Stolen")
    assert statuses(mei) == {live.number: "Obsolete", older.number: "Dormant", newer.number: "Registered"}


def test_a_replacement_is_on_its_way_until_it_is_woken(hers: Api, mei: Member) -> None:
    (replacement,), lost = stocked(), own(mei)
    reply = lose(hers, lost, sendReplacement="Y").json()
    assert (reply["cardNumber"], reply["status"]) == (replacement, "InTransit")
    listed = {card["cardNumber"]: card for card in hers.get("Customers/cards/list").json()}
    assert listed[lost.number]["replacedBy"] == replacement
    assert wake(hers, Printed(replacement, "", "")).json() == {"success": True}
    assert statuses(mei) == {lost.number: "Obsolete", replacement: "Registered"}
    assert PoolCard.objects.using(crm.ALIAS).get().status == "Issued"


def test_a_replacement_is_a_card_that_is_still_free(hers: Api, mei: Member) -> None:
    registered, ended, free = stocked(3)
    Card.objects.filter(number=registered).update(status=S.REGISTERED, customer=new_customer("gao"))
    Card.objects.filter(number=ended).update(end_date="2020-01-01")
    assert lose(hers, own(mei), sendReplacement="Y").json()["cardNumber"] == free


def test_with_no_card_in_stock_nothing_changes(hers: Api, mei: Member) -> None:
    live, dormant = own(mei), own(mei, S.DORMANT)
    assert code_of(lose(hers, live, sendReplacement="Y")) == 4001
    assert statuses(mei) == {live.number: "Registered", dormant.number: "Dormant"}
    assert not CardEvent.objects.exists()


def test_every_step_leaves_who_when_why_and_which_request(api: Api, mei: Member) -> None:
    client = holding(api, Scope.CUSTOMERS, networks=["127.0.0.1"]).with_headers(
        x_customer_id=mei.pk, x_request_id="shop-17"
    )
    live, dormant = own(mei), own(mei, S.DORMANT)
    lose(client, live, reasonCode="Damaged")
    steps = CardEvent.objects.order_by("pk").values_list("card__number", "event", "source", "target", "reason")
    assert list(steps) == [
        (live.number, "lose", "Registered", "Obsolete", "Damaged"),
        (dormant.number, "wake", "Dormant", "Registered", "Damaged"),
    ]
    for event in CardEvent.objects.all():
        assert (event.customer_id, event.request_id) == (mei.pk, "shop-17")
        assert event.actor.startswith("client ")


# What is refused


def test_each_status_is_refused_by_its_name(hers: Api, api: Api, mei: Member) -> None:
    stranger = new_customer("gao")
    blocked = print_card(member_status=MemberStatus.INACTIVE)
    ended = print_card(end_date="2020-01-01")
    cases = {
        106: [own(mei, S.DORMANT), own(stranger)],
        108: [print_card(status=S.INACTIVE), own(mei, S.OBSOLETE), print_card(status=S.CANCELLED)],
        3008: [ended],
        3010: [blocked],
        104: [Printed("9999", "1234", "")],
        105: [Printed(print_card().number, "000000", "")],
    }
    for code, cards in cases.items():
        for card in cards:
            assert code_of(add(hers, card)) == code, card
    theirs = own(stranger, S.DORMANT)
    for act in (lose, delete, wake):
        assert code_of(act(hers, theirs)) == 103
        assert code_of(act(hers, Printed("9999", "", ""))) == 104
    live = own(mei)
    assert code_of(delete(hers, live)) == 113
    assert code_of(wake(hers, live)) == 113
    assert code_of(lose(hers, own(mei, S.OBSOLETE))) == 102
    assert code_of(lose(hers, own(mei, S.IN_TRANSIT))) == 111
    assert code_of(lose(hers, print_card())) == 3012
    Member.objects.filter(pk=mei.pk).update(status=MemberStatus.CLOSED)
    for act in (add, lose, delete, wake):
        assert code_of(act(hers, live)) == 402


def test_a_second_report_of_the_same_card_is_refused_by_name(hers: Api, mei: Member) -> None:
    stocked(2)
    card = own(mei)
    assert lose(hers, card, sendReplacement="Y").status_code == 200
    assert code_of(lose(hers, card, sendReplacement="Y")) == 102
    assert Card.objects.filter(status=S.IN_TRANSIT).count() == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("add", {"cardNumber": "1", "pin": "1", "makeLive": "yes"}),
        ("lost", {"cardNumber": "1", "reasonCode": "Eaten"}),
        ("lost", {"cardNumber": "1", "reasonCode": "Lost", "sendReplacement": "1"}),
        ("lost", {"cardNumber": "1"}),
        ("delete", {"cardNumber": "1"}),
        ("delete", {"cardNumber": "1", "reason": "x" * 201}),
        ("wake", {}),
    ],
)
def test_bad_form_is_422(hers: Api, path: str, body: dict[str, str]) -> None:
    assert code_of(hers.post(f"Customers/cards/{path}", body)) == 422


def test_how_often_is_limited(hers: Api, mei: Member, settings: Settings) -> None:
    settings.CARD_ADDS_PER_CUSTOMER_DAY = 2
    settings.CARD_MISSES_PER_CUSTOMER_HOUR = 2
    settings.REPLACEMENTS_PER_CUSTOMER_30DAYS = 1
    unknown = Printed("9999", "1", "")
    assert [code_of(add(hers, unknown)) for _ in range(2)] == [104, 104]
    assert code_of(add(hers, print_card()), 429) == 429
    stocked(2)
    first, second = own(mei), own(mei, S.DORMANT)
    assert lose(hers, first, sendReplacement="Y").status_code == 200
    assert code_of(lose(hers, second, sendReplacement="Y"), 429) == 429
    assert [code_of(wake(hers, unknown)) for _ in range(2)] == [104, 104]
    assert code_of(wake(hers, second), 429) == 429


# What the database itself keeps


def test_the_table_is_the_only_way() -> None:
    known = {(step.event, step.source, step.target) for step in TRANSITIONS}
    assert len(known) == len(TRANSITIONS)
    assert not any(step.source == S.OBSOLETE for step in TRANSITIONS)
    for event, status, wanted in product(Event, S, S):
        if (event, status, wanted) in known:
            assert transitions.target(event, status, wanted) == wanted
        else:
            with pytest.raises(transitions.Impossible):
                transitions.target(event, status, wanted)


@pytest.mark.parametrize(
    "change",
    [
        {"status": S.ACTIVE, "customer": None},
        {"status": S.REGISTERED},
    ],
)
def test_an_obsolete_card_stays_obsolete(mei: Member, change: dict[str, Any]) -> None:
    card = own(mei, S.OBSOLETE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Card.objects.filter(number=card.number).update(**change)


def test_a_customer_never_has_two_live_cards(mei: Member) -> None:
    own(mei)
    with pytest.raises(IntegrityError), transaction.atomic():
        own(mei)


def test_history_is_not_rewritten(hers: Api, mei: Member) -> None:
    lose(hers, own(mei))
    with pytest.raises(IntegrityError), transaction.atomic():
        CardEvent.objects.update(reason="nothing happened")


# Many at once, and how much it costs


def test_twenty_wakes_at_once_leave_one_live_card(hers: Api, mei: Member, settings: Settings) -> None:
    settings.WRITES_PER_CUSTOMER_MINUTE = 1000
    own(mei)
    dormant = [own(mei, S.DORMANT) for _ in range(20)]
    headers = hers.headers
    replies = at_once(20, lambda number: wake(Api(headers), dormant[number]).status_code)
    assert set(replies) == {200}
    assert Card.objects.filter(customer=mei, status=S.REGISTERED).count() == 1


def test_twenty_customers_add_one_card_and_one_gets_it(api: Api) -> None:
    card = print_card()
    callers = [as_customer(api, new_customer(f"user{number}")).headers for number in range(20)]
    replies = at_once(20, lambda number: add(Api(callers[number]), card))
    codes = [200 if reply.status_code == 200 else code_of(reply) for reply in replies]
    assert codes.count(200) == 1
    assert set(codes) <= {200, 106, 20009}


def test_twenty_reports_of_one_card_send_one_replacement(hers: Api, mei: Member, settings: Settings) -> None:
    settings.WRITES_PER_CUSTOMER_MINUTE, settings.REPLACEMENTS_PER_CUSTOMER_30DAYS = 1000, 1000
    stocked(20)
    card = own(mei)
    headers = hers.headers
    replies = at_once(20, lambda _: lose(Api(headers), card, sendReplacement="Y"))
    assert sorted(reply.status_code for reply in replies) == [200] + [400] * 19
    assert {code_of(reply) for reply in replies if reply.status_code == 400} == {102}
    assert PoolCard.objects.using(crm.ALIAS).filter(status="Issued").count() == 1


def test_waking_a_card_and_losing_it_at_once_is_one_after_the_other(hers: Api, mei: Member, settings: Settings) -> None:
    settings.CARD_MISSES_PER_CUSTOMER_HOUR = settings.WRITES_PER_CUSTOMER_MINUTE = 1000
    headers = hers.headers
    for _ in range(5):
        live, sleeping = own(mei), own(mei, S.DORMANT)
        acts = (lambda card=sleeping: wake(Api(headers), card), lambda card=sleeping: lose(Api(headers), card))
        woken, lost = at_once(2, lambda number, these=acts: these[number]().json())
        assert lost["status"] == "Obsolete"
        assert woken == {"success": True} or woken["error"]["code"] == 113
        assert Card.objects.get(number=sleeping.number).status == S.OBSOLETE
        left = Card.objects.get(number=live.number)
        assert left.status == S.REGISTERED
        Card.objects.filter(pk=left.pk).update(status=S.CANCELLED)


def test_the_number_of_queries_does_not_grow_with_the_cards(hers: Api, mei: Member) -> None:
    def queries(act: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert act().status_code == 200
        return len(captured)

    former = own(mei)
    first = own(mei, S.DORMANT)
    wake(hers, first)
    first = former
    few = queries(lambda: wake(hers, first)), queries(lambda: hers.get("Customers/cards/list"))
    cards = [own(mei, S.DORMANT) for _ in range(30)]
    many = queries(lambda: wake(hers, cards[0])), queries(lambda: hers.get("Customers/cards/list"))
    assert many == few


# The page that is drawn from the table


def test_the_page_of_a_cards_life_shows_the_table() -> None:
    assert transitions.diagram() in (ROOT / "docs/cards.md").read_text()
