"""How often something may be tried: each limit lets its number through, then says when to come back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from structlog.testing import capture_logs

from cards import card_pins
from customers import storms
from loyalty import redis_store, relay
from loyalty.scopes import Scope
from loyalty.tasks import sweep_expired
from sms.models import Message
from tests.conftest import (
    MEI,
    PHONE,
    Api,
    Outbox,
    Printed,
    at_once,
    code_of,
    csv_file,
    ended,
    holding,
    new_client,
    print_card,
    register,
)
from wechat.models import Batch

WRONG = "000000"
ELSEWHERE = "203.0.113.7"
UNLIMITED = 10**6
TWO_CARDS = "msrCard,pin\n6101,1111\n6102,2222\n"


@dataclass
class Clock:
    """The time of day, ours to move."""

    traveller: Any

    def passes(self, seconds: float) -> None:
        self.traveller.shift(timedelta(seconds=seconds))


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(timezone.now()) as traveller:
        yield Clock(traveller)


def phones() -> Iterator[str]:
    return (f"139{number:08}" for number in range(10**8))


def wait_of(reply: Any) -> int:
    """The seconds that a refusal asks to wait."""
    return int(reply.headers["Retry-After"])


def validate(api: Api, card: Printed, pin: str = "", **extra: Any) -> Any:
    return api.post("Cards/validate", {"cardNumber": card.number, "pin": pin or card.pin}, **extra)


def ask_pin(api: Api, card: Printed, phone: str = PHONE, pin: str = "", **extra: Any) -> Any:
    body = {"phoneNumber": phone, "template": "create-en", "cardNumber": card.number, "cardPassword": pin or card.pin}
    return api.post("Customers/sms/sendRegisterPin", body, **extra)


def create(api: Api, card: Printed, flag: str, pin: str = "", **changes: Any) -> Any:
    credentials = {"cardNumber": card.number, "cardPassword": pin or card.pin}
    return api.post("Customers/create", {**MEI, **credentials, "cellPhoneValidFlag": flag, **changes})


def log_in(api: Api, user: str, password: str = WRONG, **extra: Any) -> Any:
    return api.post("Customers/login", {"user": user, "password": password}, **extra)


# A card's PIN


def test_one_budget_of_wrong_card_pins_covers_every_operation(api: Api, card: Printed, sms_outbox: Outbox) -> None:
    assert ask_pin(api, card).status_code == 200
    flag = sms_outbox.pin()
    for _ in range(4):
        assert code_of(validate(api, card, WRONG)) == 105
    for phone, _ in zip(phones(), range(3), strict=False):
        assert code_of(ask_pin(api, card, phone, WRONG)) == 105
    for _ in range(3):
        assert code_of(create(api, card, flag, WRONG)) == 105
    for reply in (
        validate(api, card, WRONG),
        validate(api, card),
        ask_pin(api, card, "13900000009"),
        create(api, card, flag),
    ):
        assert code_of(reply) == 20009
        assert 3590 < wait_of(reply) <= 3600
    assert validate(api, print_card()).status_code == 200


def test_a_card_takes_ten_wrong_pins_an_hour_and_twenty_a_day(
    api: Api, card: Printed, clock: Clock, settings: Settings
) -> None:
    settings.CARD_PIN_PER_ADDRESS_HOUR = UNLIMITED
    for hours, taken in ((1, 10), (1, 10), (22, 0), (0, 10)):
        replies = [code_of(validate(api, card, WRONG)) for _ in range(11)]
        assert replies == [105] * taken + [20009] * (11 - taken)
        clock.passes(hours * 3600 + 1)


def test_a_card_takes_a_hundred_wrong_pins_ever_then_only_staff_unlock_it(
    api: Api, card: Printed, clock: Clock, settings: Settings
) -> None:
    settings.CARD_PIN_PER_ADDRESS_HOUR = settings.CARD_PIN_PER_CARD_HOUR = UNLIMITED
    for _ in range(5):
        assert [code_of(validate(api, card, WRONG)) for _ in range(20)] == [105] * 20
        clock.passes(5 * 86_400)
        sweep_expired()
    assert code_of(validate(api, card)) == 20009
    clock.passes(400 * 86_400)
    sweep_expired()
    assert code_of(validate(api, card)) == 20009
    assert card_pins.unlock(card.number)
    assert validate(api, card).status_code == 200


def test_one_address_takes_twenty_wrong_pins_over_all_cards(api: Api, database: None) -> None:
    cards = [print_card() for _ in range(30)]
    assert [code_of(validate(api, card, WRONG)) for card in cards] == [105] * 20 + [20009] * 10
    assert code_of(validate(api, cards[29])) == 20009
    assert validate(api, cards[29], REMOTE_ADDR=ELSEWHERE).status_code == 200


def test_forged_addresses_help_nobody(api: Api, database: None) -> None:
    cards = [print_card() for _ in range(22)]
    codes = [
        code_of(validate(api, card, WRONG, headers={"X-Forwarded-For": f"198.51.100.{number}"}))
        for number, card in enumerate(cards)
    ]
    assert codes == [105] * 20 + [20009] * 2


def test_right_card_pins_cost_nothing(api: Api, card: Printed) -> None:
    for _ in range(30):
        assert validate(api, card).status_code == 200
    assert code_of(validate(api, card, WRONG)) == 105


@pytest.mark.embedded
def test_a_new_pepper_forgets_no_attempt(api: Api, card: Printed, settings: Settings) -> None:
    settings.CARD_PIN_PER_CARD_HOUR = 1
    assert code_of(api.post("Cards/validate", {"cardNumber": card.number, "pin": "000000"})) == 105
    settings.PIN_PEPPERS = ["another pepper", *settings.PIN_PEPPERS]
    assert code_of(api.post("Cards/validate", {"cardNumber": card.number, "pin": card.pin})) == 20009
    other = print_card()
    assert api.post("Cards/validate", {"cardNumber": other.number, "pin": other.pin}).status_code == 200


def test_asking_who_is_registered_counts_as_registering(
    api: Api, card: Printed, sms_outbox: Outbox, settings: Settings
) -> None:
    settings.CREATE_PER_ADDRESS_HOUR = 3
    assert register(api, card, sms_outbox).status_code == 200
    settings.SMS_PHONE_COOLDOWN_SECONDS = 0
    other = print_card()
    ask_pin(api, other)
    codes = [create(api, other, sms_outbox.pin()).json()["error"]["code"] for _ in range(4)]
    assert codes == [3011, 3011, 429, 429]


def test_a_gateway_that_forwards_no_address_is_counted_itself(api: Api, settings: Settings) -> None:
    settings.REQUESTS_PER_CLIENT_MINUTE = 2
    gateway = holding(api, Scope.WECHAT, is_gateway=True)
    answered = [gateway.post("Customers/userAvailable", {"user": "mei"}).status_code for _ in range(3)]
    assert answered == [200, 200, 429]


# Messages

SMS_LIMITS = {
    "SMS_PHONE_COOLDOWN_SECONDS": 0,
    "SMS_PER_PHONE_HOUR": UNLIMITED,
    "SMS_PER_PHONE_DAY": UNLIMITED,
    "SMS_CARD_COOLDOWN_SECONDS": 0,
    "SMS_PER_CARD_DAY": UNLIMITED,
    "SMS_PER_ADDRESS_HOUR": UNLIMITED,
    "SMS_PER_DAY": UNLIMITED,
}


@pytest.mark.parametrize(
    ("limit", "value", "sent", "seconds", "subject"),
    [
        ("SMS_PHONE_COOLDOWN_SECONDS", 60, 1, 60, "phone"),
        ("SMS_PER_PHONE_HOUR", 5, 5, 3600, "phone"),
        ("SMS_PER_PHONE_DAY", 10, 10, 86_400, "phone"),
        ("SMS_CARD_COOLDOWN_SECONDS", 60, 1, 60, "card"),
        ("SMS_PER_CARD_DAY", 5, 5, 86_400, "card"),
        ("SMS_PER_ADDRESS_HOUR", 6, 6, 3600, "address"),
        ("SMS_PER_DAY", 6, 6, 86_400, "all"),
    ],
)
def test_messages_are_limited(
    api: Api,
    sms_outbox: Outbox,
    settings: Settings,
    clock: Clock,
    limit: str,
    value: int,
    sent: int,
    seconds: int,
    subject: str,
) -> None:
    for name, most in {**SMS_LIMITS, limit: value}.items():
        setattr(settings, name, most)
    numbers, card = phones(), print_card()

    def send(new: str) -> Any:
        """To the same phone, with the same card or from the same address as before, else a new one."""
        return ask_pin(
            api,
            card if subject == "card" and new != "card" else print_card(),
            PHONE if subject == "phone" and new != "phone" else next(numbers),
            REMOTE_ADDR=ELSEWHERE if new == "address" else "127.0.0.1",
        )

    for _ in range(sent):
        assert send("").json() == {"success": True}
    refused = send("")
    assert code_of(refused) == 40001
    assert 0 < wait_of(refused) <= seconds
    assert Message.objects.count() == sent
    if subject != "all":
        assert send(subject).status_code == 200
    clock.passes(seconds + 1)
    assert send("").status_code == 200


def test_a_message_that_failed_is_given_back(api: Api, sms_outbox: Outbox) -> None:
    card = print_card()
    for _ in range(7):
        assert code_of(ask_pin(api, card, "13000020002")) == 20002
    assert ask_pin(api, card).status_code == 200


def test_a_card_does_not_pay_for_what_the_gateway_found_too_frequent(api: Api, card: Printed) -> None:
    for phone, code in (("13000020001", 20001), ("13000020002", 20002)):
        assert code_of(ask_pin(api, card, phone)) == code


def test_what_the_gateway_finds_too_frequent_stays_counted(api: Api, sms_outbox: Outbox) -> None:
    assert code_of(ask_pin(api, print_card(), "13000020001")) == 20001
    assert code_of(ask_pin(api, print_card(), "13000020001")) == 40001


# The PIN in a message


def test_five_wrong_pins_void_the_right_one(api: Api, card: Printed, sms_outbox: Outbox) -> None:
    ask_pin(api, card)
    for _ in range(5):
        assert code_of(create(api, card, WRONG)) == 10005
    refused = create(api, card, sms_outbox.pin())
    assert code_of(refused) == 20009
    assert 590 < wait_of(refused) <= 600


def test_a_new_pin_does_not_reset_the_count(api: Api, card: Printed, sms_outbox: Outbox, clock: Clock) -> None:
    for _ in range(2):
        ask_pin(api, card)
        assert [code_of(create(api, card, WRONG)) for _ in range(5)] == [10005] * 5
        clock.passes(61)
    ask_pin(api, card)
    refused = create(api, card, sms_outbox.pin())
    assert code_of(refused) == 20009
    assert 3400 < wait_of(refused) <= 3600
    clock.passes(3600)
    ask_pin(api, card)
    assert create(api, card, sms_outbox.pin()).status_code == 200


def test_a_phone_takes_so_many_wrong_pins_a_day(
    api: Api, card: Printed, sms_outbox: Outbox, clock: Clock, settings: Settings
) -> None:
    settings.PIN_TRIES_PER_PHONE_DAY = 12
    assert [code_of(create(api, card, WRONG)) for _ in range(11)] == [10005] * 10 + [20009]
    clock.passes(3601)
    assert [code_of(create(api, card, WRONG)) for _ in range(3)] == [10005] * 2 + [20009]


def test_a_pin_lives_ten_minutes(api: Api, card: Printed, sms_outbox: Outbox, clock: Clock) -> None:
    ask_pin(api, card)
    clock.passes(601)
    assert code_of(create(api, card, sms_outbox.pin())) == 10005
    ask_pin(api, card)
    clock.passes(595)
    assert create(api, card, sms_outbox.pin()).status_code == 200


def test_a_new_pin_ends_the_old_one(api: Api, card: Printed, sms_outbox: Outbox, clock: Clock) -> None:
    ask_pin(api, card)
    old = sms_outbox.pin()
    clock.passes(61)
    ask_pin(api, card)
    assert code_of(create(api, card, old)) == 10005
    assert create(api, card, sms_outbox.pin()).status_code == 200


def test_a_pin_works_once_and_for_its_phone_alone(api: Api, card: Printed, sms_outbox: Outbox) -> None:
    ask_pin(api, card)
    flag = sms_outbox.pin()
    assert code_of(create(api, card, flag, cellPhone="13900000001")) == 10005
    assert code_of(create(api, card, flag, SourceCode="9999")) == 301
    assert create(api, card, flag).status_code == 200
    jo = {"userName": "jo", "email": "jo@example.com"}
    assert code_of(create(api, print_card(), flag, **jo)) == 10005


@pytest.mark.embedded
def test_no_secret_stands_in_the_database(database: None, sms_outbox: Outbox, settings: Settings) -> None:
    settings.SMS_WAIT_SECONDS = 0
    api, card = Api(), print_card()
    assert ask_pin(api, card).status_code == 200
    message = Message.objects.get()
    assert (message.state, message.text[8]) == ("queued", ":")
    assert "code" not in message.text
    relay.sweep()
    message.refresh_from_db()
    assert (message.state, message.text) == ("sent", "")
    flag = sms_outbox.pin()
    assert create(api, card, flag).status_code == 200
    token = log_in(api, MEI["userName"], MEI["password"]).json()["token"]
    _, key = new_client(Scope.WECHAT)
    everything = dump()
    assert MEI["email"] in everything
    assert [secret for secret in (flag, card.pin, MEI["password"], token, key) if secret in everything] == []


def dump() -> str:
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {table}")
            rows += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(rows)


def test_a_welcome_counts_as_a_message_and_never_undoes_the_customer(
    api: Api, sms_outbox: Outbox, settings: Settings
) -> None:
    settings.SMS_PER_DAY = 1
    assert register(api, print_card(), sms_outbox).status_code == 200
    assert [message["template"] for message in sms_outbox.messages()] == ["create-en"]
    settings.SMS_PER_DAY, settings.NOTICES_PER_RECIPIENT_DAY = 9, 1
    for name, phone in (("jo", "13900000001"), ("jim", "13900000002")):
        jo = {"userName": name, "email": f"{name}@example.com", "cellPhone": phone}
        assert register(api, print_card(), sms_outbox, **jo).status_code == 200
    assert Message.objects.filter(template="welcome-en").count() == 2


# Logging in


@pytest.mark.parametrize("user", ["mei.li", "nobody"])
def test_ten_wrong_passwords_lock_a_name_known_or_not(
    api: Api, card: Printed, sms_outbox: Outbox, settings: Settings, user: str
) -> None:
    settings.LOGIN_PER_ADDRESS_5MIN = UNLIMITED
    register(api, card, sms_outbox)
    assert [code_of(log_in(api, user)) for _ in range(10)] == [403] * 10
    refused = log_in(api, user.upper(), MEI["password"], REMOTE_ADDR=ELSEWHERE)
    assert code_of(refused, 429) == 429
    assert 890 < wait_of(refused) <= 900


def test_a_lock_doubles_up_to_an_hour(api: Api, database: None, clock: Clock, settings: Settings) -> None:
    settings.LOGIN_PER_ADDRESS_5MIN = UNLIMITED
    for minutes in (15, 30, 60, 60):
        assert [code_of(log_in(api, "nobody")) for _ in range(10)] == [403] * 10
        refused = log_in(api, "nobody")
        assert code_of(refused, 429) == 429
        assert minutes * 60 - 10 < wait_of(refused) <= minutes * 60
        clock.passes(minutes * 60 - 5)
        assert code_of(log_in(api, "nobody"), 429) == 429
        clock.passes(6)


def test_an_address_takes_ten_wrong_passwords_whatever_the_names(
    api: Api, card: Printed, sms_outbox: Outbox, clock: Clock
) -> None:
    register(api, card, sms_outbox)
    assert [code_of(log_in(api, f"name{number}")) for number in range(10)] == [403] * 10
    refused = log_in(api, MEI["userName"], MEI["password"])
    assert code_of(refused, 429) == 429
    assert 290 < wait_of(refused) <= 300
    assert log_in(api, MEI["userName"], MEI["password"], REMOTE_ADDR=ELSEWHERE).status_code == 200
    clock.passes(301)
    assert log_in(api, MEI["userName"], MEI["password"]).status_code == 200


def test_the_right_password_forgives_the_wrong_ones(
    api: Api, card: Printed, sms_outbox: Outbox, settings: Settings
) -> None:
    settings.LOGIN_PER_ADDRESS_5MIN = UNLIMITED
    register(api, card, sms_outbox)
    for _ in range(3):
        assert [code_of(log_in(api, MEI["userName"])) for _ in range(9)] == [403] * 9
        assert log_in(api, MEI["userName"], MEI["password"]).status_code == 200


# Crowds


def test_names_can_be_asked_for_twenty_times_a_minute(api: Api) -> None:
    replies = [api.post("Customers/userAvailable", {"user": "free"}) for _ in range(21)]
    assert [reply.status_code for reply in replies] == [200] * 20 + [429]
    assert 0 < wait_of(replies[-1]) <= 60


def test_an_address_joins_so_many_times_an_hour(api: Api, sms_outbox: Outbox, clock: Clock, settings: Settings) -> None:
    settings.CREATE_PER_ADDRESS_HOUR = 2
    numbers = phones()

    def join(name: str) -> Any:
        person = {"cellPhone": next(numbers), "userName": name, "email": f"{name}@example.com"}
        return register(api, print_card(), sms_outbox, **person)

    assert [join("ann").status_code, join("bob").status_code] == [200, 200]
    refused = join("cyd")
    assert code_of(refused, 429) == 429
    assert 3590 < wait_of(refused) <= 3600
    clock.passes(3601)
    assert join("cyd").status_code == 200


def test_a_client_draws_so_many_cards_a_minute_and_a_day(api: Api, settings: Settings) -> None:
    settings.GETCARD_PER_CLIENT_MINUTE = 3
    one, other = holding(api, Scope.WECHAT), holding(api, Scope.WECHAT)
    replies = [one.get("Wechats/getCard") for _ in range(4)]
    assert [reply.status_code for reply in replies] == [400] * 3 + [429]
    assert 0 < wait_of(replies[-1]) <= 60
    settings.GETCARD_PER_CLIENT_DAY = 1
    assert [other.get("Wechats/getCard").status_code for _ in range(2)] == [400, 429]


def test_what_is_refused_uses_up_no_upload(api: Api, settings: Settings) -> None:
    settings.UPLOADS_PER_CLIENT_HOUR = 2
    loader = holding(api, Scope.WECHAT_LOAD)

    def upload(file: Any) -> Any:
        return loader.form("Wechats/uploadCard", {"fileName": file})

    refused = [csv_file(TWO_CARDS, "c.xls"), csv_file("pin\n1\n"), "none.csv", "c.xls", ""]
    assert [code_of(upload(file)) for file in refused] == [4003, 4002, 4007, 4003, 422]
    replies = at_once(6, lambda n: upload(csv_file(TWO_CARDS, f"{n}.csv")))
    assert sorted(reply.status_code for reply in replies) == [200] * 2 + [429] * 4
    assert Batch.objects.count() == 2
    assert 3590 < wait_of(upload(csv_file(TWO_CARDS))) <= 3600


def test_the_scale_widens_what_counts_crowds_and_nothing_that_guards_a_secret(
    api: Api, card: Printed, settings: Settings
) -> None:
    settings.LIMITS_SCALE = 2
    assert [api.post("Customers/userAvailable", {"user": "free"}).status_code for _ in range(41)] == [200] * 40 + [429]
    settings.CARD_PIN_PER_ADDRESS_HOUR = 6
    assert [code_of(validate(api, card, WRONG)) for _ in range(11)] == [105] * 10 + [20009]
    others = [code_of(validate(api, print_card(), WRONG)) for _ in range(3)]
    assert others == [105, 105, 20009]
    settings.LOGIN_PER_ADDRESS_5MIN = UNLIMITED
    assert [code_of(log_in(api, "nobody")) for _ in range(10)] == [403] * 10
    assert code_of(log_in(api, "nobody"), 429) == 429


# Redis away


@pytest.fixture
def redis_away(settings: Settings, database: None, tmp_path: Any) -> Iterator[None]:
    """As if its server had been stopped; the next test finds it again."""
    away = {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock?db=0"}
    settings.CACHES = {"default": away}
    yield
    redis_store._away_until = 0.0


def test_with_redis_away_crowds_are_let_through_and_secrets_are_guarded(
    api: Api, card: Printed, sms_outbox: Outbox, redis_away: None
) -> None:
    assert {api.post("Customers/userAvailable", {"user": "free"}).status_code for _ in range(30)} == {200}
    assert register(api, card, sms_outbox).status_code == 200
    other = print_card()
    assert [code_of(validate(api, other, WRONG)) for _ in range(11)] == [105] * 10 + [20009]
    assert [code_of(log_in(api, MEI["userName"])) for _ in range(10)] == [403] * 10
    assert code_of(log_in(api, MEI["userName"], MEI["password"]), 429) == 429
    assert code_of(ask_pin(api, print_card())) == 40001


def test_with_redis_away_cards_come_straight_from_the_database(api: Api, redis_away: None) -> None:
    loaded = holding(api, Scope.WECHAT_LOAD).form(
        "Wechats/uploadCard", {"fileName": csv_file("msrCard,pin\n6101,1111\n6102,2222\n6103,3333\n")}
    )
    assert ended(loaded.json()["batchId"]).imported == 3
    wechat = holding(api, Scope.WECHAT)
    assert {wechat.get("Wechats/getCard").json()["msrCard"] for _ in range(3)} == {"6101", "6102", "6103"}
    assert code_of(wechat.get("Wechats/getCard")) == 4001


def test_who_is_guessed_at_from_elsewhere_still_logs_in_at_home(
    api: Api, card: Printed, sms_outbox: Outbox, clock: Clock, settings: Settings
) -> None:
    settings.LIMITS_SCALE = 1000
    register(api, card, sms_outbox)
    home, elsewhere = {"REMOTE_ADDR": "203.0.113.1"}, {"REMOTE_ADDR": "203.0.113.2"}
    name, right = MEI["userName"], MEI["password"]
    assert log_in(api, name, right, **home).status_code == 200
    for _ in range(10):
        assert code_of(log_in(api, name, **elsewhere)) == 403
    assert code_of(log_in(api, name, right, **elsewhere), 429) == 429
    assert log_in(api, name, right, **home).status_code == 200
    for _ in range(10):
        assert code_of(log_in(api, name, **home)) == 403
    assert code_of(log_in(api, name, right, **home), 429) == 429
    clock.passes(31 * 86_400)
    assert log_in(api, name, right, **home).status_code == 200


def test_a_storm_of_wrong_passwords_is_told_once(api: Api, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.LIMITS_SCALE, settings.PUBLIC_RATE = 1000, "1000/min"
    monkeypatch.setattr(storms, "ALARM_AT", 3)
    with capture_logs() as lines:
        for number in range(5):
            log_in(api, f"nobody {number}")
    assert [line["wrong_passwords"] for line in lines if line["event"] == "login_storm"] == [3]
