"""Many callers at the same moment, on committed rows: what may happen once happens once, what is counted is exact."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django_redis import get_redis_connection
from pytest_django import Settings

from cards.models import Card, CardStatus
from customers.models import Member
from loyalty import budgets, errors, relay
from loyalty.budgets import Limit, Window
from loyalty.models import Budget
from loyalty.scopes import Scope
from sms import delivery
from sms.models import Message
from tests.conftest import MEI, PHONE, Api, Outbox, Printed, at_once, csv_file, new_client, print_card
from wechat import imports, pool
from wechat.models import Batch, PoolCard

MANY = 20
WRONG = "000000"


@pytest.fixture(autouse=True)
def _one_address_for_all(settings: Settings) -> None:
    settings.PUBLIC_RATE = "100000/min"
    settings.CREATE_PER_ADDRESS_HOUR = settings.SMS_PER_ADDRESS_HOUR = settings.LOGIN_PER_ADDRESS_5MIN = 10**6
    settings.CARD_PIN_PER_ADDRESS_HOUR = 10**6


def answers(replies: list[Any]) -> Counter[int]:
    """How often each code was answered; 0 stands for success."""
    return Counter(0 if reply.status_code == 200 else reply.json()["error"]["code"] for reply in replies)


def phone(number: int) -> str:
    return f"139{number:08}"


def ask_pin(card: Printed, to: str) -> Any:
    body = {"phoneNumber": to, "template": "create-en", **card.credentials}
    return Api().post("Customers/sms/sendRegisterPin", body)


def create(card: Printed, flag: str, **changes: Any) -> Any:
    return Api().post("Customers/create", {**MEI, **card.credentials, "cellPhoneValidFlag": flag, **changes})


def person(number: int) -> dict[str, str]:
    return {"userName": f"name{number}", "email": f"name{number}@example.com", "cellPhone": phone(number)}


@pytest.fixture
def crowd(api: Api, sms_outbox: Outbox) -> Callable[[int], dict[str, str]]:
    """Twenty people whose phones have a PIN each; answers what one of them would send."""
    for number in range(MANY):
        assert ask_pin(print_card(), phone(number)).status_code == 200
    flags = [sms_outbox.pin(phone(number)) for number in range(MANY)]
    return lambda number: {**person(number), "flag": flags[number]}


def customers() -> int:
    """How many there are, each whole: an active member with exactly one card, his own."""
    active = Member.objects.filter(status="Active")
    for member in active:
        assert [card.status for card in member.cards.all()] == [CardStatus.REGISTERED]
        assert member.cards.get().member_id == member.pk
    assert Card.objects.exclude(status=CardStatus.ACTIVE).count() == active.count()
    return active.count()


def test_one_pin_makes_one_customer_of_twenty_cards(api: Api, card: Printed, sms_outbox: Outbox) -> None:
    ask_pin(card, PHONE)
    flag, cards = sms_outbox.pin(), [print_card() for _ in range(MANY)]
    replies = at_once(MANY, lambda n: create(cards[n], flag, **{**person(n), "cellPhone": PHONE}))
    assert answers(replies)[0] == customers() == 1
    assert set(answers(replies)) <= {0, 10005, 20009}


def test_one_card_makes_one_customer_of_twenty_people(card: Printed, crowd: Callable[[int], dict[str, str]]) -> None:
    replies = at_once(MANY, lambda n: create(card, **crowd(n)))
    assert answers(replies)[0] == customers() == 1
    assert set(answers(replies)) <= {0, 108, 20009}


@pytest.mark.parametrize(("shared", "code"), [({"email": MEI["email"]}, 201), ({"userName": "mei.li"}, 3011)])
def test_one_name_or_address_is_taken_once(
    crowd: Callable[[int], dict[str, str]], shared: dict[str, str], code: int
) -> None:
    cards = [print_card() for _ in range(MANY)]
    replies = at_once(MANY, lambda n: create(cards[n], **{**crowd(n), **shared}))
    assert answers(replies) == {0: 1, code: MANY - 1}
    assert customers() == 1


def test_one_phone_is_sent_one_message(api: Api, sms_outbox: Outbox) -> None:
    cards = [print_card() for _ in range(MANY)]
    assert answers(at_once(MANY, lambda n: ask_pin(cards[n], PHONE))) == {0: 1, 40001: MANY - 1}
    assert len(sms_outbox.messages()) == Message.objects.count() == 1


def test_two_hundred_messages_at_once_never_pass_a_limit(api: Api, sms_outbox: Outbox, settings: Settings) -> None:
    """Forty threads of five, each to another phone; then as many to one phone."""
    settings.SMS_WAIT_SECONDS, settings.PUBLIC_RATE = 0, "10000/min"
    settings.SMS_PHONE_COOLDOWN_SECONDS, settings.SMS_PER_PHONE_HOUR = 0, 5

    def ask(number: int, phone: str = "") -> int:
        phones = [phone or f"137{number:04}{turn:04}" for turn in range(5)]
        bodies = [{"phoneNumber": to, "template": "password-en"} for to in phones]
        return sum(Api().post("Customers/sms/sendPasswordPin", body).status_code == 200 for body in bodies)

    settings.SMS_PER_ADDRESS_HOUR = 30
    assert sum(at_once(40, ask)) == 30
    settings.SMS_PER_ADDRESS_HOUR = 1000
    assert sum(at_once(40, lambda number: ask(number, "13800000000"))) == 5
    settings.SMS_PER_DAY = 35
    Budget.objects.all().delete()
    assert sum(at_once(40, ask)) == 35


def test_one_card_sends_one_message(api: Api, card: Printed, sms_outbox: Outbox) -> None:
    replies = at_once(MANY, lambda n: ask_pin(card, phone(n)))
    assert answers(replies)[0] == Message.objects.count() == 1
    assert set(answers(replies)) <= {0, 40001, 20009}


def test_the_days_ceiling_is_exact(api: Api, settings: Settings) -> None:
    settings.SMS_PER_DAY = 5
    cards = [print_card() for _ in range(MANY)]
    assert answers(at_once(MANY, lambda n: ask_pin(cards[n], phone(n)))) == {0: 5, 40001: MANY - 5}
    assert Message.objects.count() == 5


def test_five_of_sixty_wrong_pins_are_compared(api: Api, card: Printed, sms_outbox: Outbox) -> None:
    ask_pin(card, PHONE)
    assert answers(at_once(60, lambda n: create(card, WRONG))) == {10005: 5, 20009: 55}
    assert answers([create(card, sms_outbox.pin())]) == {20009: 1}


def test_ten_of_sixty_wrong_card_pins_are_compared(api: Api, card: Printed) -> None:
    body = {"cardNumber": card.number, "pin": WRONG}
    assert answers(at_once(60, lambda n: Api().post("Cards/validate", body))) == {105: 10, 20009: 50}


@pytest.mark.embedded
def test_ten_of_fifty_wrong_passwords_are_hashed(api: Api, card: Printed, hashes: list[str], crowd: Any) -> None:
    assert create(card, **crowd(0)).status_code == 200
    hashes.clear()
    body = {"user": person(0)["userName"], "password": "wrong"}
    assert answers(at_once(50, lambda n: Api().post("Customers/login", body))) == {403: 10, 429: 40}
    assert len(hashes) == 10


def test_an_attempt_is_counted_exactly(database: None) -> None:
    limit = Limit("test", "one", [Window(3600, 7), Window(60, 9)])

    def attempt(_: int) -> bool:
        try:
            return bool(budgets.take([limit], errors.TooManyRequests).keys)
        except errors.TooManyRequests:
            return False

    assert Counter(at_once(40, attempt)) == {True: 7, False: 33}


def test_attempts_at_shared_limits_never_wait_for_each_other_in_a_ring(database: None) -> None:
    def attempt(number: int) -> int:
        dice = random.Random(number)
        for _ in range(30):
            subjects = (("card", 10**6), ("card", 9), ("address", 3))
            limits = [Limit(kind, str(dice.randrange(most)), [Window(60, 10**6)]) for kind, most in subjects]
            budgets.take(limits, errors.TooManyRequests).give_back()
        return number

    assert at_once(10, attempt) == list(range(10))


# The card pool


def stocked(count: int) -> list[str]:
    """A pool of so many cards; answers their numbers."""
    numbers = [f"61{number:010}" for number in range(count)]
    upload("\n".join(f"{number},{number[-4:]}" for number in numbers))
    relay.sweep()
    assert PoolCard.objects.count() == count
    return numbers


def upload(rows: str, header: str = "msrCard,pin") -> str:
    caller = Api({"X-API-Key": new_client(Scope.WECHAT_LOAD)[1]})
    batch_id: str = caller.form("Wechats/uploadCard", {"fileName": csv_file(f"{header}\n{rows}\n")}).json()["batchId"]
    return batch_id


def nothing() -> None:
    """The window as the import left it."""


def stale() -> None:
    """A Redis put back from an old dump: the first cards are long gone."""
    gone = PoolCard.objects.order_by("pk")[:8]
    get_redis_connection("default").lpush(pool.WINDOW, *[card.pk for card in gone])


def doubled() -> None:
    redis = get_redis_connection("default")
    redis.rpush(pool.WINDOW, *redis.lrange(pool.WINDOW, 0, -1))


def flushed() -> None:
    get_redis_connection("default").flushdb()


def garbled() -> None:
    get_redis_connection("default").lpush(pool.WINDOW, 10**9, 10**9 + 1, 10**9 + 2, 10**9 + 3)


@pytest.mark.parametrize("spoil", [nothing, stale, doubled, flushed, garbled])
def test_each_card_is_handed_out_once_whatever_redis_says(database: None, spoil: Callable[[], None]) -> None:
    numbers = stocked(20)
    key = new_client(Scope.WECHAT)[1]

    def draw(_: int) -> Any:
        return Api({"X-API-Key": key}).get("Wechats/getCard")

    first = [draw(0).json()["msrCard"] for _ in range(8)]
    spoil()
    replies = at_once(MANY, draw)
    assert answers(replies) == {0: 12, 4001: 8}
    drawn = first + [reply.json()["msrCard"] for reply in replies if reply.status_code == 200]
    assert sorted(drawn) == numbers
    for reply in replies:
        if reply.status_code == 200:
            assert reply.json()["pin"] == reply.json()["msrCard"][-4:]
    assert PoolCard.objects.filter(status="Issued", pin="").count() == 20


def test_cards_that_nobody_may_have_are_set_aside_once_by_twenty_callers(database: None) -> None:
    stocked(30)
    Card.objects.filter(number__lt=f"61{25:010}").update(status=CardStatus.ABOLISHED)
    flushed()
    key = new_client(Scope.WECHAT)[1]
    replies = at_once(MANY, lambda n: Api({"X-API-Key": key}).get("Wechats/getCard"))
    assert answers(replies) == {0: 5, 4001: 15}
    assert PoolCard.objects.filter(status="SetAside", problem="The card is Abolished.").count() == 25


def test_one_message_is_sent_once_by_ten_workers(database: None, sms_outbox: Outbox, settings: Settings) -> None:
    settings.SMS_WAIT_SECONDS = 0
    ask_pin(print_card(), PHONE)
    message = Message.objects.get()
    at_once(10, lambda n: delivery.deliver(message.pk))
    assert len(sms_outbox.messages()) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 1)


ROWS = [f"61{number:010},{number:04}" for number in range(1200)]


def test_one_batch_is_imported_by_one_of_four_workers(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK", 500)
    batch = Batch.objects.get(pk=upload("\n".join([*ROWS, ROWS[0], "x,y"])))
    at_once(4, lambda n: imports.run(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.attempts) == ("done", 1)
    assert (batch.rows, batch.imported, batch.duplicates, batch.rejected) == (1202, 1200, 1, 1)
    assert PoolCard.objects.count() == Card.objects.count() == Member.objects.count() == 1200


def test_an_import_hands_over_after_its_shift(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK", 500)
    batch = Batch.objects.get(pk=upload("\n".join(ROWS)))
    progress: list[Any] = []
    for _ in range(3):
        imports.run(batch.pk, seconds=0, report=lambda now: progress.append(now.rows))
        batch.refresh_from_db()
        progress.append(batch.state)
    assert progress == [500, "queued", 1000, "queued", 1200, "done"]
    assert (batch.imported, batch.attempts) == (1200, 1)


@pytest.mark.parametrize("header", ["msrCard,pin", "msrCard,pin,customerId"])
def test_one_file_in_four_batches_at_once_adds_each_card_once(
    database: None, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 500)
    rows = [f"{row},1-T{number}" for number, row in enumerate(ROWS)] if "customerId" in header else ROWS
    batches = [upload("\n".join(rows), header) for _ in range(4)]
    at_once(4, lambda n: imports.run(int(batches[n])))
    ended = Batch.objects.all()
    assert {batch.state for batch in ended} == {"done"}
    assert {batch.rows for batch in ended} == {1200}
    assert sum(batch.imported for batch in ended) == 1200
    assert sum(batch.duplicates for batch in ended) == 3600
    assert Member.objects.count() == Card.objects.count() == PoolCard.objects.count() == 1200
    members = dict(Card.objects.values_list("number", "member_id"))
    assert dict(PoolCard.objects.values_list("number", "customer_id")) == members
