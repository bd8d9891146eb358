"""Who may call what: every operation of the contract, every kind of caller, every method."""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

import config.urls  # noqa: F401  (the routes are what fills REGISTRY)
from cards.members import MemberStatus
from customers.models import Member
from loyalty import authentication, encryption
from loyalty.callers import connecting_address
from loyalty.digests import token_digest
from loyalty.models import ApiKey, CustomerToken
from loyalty.operations import REGISTRY
from loyalty.scopes import Scope
from tests.conftest import Api, code_of, holding, new_client, print_card
from tests.effects import everything
from wechat import pool
from wechat.models import Batch, PoolCard

HERE = Path(__file__).parent
CONTRACT: list[dict[str, Any]] = yaml.safe_load((HERE / "contract.yaml").read_text())["operations"]
PENDING = [line for line in (HERE / "openapi_pending.txt").read_text().splitlines() if line[:1] not in ("", "#")]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
HERE_ADDRESS, ELSEWHERE = "127.0.0.1", "198.51.100.7"
IN = "in"


def name_of(entry: dict[str, Any]) -> str:
    return f"{entry['method']} {entry['path']}"


def scope_of(access: str) -> Scope:
    """The scope that a key needs under a rule of the contract."""
    return Scope(access.partition(":")[2] or Scope.CUSTOMERS)


def path_of(entry: dict[str, Any]) -> str:
    """Its path, with something in the place of each parameter."""
    return re.sub(r"{\w+}", "1-NONE", entry["path"])


every_operation = pytest.mark.parametrize("entry", CONTRACT, ids=name_of)
existing = pytest.mark.parametrize("entry", [e for e in CONTRACT if name_of(e) not in PENDING], ids=name_of)
pending = pytest.mark.parametrize("entry", [e for e in CONTRACT if name_of(e) in PENDING], ids=name_of)


@dataclass
class Cast:
    """Two customers, and whoever may knock."""

    mei: str
    tom: str
    anonymous: Api

    def with_token(self, customer_id: str, **columns: Any) -> Api:
        token, _ = authentication.issue_token(customer_id)
        CustomerToken.objects.filter(digest=token_digest(token)).update(**columns)
        return self.anonymous.with_headers(authorization=f"Bearer {token}")

    def with_key(self, *scopes: Scope, customer_id: str = "", **columns: Any) -> Api:
        holder = holding(self.anonymous, *scopes, **{"networks": [HERE_ADDRESS], **columns})
        return holder.with_headers(x_customer_id=customer_id or self.mei)

    def staff_session(self) -> Api:
        session = self.anonymous.with_headers()
        session.client.force_login(User.objects.create_superuser("boss", password=None))
        return session

    def callers(self, scope: Scope) -> Iterator[tuple[Api, tuple[Any, Any, Any, Any]]]:
        """Each caller with what it meets: where access is public, customer, client:<scope>, owner-or-client:<scope>."""
        past, others = timezone.now() - timedelta(seconds=1), [other for other in Scope if other != scope]
        nobody, anybody = (IN, 401, 401, 401), (IN, IN, IN, IN)
        mine, key = self.with_token(self.mei), self.with_key(scope)
        bearer, api_key = mine.headers["authorization"], key.headers["x-api-key"]
        basic = base64.b64encode(b"boss:secret").decode()

        yield self.anonymous, nobody
        yield self.anonymous.with_headers(x_customer_id=self.mei), nobody
        yield self.anonymous.with_headers(authorization="Bearer 0123456789abcdef"), nobody
        yield self.anonymous.with_headers(authorization=f"Basic {basic}"), nobody
        yield self.anonymous.with_headers(authorization=f"Token {bearer[7:]}"), nobody
        yield self.anonymous.with_headers(authorization=f"Bearer {api_key}"), nobody
        yield self.anonymous.with_headers(x_api_key=bearer[7:]), nobody
        yield self.staff_session(), nobody
        yield self.with_token(self.mei, expires_at=past), nobody
        yield self.with_token(self.mei, revoked_at=past), nobody

        yield mine, (IN, IN, 403, IN)
        yield mine.with_headers(x_customer_id=self.mei), (IN, IN, 403, IN)
        yield mine.with_headers(x_customer_id=self.tom), (IN, 403, 403, 403)

        yield key, anybody
        yield self.with_key(*Scope), anybody
        yield self.with_key(scope, networks=[]), (IN, 403, IN, IN)  # for any customer, but not from anywhere
        yield self.with_key(), (IN, 403, 403, 403)
        yield self.with_key(*others), (IN, 403, 403, 403)
        yield self.with_key(*Scope, is_active=False), nobody
        yield self.with_key(*Scope, expires_at=past), nobody
        yield self.with_key(*Scope, networks=[ELSEWHERE]), nobody
        yield self.revoked_key(), nobody

        yield mine.with_headers(x_api_key=api_key), (IN, IN, 403, IN)
        yield mine.with_headers(x_api_key=api_key, x_customer_id=self.tom), (IN, 403, 403, 403)
        yield key.with_headers(authorization="Bearer 0123456789abcdef"), nobody

    def revoked_key(self) -> Api:
        client, key = new_client(*Scope, networks=[HERE_ADDRESS])
        authentication.revoke_key(ApiKey.objects.get(client=client))
        return self.anonymous.with_headers(x_api_key=key, x_customer_id=self.mei)


def customer(name: str) -> str:
    member = Member(status=MemberStatus.ACTIVE)
    member.set_login(name, f"{name}@example.com")
    member.save()
    return str(member.pk)


@pytest.fixture
def cast(database: None, settings: Settings) -> Cast:
    settings.LIMITS_SCALE = 1000
    return Cast(customer("mei"), customer("tom"), Api())


def met(access: str, outcomes: tuple[Any, Any, Any, Any]) -> Any:
    return outcomes[("public", "customer", "client", "owner-or-client").index(access.partition(":")[0])]


def demand_denied(reply: Any, status: int) -> None:
    assert code_of(reply, status) == status
    reason, challenge = {401: ("authorizationError", True), 403: ("accessDenied", False)}[status]
    assert (reply.json()["error"]["name"], reply.json()["error"]["reason"]) == ("AuthorizationError", reason)
    assert ("WWW-Authenticate" in reply.headers) is challenge


@existing
def test_an_operation_lets_in_whom_its_rule_admits_and_nobody_else(cast: Cast, entry: dict[str, Any]) -> None:
    with transaction.atomic():
        cells = cast.callers(scope_of(entry["access"]))
        callers = [(caller, met(entry["access"], outcomes)) for caller, outcomes in cells]
    before = everything()
    for caller, wanted in callers:
        if wanted != IN:
            demand_denied(caller.request(entry["method"], path_of(entry)), wanted)
    assert everything() == before
    for caller, wanted in callers:
        if wanted == IN:
            reply = caller.request(entry["method"], path_of(entry))
            assert reply.status_code in (200, 400, 423), (caller.headers, reply.content)


@existing
def test_an_operation_answers_its_own_method_alone(cast: Cast, entry: dict[str, Any]) -> None:
    entitled = cast.with_key(scope_of(entry["access"]))
    callers = (cast.anonymous, entitled, cast.with_token(cast.mei))
    before = everything()
    for method in METHODS:
        for caller in callers:
            reply = caller.request(method, path_of(entry))
            assert (reply.status_code == 405) is (method != entry["method"]), (method, reply.content)
            if reply.status_code == 405:
                assert reply.headers["Allow"] == entry["method"]
                assert method == "HEAD" or code_of(reply, 405) == 405
                assert everything() == before
            else:
                before = everything()


@pending
def test_an_operation_that_is_not_there_yet_answers_404(cast: Cast, entry: dict[str, Any]) -> None:
    entitled = cast.with_key(*Scope)
    before = everything()
    for method in METHODS:
        reply = entitled.request(method, path_of(entry))
        assert reply.status_code == 404, f"{name_of(entry)} exists: take it off tests/openapi_pending.txt."
        assert method == "HEAD" or reply.json()["error"]["reason"] == "NotFound"
    assert everything() == before


def test_the_contract_the_registry_and_the_list_of_what_is_pending_agree() -> None:
    names = {name_of(entry) for entry in CONTRACT}
    there = {f"{operation.method} /api/{operation.path}" for operation in REGISTRY.values()}
    assert len(names) == len(CONTRACT) == 44
    assert set(PENDING) <= names
    assert there == names - set(PENDING)


@existing
def test_an_operation_is_declared_as_the_contract_says(entry: dict[str, Any]) -> None:
    operation = REGISTRY[entry["path"].removeprefix("/api/")]
    assert str(operation.access) == entry["access"]
    assert operation.tag == entry["tag"]
    assert operation.deprecated is entry.get("deprecated", False)
    if "body" not in entry:
        sent = [param for param in entry.get("params", []) if param["in"] in ("form", "form or file")]
        rules = {param["name"]: rule_of(param) for param in sent}
        assert {name: rule for name, rule in declared(operation.form).items() if name != "ticket"} == rules
    queried = [param for param in entry.get("params", []) if param["in"] == "query"]
    assert declared(operation.query) == {param["name"]: rule_of(param) for param in queried}


def rule_of(param: dict[str, Any]) -> tuple[bool, list[str]]:
    return param["required"], param.get("enum", [])


def declared(form: Any) -> dict[str, tuple[bool, list[str]]]:
    fields = form().fields.items() if form else ()
    return {name: (field.required, list(getattr(field, "choices", []))) for name, field in fields}


# What they see once they are in


def test_a_customer_sees_his_own_data_whichever_way_he_came(cast: Cast) -> None:
    for caller, customer_id in (
        (cast.with_token(cast.mei), cast.mei),
        (cast.with_token(cast.tom).with_headers(x_customer_id=cast.tom), cast.tom),
        (cast.with_key(Scope.CUSTOMERS, customer_id=cast.tom), cast.tom),
    ):
        assert caller.get("Customers/detail").json()["customerId"] == customer_id


def test_a_token_and_a_key_together_see_what_the_token_sees(cast: Cast) -> None:
    both = cast.with_token(cast.tom).with_headers(**cast.with_key(Scope.CUSTOMERS).headers, x_customer_id=cast.tom)
    assert both.get("Customers/detail").json()["customerId"] == cast.tom


@pytest.mark.parametrize("method", [method for method in METHODS if method != "GET"])
def test_only_a_get_draws_a_card(cast: Cast, method: str) -> None:
    batch = Batch.objects.create(state=Batch.State.DONE)
    cards = [print_card(), print_card()]
    for card in cards:
        pin = encryption.seal(card.pin, owner=card.number)
        PoolCard.objects.create(number=card.number, pin=pin, customer_id=card.customer_id, batch=batch)
    pool.refill()
    wechat = cast.with_key(Scope.WECHAT)
    before = everything()
    assert len(before["redis"]) == 2
    assert wechat.request(method, "/api/Wechats/getCard").status_code == 405
    assert everything() == before
    assert wechat.get("Wechats/getCard").json()["msrCard"] == cards[0].number
    assert everything() != before


@pytest.mark.parametrize(
    "header", ["1-A,1-B", "1-A, 1-A", "", " ", "1-a", "A", "1-", "1-A'--", "1-ABCDEFGHIJKLMN", "1-Ａ"]
)
def test_a_customer_header_sent_twice_or_out_of_pattern_is_refused(cast: Cast, header: str) -> None:
    for caller in (cast.with_token(cast.mei), cast.with_key(Scope.CUSTOMERS)):
        reply = caller.get("Customers/detail", headers={"x-customer-id": header})
        assert code_of(reply) == 422
        assert list(reply.json()["error"]["details"]) == ["x-customer-id"]


def test_on_a_public_operation_too(cast: Cast) -> None:
    reply = cast.anonymous.with_headers(x_customer_id="!!").post("Customers/userAvailable", {"user": "mei"})
    assert code_of(reply) == 422


def test_my_id_and_my_victims_in_one_header_are_refused(cast: Cast) -> None:
    for both in (f"{cast.mei},{cast.tom}", f"{cast.tom},{cast.mei}"):
        for caller in (cast.with_token(cast.mei), cast.with_key(Scope.CUSTOMERS)):
            assert code_of(caller.get("Customers/detail", headers={"x-customer-id": both})) == 422


def test_a_key_must_say_for_whom_it_acts(cast: Cast) -> None:
    caller = holding(cast.anonymous, Scope.CUSTOMERS, networks=[HERE_ADDRESS])
    assert code_of(caller.get("Customers/detail")) == 422


def test_a_rotated_client_has_two_keys_and_a_third_needs_one_revoked(cast: Cast) -> None:
    client, first = new_client(Scope.WECHAT)
    _, second = authentication.issue_key(client)
    with pytest.raises(ValueError, match="two live keys"):
        authentication.issue_key(client)
    for key in (first, second):
        assert code_of(cast.anonymous.with_headers(x_api_key=key).get("Wechats/getCard")) == 4001
    authentication.revoke_key(client.keys.get(slot=1))
    assert code_of(cast.anonymous.with_headers(x_api_key=first).get("Wechats/getCard"), 401) == 401
    _, third = authentication.issue_key(client)
    assert code_of(cast.anonymous.with_headers(x_api_key=third).get("Wechats/getCard")) == 4001


def test_neither_tokens_nor_keys_stand_in_the_database(cast: Cast) -> None:
    caller = cast.with_token(cast.mei).with_headers(x_api_key=new_client(Scope.WECHAT)[1])
    rows = repr(everything())
    for secret in (caller.headers["authorization"][7:], caller.headers["x-api-key"]):
        assert secret[12:] not in rows


# The address that counts


def seen(api: Api, address: str, forwarded: str | None = None) -> Any:
    """A public request from an address; its answer tells whether a limit was met."""
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return api.request("POST", "/api/Cards/validate", REMOTE_ADDR=address, headers=headers).status_code


@pytest.mark.parametrize(
    ("networks", "address"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["10.0.0.0/8", "198.51.100.0/24"], "198.51.100.255"),
        (["198.51.100.0/24"], "::ffff:198.51.100.7"),
        (["2001:db8::/32"], "2001:db8::1"),
        ([], "203.0.113.9"),
    ],
)
def test_an_allow_list_admits_its_addresses(cast: Cast, networks: list[str], address: str) -> None:
    caller = cast.with_key(Scope.WECHAT, networks=networks)
    assert code_of(caller.request("GET", "/api/Wechats/getCard", REMOTE_ADDR=address)) == 4001


@pytest.mark.parametrize(
    ("proxies", "address", "forwarded"),
    [
        ([], "203.0.113.9", ""),
        ([], "", ""),
        ([], "203.0.113.9", ELSEWHERE),
        (["127.0.0.1"], "203.0.113.9", ELSEWHERE),
        (["127.0.0.1"], HERE_ADDRESS, f"{ELSEWHERE}, 203.0.113.9"),
        (["127.0.0.1"], HERE_ADDRESS, f"{ELSEWHERE}, unknown"),
        (["127.0.0.1"], HERE_ADDRESS, f"{ELSEWHERE}, 203.0.113.9, 127.0.0.1"),
        (["127.0.0.1"], HERE_ADDRESS, ""),
    ],
)
def test_an_allow_list_is_not_met_by_what_a_stranger_writes(
    cast: Cast, settings: Settings, proxies: list[str], address: str, forwarded: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    caller = cast.with_key(Scope.WECHAT, networks=[ELSEWHERE])
    headers = {"x-forwarded-for": forwarded}
    assert code_of(caller.request("GET", "/api/Wechats/getCard", REMOTE_ADDR=address, headers=headers), 401) == 401


def test_behind_our_own_proxies_the_allow_list_sees_the_address_that_they_saw(cast: Cast, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.0.0.0/8"]
    caller = cast.with_key(Scope.WECHAT, networks=[ELSEWHERE])
    for forwarded in (ELSEWHERE, f"203.0.113.9, {ELSEWHERE}", f"junk, {ELSEWHERE}, 10.1.2.3"):
        headers = {"x-forwarded-for": forwarded}
        assert code_of(caller.request("GET", "/api/Wechats/getCard", headers=headers)) == 4001


@pytest.fixture
def three_a_minute(cast: Cast, settings: Settings) -> Cast:
    settings.LIMITS_SCALE, settings.PUBLIC_RATE = 1, "3/min"
    return cast


def statuses(ask: Callable[[int], int], count: int = 4) -> list[int]:
    return [ask(number) for number in range(count)]


LIMITED, FREE = [400, 400, 400, 429], [400, 400, 400, 400]


def test_changing_the_forwarded_address_does_not_escape_a_limit(three_a_minute: Cast) -> None:
    stranger = three_a_minute.anonymous
    assert statuses(lambda number: seen(stranger, ELSEWHERE, f"203.0.113.{number}")) == LIMITED
    assert seen(stranger, "203.0.113.200") == 400


def test_an_ordinary_key_does_not_escape_it_either(three_a_minute: Cast) -> None:
    caller = three_a_minute.with_key(Scope.WECHAT)
    assert statuses(lambda number: seen(caller, ELSEWHERE, f"203.0.113.{number}")) == LIMITED


def test_a_network_of_ipv6_counts_as_one_caller(three_a_minute: Cast) -> None:
    stranger = three_a_minute.anonymous
    assert statuses(lambda number: seen(stranger, f"2001:db8:0:1::{number}")) == LIMITED
    assert seen(stranger, "2001:db8:0:2::1") == 400


def test_an_ipv4_caller_on_an_ipv6_socket_counts_by_himself(three_a_minute: Cast) -> None:
    stranger = three_a_minute.anonymous
    assert statuses(lambda number: seen(stranger, f"::ffff:203.0.113.{number}")) == FREE
    assert statuses(lambda number: seen(stranger, "203.0.113.0"), 3) == [400, 400, 429]


def test_behind_our_own_proxy_each_end_user_counts_by_himself(three_a_minute: Cast, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [HERE_ADDRESS]
    stranger = three_a_minute.anonymous
    assert statuses(lambda number: seen(stranger, HERE_ADDRESS, f"203.0.113.{number}")) == FREE
    assert statuses(lambda number: seen(stranger, HERE_ADDRESS, f"9.9.9.{number}, {ELSEWHERE}")) == LIMITED


def test_behind_a_gateway_each_end_user_counts_by_himself(three_a_minute: Cast) -> None:
    gateway = three_a_minute.with_key(Scope.CUSTOMERS, is_gateway=True)
    assert statuses(lambda number: seen(gateway, HERE_ADDRESS, f"203.0.113.{number}"), 12) == [400] * 12
    assert statuses(lambda number: seen(gateway, HERE_ADDRESS, f"9.9.9.{number}, {ELSEWHERE}")) == LIMITED
    assert statuses(lambda _: seen(gateway, HERE_ADDRESS)) == FREE  # it did not say for whom


def test_a_gateway_that_passes_an_old_token_on_is_still_a_gateway(three_a_minute: Cast) -> None:
    gateway = three_a_minute.with_key(Scope.CUSTOMERS, is_gateway=True).with_headers(authorization="Bearer gone")
    assert statuses(lambda number: seen(gateway, HERE_ADDRESS, f"203.0.113.{number}"), 12) == [400] * 12
    assert statuses(lambda number: seen(gateway, HERE_ADDRESS, f"9.9.9.{number}, {ELSEWHERE}")) == LIMITED


def test_behind_a_gateway_and_our_proxy_too(three_a_minute: Cast, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [HERE_ADDRESS]
    gateway = three_a_minute.with_key(Scope.CUSTOMERS, is_gateway=True, networks=[ELSEWHERE])

    def ask(end_user: str) -> int:
        return int(seen(gateway, HERE_ADDRESS, f"9.9.9.9, {end_user}, {ELSEWHERE}"))

    assert statuses(lambda number: ask(f"203.0.113.{number}")) == FREE
    assert statuses(lambda _: ask("203.0.113.50")) == LIMITED


def test_the_limits_of_secrets_count_the_same_address(cast: Cast, settings: Settings) -> None:
    settings.LIMITS_SCALE, settings.LOGIN_PER_ADDRESS_5MIN = 1, 2
    gateway = cast.with_key(Scope.CUSTOMERS, is_gateway=True)

    def log_in(caller: Api, forwarded: str) -> Any:
        headers = {"x-forwarded-for": forwarded}
        return caller.post(
            "Customers/login", {"user": f"who {forwarded}", "password": "x"}, headers=headers
        ).status_code

    assert [log_in(gateway, f"203.0.113.{number}") for number in range(4)] == [400] * 4
    assert [log_in(gateway, f"{number}.9.9.9, {ELSEWHERE}") for number in range(1, 4)] == [400, 400, 429]
    assert [log_in(cast.anonymous, f"203.0.113.{number}") for number in range(3)] == [400, 400, 429]


def test_a_gateways_key_that_is_no_good_is_no_gateways_key(three_a_minute: Cast) -> None:
    expired = three_a_minute.with_key(
        Scope.CUSTOMERS, is_gateway=True, expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert statuses(lambda number: seen(expired, HERE_ADDRESS, f"203.0.113.{number}")) == LIMITED


def test_a_customer_and_a_client_have_limits_of_their_own(cast: Cast, settings: Settings) -> None:
    settings.LIMITS_SCALE, settings.READS_PER_CUSTOMER_MINUTE, settings.REQUESTS_PER_CLIENT_MINUTE = 1, 2, 3
    mei, tom, key = cast.with_token(cast.mei), cast.with_token(cast.tom), cast.with_key(Scope.CUSTOMERS)
    assert [mei.get("Customers/detail").status_code for _ in range(3)] == [200, 200, 429]
    assert tom.get("Customers/detail").status_code == 200
    replies = [key.get("Customers/detail", headers={"x-customer-id": who}) for who in (cast.mei, cast.tom) * 2]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
    error = replies[-1].json()["error"]
    assert (error["name"], error["code"], error["reason"]) == ("RateLimitError", 429, "TooManyRequests")
    assert 1 <= int(replies[-1].headers["Retry-After"]) <= 60


def test_a_caller_without_an_address_is_taken_for_this_machine(rf: Any, settings: Settings) -> None:
    request = rf.get("/", REMOTE_ADDR="")
    assert connecting_address(request) == HERE_ADDRESS


def test_nothing_of_the_session_is_read_or_set(cast: Cast) -> None:
    session = cast.staff_session()
    reply = session.get("Customers/detail")
    assert code_of(reply, 401) == 401
    assert not reply.cookies
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/api/Cards/validate", {"cardNumber": "6100", "pin": "1"}).status_code == 200
