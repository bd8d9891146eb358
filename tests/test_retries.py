"""`Idempotency-Key`: a request that is sent again has one effect and one answer, whatever happened in between."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

import config.urls  # noqa: F401  (the routes are what fills REGISTRY)
from cards.models import Card
from customers.models import Address, ConsentChange, Member
from loyalty import authentication, business_services, errors, idempotency, siebel, tasks
from loyalty.idempotency import Replays
from loyalty.models import ApiKey, IdempotencyKey, SiebelRequest
from loyalty.operations import REGISTRY
from loyalty.scopes import Scope
from sms.models import Message
from tests.conftest import MEI, PHONE, Api, Outbox, Printed, at_once, code_of, csv_file, holding, new_client, print_card
from tests.effects import everything
from tests.test_card_life import as_customer, new_customer, pooled
from wechat.models import Batch, PoolCard

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
HOME = {"address": "1 Nanjing Road", "city": "上海", "contactName": "李梅 🌸"}
ADD, DRAW, CREATE = "Customers/addresses/add", "Wechats/getCard", "Customers/create"
MANY = 20


@pytest.fixture
def mei(database: None) -> Member:
    return new_customer()


@pytest.fixture
def hers(api: Api, mei: Member, settings: Settings) -> Api:
    settings.WRITES_PER_CUSTOMER_MINUTE = 1000
    return as_customer(api, mei)


@pytest.fixture
def wechat(api: Api) -> Api:
    return holding(api, Scope.WECHAT)


def keyed(caller: Api, key: str = KEY) -> Api:
    return caller.with_headers(idempotency_key=key)


def is_replay(reply: Any) -> bool:
    return bool(reply.headers.get("Idempotent-Replayed") == "true")


def demand_same(first: Any, again: Any) -> None:
    """The first answer again, marked."""
    unlike = {"X-Request-ID", "Idempotent-Replayed"}
    assert (is_replay(first), is_replay(again)) == (False, True)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    shown = [{name: text for name, text in reply.items() if name not in unlike} for reply in (first, again)]
    assert shown[0] == shown[1]


# Which operations


def test_every_post_honours_a_key_but_those_that_answer_or_compare_secrets() -> None:
    never = {
        path
        for path, operation in REGISTRY.items()
        if operation.method == "POST" and path.rpartition("/")[2].startswith(("login", "verify", "reset"))
    }
    found = {path: operation.replays for path, operation in REGISTRY.items()}
    assert {path for path, whose in found.items() if whose is Replays.TO_ANYBODY} == {CREATE}
    assert {path for path, whose in found.items() if whose is Replays.NEVER} == never | {
        path for path, operation in REGISTRY.items() if operation.method == "GET" and path != DRAW
    }


def test_a_log_in_and_a_read_know_no_keys(hers: Api) -> None:
    for _ in range(2):
        assert code_of(keyed(hers).post("Customers/login", {"user": "mei", "password": "x"})) == 403
        assert not is_replay(keyed(hers, "é").get("Customers/addresses/list"))
    assert not IdempotencyKey.objects.exists()


def test_nobodys_key_is_ignored_but_on_create(api: Api, card: Printed) -> None:
    for _ in range(2):
        reply = keyed(api).post("Cards/validate", {"cardNumber": card.number, "pin": card.pin})
        assert (reply.status_code, is_replay(reply)) == (200, False)
    assert keyed(api, "a b").post("Customers/userAvailable", {"user": "free"}).status_code == 200
    assert not IdempotencyKey.objects.exists()


# The first answer again


def test_a_second_address_is_not_added(hers: Api) -> None:
    first = keyed(hers).post(ADD, HOME)
    demand_same(first, keyed(hers).post(ADD, HOME))
    assert Address.objects.count() == 1
    assert hers.post(ADD, HOME).json()["addressId"] != first.json()["addressId"]


def test_the_card_of_a_lost_answer_is_shown_again(wechat: Api) -> None:
    numbers = pooled(2)
    first = keyed(wechat).get(DRAW)
    assert first.json()["msrCard"] in numbers
    demand_same(first, keyed(wechat).get(DRAW))
    assert PoolCard.objects.filter(status="Issued").count() == 1
    assert keyed(wechat, "another").get(DRAW).json()["msrCard"] in set(numbers) - {first.json()["msrCard"]}


def test_a_customer_who_joins_twice_has_joined_once(api: Api, card: Printed, sms_outbox: Outbox) -> None:
    sent = {"phoneNumber": PHONE, "template": "create-en", **card.credentials}
    assert api.post("Customers/sms/sendRegisterPin", sent).status_code == 200
    body = {**MEI, **card.credentials, "cellPhoneValidFlag": sms_outbox.pin()}
    first = keyed(api).post(CREATE, body)
    assert first.headers["x-customer-id"] == first.json()["customerId"] == card.customer_id
    demand_same(first, keyed(api).post(CREATE, body))
    demand_same(first, keyed(api).post(CREATE, {"data": body, "httpCtx": "{}"}))
    assert Message.objects.filter(template__startswith="welcome").count() == 1


def test_a_refusal_is_an_answer_too(hers: Api) -> None:
    card = print_card(status="Inactive")
    body = {"cardNumber": card.number, "pin": card.pin, "makeLive": "Y"}
    first = keyed(hers).post("Customers/cards/add", body)
    assert code_of(first) == 108
    Card.objects.update(status="Active")
    demand_same(first, keyed(hers).post("Customers/cards/add", body))
    assert hers.post("Customers/cards/add", body).status_code == 200


def test_a_file_is_taken_once(api: Api) -> None:
    loader = keyed(holding(api, Scope.WECHAT_LOAD))
    upload = ["msrCard,pin\n6101,1111\n", "msrCard,pin\n6101,1111\n", "msrCard,pin\n6102,2222\n"]
    replies = [loader.form("Wechats/uploadCard", {"fileName": csv_file(text)}) for text in upload]
    demand_same(replies[0], replies[1])
    assert code_of(replies[2]) == 4220
    assert Batch.objects.count() == 1


def test_a_replay_costs_few_queries(hers: Api) -> None:
    keyed(hers).post(ADD, HOME)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert is_replay(keyed(hers).post(ADD, HOME))
    assert len(queries) == 2  # the token, the key


# The same request


@pytest.mark.parametrize("body", [{"address": "2 Huaihai Road"}, {**HOME, "city": "Suzhou"}, {**HOME, "zip": "200001"}])
def test_another_body_is_refused(hers: Api, body: dict[str, str]) -> None:
    keyed(hers).post(ADD, HOME)
    reply = keyed(hers).post(ADD, body)
    assert code_of(reply) == 4220
    error = reply.json()["error"]
    assert (error["name"], error["reason"]) == ("ValidationError", "IdempotencyKeyReused")
    assert list(error["details"]) == ["Idempotency-Key"]
    assert Address.objects.count() == 1


def test_the_same_body_written_otherwise_is_the_same(hers: Api) -> None:
    first = keyed(hers).post(ADD, HOME)
    demand_same(first, keyed(hers).form(ADD, HOME))
    demand_same(first, keyed(hers).post(ADD, dict(reversed(HOME.items()))))
    demand_same(first, keyed(hers).post(ADD, {**HOME, "httpCtx": '{"session": 7}'}))


def test_another_path_is_another_request(hers: Api) -> None:
    ids = [hers.post(ADD, HOME).json()["addressId"] for _ in range(2)]
    replies = [keyed(hers).post(f"Customers/addresses/update/{address}", {"address": "2"}) for address in ids]
    assert (replies[0].status_code, code_of(replies[1])) == (200, 4220)


def test_a_malformed_body_takes_no_key(hers: Api) -> None:
    assert code_of(keyed(hers).post(ADD, {})) == 422
    assert code_of(keyed(hers).post(ADD, "{")) == 422
    assert keyed(hers).post(ADD, HOME).status_code == 200


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "é", "a\tb", "\x7f"])
def test_a_key_out_of_pattern_is_refused(hers: Api, key: str) -> None:
    before = everything()
    reply = keyed(hers, key).post(ADD, HOME)
    assert code_of(reply) == 422
    assert list(reply.json()["error"]["details"]) == ["Idempotency-Key"]
    assert everything() == before


@pytest.mark.parametrize("key", ["k" * 255, "!", '"quoted"', "~/=:;'"])
def test_any_visible_characters_make_a_key(hers: Api, key: str) -> None:
    demand_same(keyed(hers, key).post(ADD, HOME), keyed(hers, key).post(ADD, HOME))


# The same caller, who is still let in


def test_another_clients_same_key_is_another_key(api: Api) -> None:
    numbers = pooled(2)
    drawn = [keyed(holding(api, Scope.WECHAT)).get(DRAW) for _ in range(2)]
    assert {reply.json()["msrCard"] for reply in drawn} == set(numbers)


def test_a_key_belongs_to_the_customer_for_whom_it_came(api: Api, mei: Member) -> None:
    gateway = keyed(holding(api, Scope.CUSTOMERS, networks=["127.0.0.1"]))
    tom = new_customer("tom")
    callers = [gateway.with_headers(x_customer_id=who.pk) for who in (mei, tom)] + [keyed(as_customer(api, mei))]
    added = [caller.post(ADD, {"address": str(number)}) for number, caller in enumerate(callers)]
    assert [reply.status_code for reply in added] == [200] * 3
    demand_same(added[2], keyed(as_customer(api, mei)).post(ADD, {"address": "2"}))


def test_one_key_serves_two_operations(hers: Api) -> None:
    address = keyed(hers).post(ADD, HOME).json()["addressId"]
    assert not is_replay(keyed(hers).post(f"Customers/addresses/update/{address}", HOME))


def test_who_is_let_in_no_more_gets_no_replay(api: Api) -> None:
    pooled()
    client, key = new_client(Scope.WECHAT)
    caller = keyed(api.with_headers(x_api_key=key))
    assert caller.get(DRAW).status_code == 200
    authentication.revoke_key(ApiKey.objects.get(client=client))
    assert code_of(caller.get(DRAW), 401) == 401


def test_limits_come_before_a_replay(wechat: Api, settings: Settings) -> None:
    pooled()
    settings.GETCARD_PER_CLIENT_MINUTE = 2
    replies = [keyed(wechat).get(DRAW) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert code_of(replies[2], 429) == 429


# What is no answer


def test_a_limit_of_the_work_itself_is_not_kept(api: Api, card: Printed, sms_outbox: Outbox) -> None:
    caller = holding(api, Scope.SMS)
    body = {"phoneNumber": PHONE, "template": "create-en", **card.credentials}
    assert caller.post("Customers/sms/sendRegisterPin", body).status_code == 200
    again = keyed(caller, "second")
    assert code_of(again.post("Customers/sms/sendRegisterPin", body)) == 40001
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert again.post("Customers/sms/sendRegisterPin", body).status_code == 200
        assert is_replay(again.post("Customers/sms/sendRegisterPin", body))
    assert len(sms_outbox.messages()) == 2


def test_a_refused_credential_is_not_kept(api: Api, mei: Member) -> None:
    client, key = new_client(Scope.SMS, networks=["127.0.0.1"])
    caller = keyed(api.with_headers(x_api_key=key, x_customer_id=mei.pk))
    assert code_of(caller.post(ADD, HOME), 403) == 403
    client.scopes = [Scope.CUSTOMERS]
    client.save()
    assert caller.post(ADD, HOME).status_code == 200


class Transport:
    """Siebel does the work; its first answer to a write is lost on the way, or none of it happens."""

    lost: list[str]
    error: type[errors.Refusal] | type[Exception]

    def __call__(self, service: str, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        reply = None
        if self.error is errors.SiebelTimeout:
            reply = business_services.call(service, method, arguments)
        if arguments.get("RequestId") and not self.lost:
            self.lost.append(arguments["RequestId"])
            raise self.error
        return reply or business_services.call(service, method, arguments)


transport = Transport()


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("error", "status"), [(errors.SiebelTimeout, 504), (errors.SiebelUnavailable, 503), (ZeroDivisionError, 500)]
)
def test_after_an_unknown_outcome_the_same_write_is_sent_again(
    hers: Api, settings: Settings, error: Any, status: int
) -> None:
    settings.SIEBEL_TRANSPORTS = {"embedded": "tests.test_retries.transport"}
    transport.lost, transport.error = [], error
    assert keyed(hers).post("Customers/updateOpt", {"communicationType": "1"}).status_code == status
    again = keyed(hers).post("Customers/updateOpt", {"communicationType": "1"})
    assert (again.status_code, is_replay(again)) == (200, False)
    assert is_replay(keyed(hers).post("Customers/updateOpt", {"communicationType": "1"}))
    assert ConsentChange.objects.count() == 1
    assert [row.request_id for row in SiebelRequest.objects.all()] == transport.lost


@pytest.mark.embedded
def test_a_lost_card_is_replaced_once(hers: Api, mei: Member, settings: Settings) -> None:
    lost, numbers = print_card(status="Registered", customer=mei), pooled(2)
    settings.SIEBEL_TRANSPORTS = {"embedded": "tests.test_retries.transport"}
    transport.lost, transport.error = [], errors.SiebelTimeout
    body = {"cardNumber": lost.number, "reasonCode": "Lost", "sendReplacement": "Y"}
    replies = [keyed(hers).post("Customers/cards/lost", body) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [504, 200, 200], replies[1].content
    assert replies[1].json()["cardNumber"] == numbers[0]
    assert PoolCard.objects.filter(status="Issued").count() == 1


# How long


def test_after_a_day_a_key_is_a_new_one(hers: Api) -> None:
    first = keyed(hers).post(ADD, HOME)
    with time_machine.travel(timezone.now() + idempotency.KEPT - timedelta(minutes=1)):
        tasks.sweep_expired()
        demand_same(first, keyed(hers).post(ADD, HOME))


@pytest.mark.parametrize("swept", [True, False])
def test_a_key_of_yesterday_has_an_effect_of_its_own(wechat: Api, api: Api, swept: bool, mei: Member) -> None:
    gateway = keyed(holding(api, Scope.CUSTOMERS, networks=["127.0.0.1"]).with_headers(x_customer_id=mei.pk))
    numbers = pooled(2)
    assert (first := keyed(wechat).get(DRAW).json()["msrCard"]) in numbers
    gateway.post(ADD, HOME)
    with time_machine.travel(timezone.now() + idempotency.KEPT):
        if swept:
            tasks.sweep_expired()
            assert not IdempotencyKey.objects.exists()
        assert keyed(wechat).get(DRAW).json()["msrCard"] in set(numbers) - {first}
        assert gateway.post(ADD, {"address": "2 Huaihai Road"}).status_code == 200
    assert Address.objects.count() == 2


# Secrets


def test_the_kept_answer_is_not_to_be_read_in_the_database(wechat: Api) -> None:
    pooled()
    drawn = keyed(wechat).get(DRAW).json()
    row = IdempotencyKey.objects.get()
    text = repr(IdempotencyKey.objects.values().get())
    assert row.answer
    assert not row.result
    assert KEY not in text
    assert drawn["pin"] not in row.answer
    assert drawn["msrCard"] not in text


# Many at once


def at_once_with_one_key(act: Any, effects: Any) -> None:
    """One run; the others are told to wait, or get its answer."""
    replies = at_once(MANY, lambda _: act())
    assert effects() == 1
    done = [reply for reply in replies if reply.status_code == 200]
    assert len({reply.content for reply in done}) == 1
    assert [is_replay(reply) for reply in done].count(False) == 1
    for reply in replies:
        if reply.status_code != 200:
            assert code_of(reply, 409) == 4090
            assert (reply.json()["error"]["reason"], reply.headers["Retry-After"]) == ("RequestInProgress", "1")
    assert is_replay(act())


def test_twenty_requests_with_one_key_add_one_address(hers: Api) -> None:
    at_once_with_one_key(lambda: keyed(hers).post(ADD, HOME), Address.objects.count)


def test_twenty_requests_with_one_key_draw_one_card(wechat: Api) -> None:
    pooled(MANY)
    issued = PoolCard.objects.filter(status="Issued")
    at_once_with_one_key(lambda: keyed(wechat).get(DRAW), issued.count)


def test_twenty_requests_with_one_key_make_one_customer(
    api: Api, card: Printed, sms_outbox: Outbox, settings: Settings
) -> None:
    settings.PUBLIC_RATE = "1000/min"
    sent = {"phoneNumber": PHONE, "template": "create-en", **card.credentials}
    assert api.post("Customers/sms/sendRegisterPin", sent).status_code == 200
    body = {**MEI, **card.credentials, "cellPhoneValidFlag": sms_outbox.pin()}
    at_once_with_one_key(lambda: keyed(Api()).post(CREATE, body), Member.objects.filter(status="Active").count)


@pytest.mark.embedded  # over the wire, whoever asks what became of a write gives up what had not begun: some get 503
def test_one_request_id_in_eight_threads_is_one_write(mei: Member) -> None:
    """Also where the others were past the question whether it was done, and would be refused now."""
    cards = [print_card() for _ in range(2)]
    calls = [
        {
            **siebel.write("customer", "t"),
            "MemberNumber": mei.pk,
            "CardNumber": card.number,
            "CardPassword": card.pin,
            "MakeLive": "Y",
        }
        for card in cards
    ]
    replies = at_once(8, lambda n: siebel.call("Loyalty Card", "Add", calls[n % 2]))
    assert [reply["CardNumber"] for reply in replies] == [card.number for card in cards] * 4
    assert SiebelRequest.objects.filter(is_void=False).count() == 2
