"""Siebel over HTTP: how it writes, how it fails, as whom we come, when it is left alone. (Runs over HTTP alone.)"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as ours
from pytest_django import Settings

from customers.models import Member
from loyalty import siebel as door
from loyalty.scopes import Scope
from loyalty.siebel_rest import breaker, http, login, transport, wire
from tests.conftest import Api, at_once, code_of, holding, print_card
from tests.crm import SiebelProcess, database_url
from tests.environment import free_port
from tests.test_card_life import as_customer, new_customer, own
from tests.test_card_pool import draw, load

LIST = "Customers/cards/list"
MANY = 99


@pytest.fixture
def mei(database: None) -> Member:
    return new_customer()


@pytest.fixture
def hers(api: Api, mei: Member) -> Api:
    return as_customer(api, mei)


def echo(text: str = "here") -> Any:
    return door.call("Loyalty Diagnostics", "Echo", {"Text": text})


# How it writes


@pytest.mark.parametrize("count", [0, 1, 2])
def test_children_are_a_list_however_many_there_are(hers: Api, mei: Member, siebel: SiebelProcess, count: int) -> None:
    for _ in range(count):
        own(mei, "Dormant")
    assert len(hers.get(LIST).json()) == count


@pytest.mark.parametrize("text", ['He said "hi"', "* ?", "李梅 🌸", "a\\b/%20+&", "</ERROR>", "[SBL-DAT-00825]"])
def test_a_text_arrives_as_it_is(database: None, siebel: SiebelProcess, text: str) -> None:
    assert echo(text)["Text"] == text


def test_204_is_an_answer_with_nothing_in_it(hers: Api, siebel: SiebelProcess) -> None:
    siebel.fail("empty")
    assert hers.get(LIST).json() == []


def test_an_output_that_must_be_there_and_is_not_is_no_answer(hers: Api, siebel: SiebelProcess) -> None:
    siebel.fail("empty")
    assert code_of(hers.get("Customers/detail"), 503) == 5030


@pytest.mark.parametrize(
    "outputs",
    [
        {"RegisteredDate": "soon"},
        {"AvailablePoints": "many"},
        {"MemberNumber": None},
        {"ResponseCode": "nobody knows"},
        {"ResponseCode": "99999"},
        {"ResponseCode": ""},
    ],
    ids=repr,
)
def test_an_output_that_nobody_can_read_is_no_answer(hers: Api, siebel: SiebelProcess, outputs: dict[str, Any]) -> None:
    siebel.fail("spoil", outputs=outputs)
    assert code_of(hers.get("Customers/detail"), 503) == 5030


def test_fifty_megabytes_are_not_read(hers: Api, siebel: SiebelProcess) -> None:
    hers.get(LIST)
    siebel.fail("huge")
    before, _ = memory()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    assert code_of(hers.get(LIST), 503) == 5030
    assert memory()[1] - before < 5 * 1024


def memory() -> tuple[int, int]:
    """KiB in use, now and at most."""
    status = Path("/proc/self/status").read_text()
    now, peak = (int(found) for name in ("VmRSS", "VmHWM") for found in re.findall(rf"{name}:\s+(\d+)", status))
    return now, peak


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"A": None, "B": 3, "C": True, "D": {"E": "f"}}, {"B": "3", "C": "Y", "D": [{"E": "f"}]}),
        ({"D": [{"E": {"F": False}}, {}]}, {"D": [{"E": [{"F": "N"}]}, {}]}),
    ],
)
def test_whatever_an_output_is_it_is_read_as_text_or_children(said: Any, read: Any) -> None:
    reply = wire.read(200, json.dumps({"ResponseCode": "0", **said}).encode())
    assert reply == {"ResponseCode": "0", **read}


def test_services_methods_and_dates_are_named_as_this_siebel_names_them(
    hers: Api, mei: Member, siebel: SiebelProcess, settings: Settings
) -> None:
    names = {"Loyalty Card": "LOY Cards/1 & Co", "Loyalty Member.Get": "LOY Member BS.Query One"}
    dates = "%d.%m.%Y %H-%M-%S"
    ports = {"port": free_port(), "control_port": free_port()}
    own_names = {"SIEBEL_SERVICES": json.dumps(names), "SIEBEL_DATE_FORMAT": dates}
    other = SiebelProcess(database_url(), **ports, **own_names)  # type: ignore[arg-type]
    try:
        other.await_start()
        settings.SIEBEL_URL, settings.SIEBEL_SERVICES, settings.SIEBEL_DATE_FORMAT = other.url, names, dates
        print_card(status="Registered", customer=mei, end_date="2031-02-03")
        assert hers.get(LIST).json()[0]["endDate"] == "02/03/2031"
        assert hers.get("Customers/detail").status_code == 200
        assert other.state()["calls"] == {"Loyalty Card.List": 1, "Loyalty Member.Get": 1}
    finally:
        other.end()
    settings.SIEBEL_SERVICES = {"Loyalty Card": "Nobody"}
    settings.SIEBEL_URL = siebel.url
    assert code_of(hers.get(LIST), 503) == 5030


# How it fails


@pytest.mark.parametrize("status", [200, 500, 404])
def test_a_code_that_we_know_is_that_refusal_wherever_it_stands(
    hers: Api, siebel: SiebelProcess, settings: Settings, status: int
) -> None:
    settings.SIEBEL_CODES = {"SBL-LOY-00042": "402"}
    siebel.fail("sbl", status=status, codes=["SBL-LOY-00042", "SBL-BPR-00162", "SBL-EXL-00151"])
    assert code_of(hers.get(LIST)) == 402


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "sbl", "status": 500},
        {"fault": "sbl", "status": 200},
        {"fault": "sbl", "status": 403, "codes": ["SBL-DAT-00825"]},
        {"fault": "status", "status": 401},
        {"fault": "status", "status": 404},
        {"fault": "status", "status": 302},
        {"fault": "status", "status": 503},
        {"fault": "garbage"},
        {"fault": "huge"},
        {"fault": "cut-before"},
        {"fault": "redirect", "location": "/siebel/v1.0/service/Loyalty%20Diagnostics/Echo"},
    ],
    ids=lambda fault: f"{fault['fault']}{fault.get('status', '')}",
)
def test_a_read_that_fails_is_503_in_time(hers: Api, siebel: SiebelProcess, fault: dict[str, Any]) -> None:
    siebel.fail(**fault, times=MANY)
    before, started = siebel.state()["calls"], time.monotonic()
    answer = hers.get(LIST)
    assert code_of(answer, 503) == 5030
    assert answer.headers["Retry-After"]
    assert time.monotonic() - started < 1.5
    assert siebel.state()["calls"].get("Loyalty Diagnostics.Echo") == before.get("Loyalty Diagnostics.Echo")


@pytest.mark.parametrize("fault", ["drip", "hang", "delay"])
def test_a_read_that_takes_too_long_is_504_in_time(hers: Api, siebel: SiebelProcess, fault: str) -> None:
    siebel.fail(fault, seconds=3, times=MANY)
    started = time.monotonic()
    assert code_of(hers.get(LIST), 504) == 5040
    assert 0.9 < time.monotonic() - started < 1.5


@pytest.mark.parametrize("fault", [{"fault": "cut-before"}, {"fault": "cut-after"}, {"fault": "status", "status": 502}])
def test_a_read_is_tried_again_once(hers: Api, siebel: SiebelProcess, fault: dict[str, Any]) -> None:
    calls = siebel.state()["calls"].get("Loyalty Card.List", 0)
    siebel.fail(**fault, times=1)
    assert hers.get(LIST).status_code == 200
    siebel.fail(**fault, times=3)
    assert code_of(hers.get(LIST), 503) == 5030
    assert siebel.state()["calls"]["Loyalty Card.List"] == calls + 4


def test_retries_are_a_tenth_of_the_calls(hers: Api, siebel: SiebelProcess, settings: Settings) -> None:
    settings.SIEBEL_BREAKER_CALLS = 1000
    calls = siebel.state()["calls"].get("Loyalty Diagnostics.Echo", 0)
    siebel.fail("cut-before", times=1000)
    transport._retries._left = 3.0
    for _ in range(20):
        with pytest.raises(Exception, match="SiebelUnavailable"):
            echo()
    retries = 3 + 2  # two are earned meanwhile
    assert siebel.state()["calls"]["Loyalty Diagnostics.Echo"] == calls + 20 + retries


def test_a_server_that_was_gone_is_reached_on_a_new_connection(hers: Api, siebel: SiebelProcess) -> None:
    hers.get(LIST)
    siebel.fail("down", seconds=0)
    assert hers.get(LIST).status_code in (200, 503)
    time.sleep(0.5)
    assert hers.get(LIST).status_code == 200


def test_connections_are_kept(hers: Api, siebel: SiebelProcess) -> None:
    echo()
    before = siebel.state()["connections"]
    for _ in range(5):
        echo()
    assert siebel.state()["connections"] == before


def test_no_more_calls_at_a_time_than_siebel_takes(hers: Api, siebel: SiebelProcess, settings: Settings) -> None:
    settings.SIEBEL_MAX_CONNECTIONS = 2
    siebel.fail("delay", seconds=0.5, times=MANY)

    def timed(_: int) -> tuple[int, bool]:
        started = time.monotonic()
        status = hers.get(LIST).status_code
        return status, time.monotonic() - started < 0.45

    assert sorted(at_once(6, timed)) == [(200, False)] * 2 + [(503, True)] * 4
    assert http._session(os.getpid(), 2).adapters["http://"]._pool_maxsize == 2  # type: ignore[attr-defined]


def test_the_request_id_is_passed_on(hers: Api, siebel: SiebelProcess) -> None:
    hers.get(LIST, headers={"X-Request-ID": "find-me-7"})
    assert siebel.state()["lastHeaders"]["X-Request-ID"] == "find-me-7"


def test_a_call_leaves_a_line_and_a_metric_without_its_arguments(
    hers: Api, siebel: SiebelProcess, caplog: pytest.LogCaptureFixture
) -> None:
    siebel.fail("cut-before", times=MANY)
    hers.post("Customers/cards/add", {"cardNumber": "6200009999", "pin": "975310"})
    said = "".join(str(record.msg) for record in caplog.records)
    assert "siebel_failed" in said
    assert "975310" not in said
    assert "6200009999" not in said


# As whom we come


@pytest.fixture
def oauth(settings: Settings, siebel: SiebelProcess) -> SiebelProcess:
    settings.SIEBEL_LOGIN, settings.SIEBEL_TOKEN_URL = "oauth", f"{siebel.url}/oauth/token"
    login._token = login._Token("", 0.0)
    return siebel


def test_a_token_is_asked_for_once_and_again_when_it_is_refused(database: None, oauth: SiebelProcess) -> None:
    tokens = oauth.state()["tokens"]
    at_once(8, lambda _: echo())
    assert oauth.state()["tokens"] == tokens + 1
    oauth.expire_tokens()
    assert [reply["Text"] for reply in at_once(8, lambda n: echo(str(n)))] == [str(n) for n in range(8)]
    assert oauth.state()["tokens"] == tokens + 2


def test_a_write_over_a_refused_token_has_one_effect(hers: Api, mei: Member, oauth: SiebelProcess) -> None:
    echo()
    oauth.expire_tokens()
    assert hers.post("Customers/updateOpt", {"communicationType": "1"}).status_code == 200
    assert mei.consents.count() == 1


@pytest.mark.parametrize("kind", ["basic", "oauth"])
def test_a_wrong_password_is_503(hers: Api, oauth: SiebelProcess, settings: Settings, kind: str) -> None:
    settings.SIEBEL_LOGIN, settings.SIEBEL_PASSWORD = kind, "wrong"
    assert code_of(hers.get(LIST), 503) == 5030


# When it is left alone


@pytest.fixture
def quick_breaker(settings: Settings) -> None:
    settings.SIEBEL_BREAKER_CALLS, settings.SIEBEL_BREAKER_SECONDS = 4, 0.6


def break_circuit(caller: Api, siebel: SiebelProcess) -> None:
    siebel.fail("sbl", times=2)
    for _ in range(2):
        assert code_of(caller.get(LIST), 503) == 5030


def test_a_service_that_fails_is_left_alone_then_probed_by_one(
    hers: Api, siebel: SiebelProcess, quick_breaker: None
) -> None:
    break_circuit(hers, siebel)
    calls = siebel.state()["calls"]["Loyalty Card.List"]
    assert {code_of(hers.get(LIST), 503) for _ in range(5)} == {5030}
    assert siebel.state()["calls"]["Loyalty Card.List"] == calls
    assert echo()["Text"] == "here"  # another service
    time.sleep(0.65)
    siebel.fail("sbl", times=1)
    assert {reply.status_code for reply in at_once(8, lambda _: hers.get(LIST))} == {503}
    assert siebel.state()["calls"]["Loyalty Card.List"] == calls + 1
    time.sleep(0.65)
    assert {hers.get(LIST).status_code for _ in range(3)} == {200}


def test_every_process_of_the_machine_leaves_it_alone(hers: Api, siebel: SiebelProcess, quick_breaker: None) -> None:
    ask = (
        "import django; django.setup(); from loyalty.siebel_rest import breaker;"
        "breaker.admit('Loyalty Member'); breaker.admit('Loyalty Card')"
    )
    break_circuit(hers, siebel)
    environment = {**os.environ, "SIEBEL_BREAKER_SECONDS": "60"}
    done = subprocess.run(
        [sys.executable, "-c", ask], env=environment, cwd=ours.BASE_DIR, capture_output=True, check=False
    )
    assert b"CircuitOpen" in done.stderr


def test_a_probe_that_died_is_not_waited_for(
    hers: Api, siebel: SiebelProcess, quick_breaker: None, settings: Settings
) -> None:
    break_circuit(hers, siebel)
    time.sleep(0.65)
    settings.SIEBEL_DEADLINE_SECONDS = -0.8
    assert breaker.admit("Loyalty Card")
    settings.SIEBEL_DEADLINE_SECONDS = 1.0
    time.sleep(0.3)
    assert hers.get(LIST).status_code == 200


def test_health_tells_degraded_from_ready(hers: Api, siebel: SiebelProcess, quick_breaker: None) -> None:
    assert hers.client.get("/health").json()["siebel"] == "ok"
    break_circuit(hers, siebel)
    answer = hers.client.get("/health")
    assert (answer.status_code, answer.json()["status"], answer.json()["siebel"]) == (200, "degraded", "down")


def test_reads_that_may_be_stale_answer_meanwhile(
    hers: Api, siebel: SiebelProcess, quick_breaker: None, settings: Settings
) -> None:
    settings.SIEBEL_STALE_METHODS = ["Loyalty Card.List"]
    fresh = hers.get(LIST)
    break_circuit(hers, siebel)
    stale = hers.get(LIST)
    assert (stale.status_code, stale.content) == (200, fresh.content)
    assert (stale.headers["Warning"], int(stale.headers["Age"]) < 5) == ('110 - "Response is Stale"', True)
    assert not {"Warning", "Age"} & set(fresh.headers)
    assert code_of(hers.post("Customers/cards/wake", {"cardNumber": "1"}), 503) == 5030


def test_what_a_write_has_changed_is_no_more_answered(
    hers: Api, mei: Member, siebel: SiebelProcess, quick_breaker: None, settings: Settings
) -> None:
    settings.SIEBEL_STALE_METHODS = ["Loyalty Card.List"]
    card = own(mei, "Dormant")
    hers.get(LIST)
    assert hers.post("Customers/cards/wake", {"cardNumber": card.number}).status_code == 200
    break_circuit(hers, siebel)
    assert code_of(hers.get(LIST), 503) == 5030


def test_nobody_reads_what_another_one_was_answered(
    hers: Api, api: Api, siebel: SiebelProcess, quick_breaker: None, settings: Settings
) -> None:
    settings.SIEBEL_STALE_METHODS = ["Loyalty Card.List"]
    tom = Member.objects.create(status="Active", user_name_key="tom")
    hers.get(LIST)
    break_circuit(as_customer(api, tom), siebel)
    assert code_of(as_customer(api, tom).get(LIST), 503) == 5030
    assert hers.get(LIST).status_code == 200


def test_cards_of_the_pool_are_handed_out_meanwhile(
    api: Api, hers: Api, siebel: SiebelProcess, quick_breaker: None
) -> None:
    load(api, "msrCard,pin\n6101,1111\n6102,2222\n")
    wechat = holding(api, Scope.WECHAT)
    break_circuit(hers, siebel)
    assert {draw(wechat).json()["msrCard"] for _ in range(2)} == {"6101", "6102"}
