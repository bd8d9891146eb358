"""What a request may look like: whatever else is sent is refused in the one shape, and nothing comes of it."""

import io
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

import config.urls  # noqa: F401  (the routes are what fills REGISTRY)
from cards import siebel as cards
from config import wsgi
from loyalty import errors, fields
from loyalty.operations import REGISTRY, Operation
from loyalty.scopes import Scope
from tests.conftest import MEI, PHONE, Api, Printed, holding
from tests.effects import everything
from wechat.serializers import FileName

SHAPE = {"name", "status", "statusCode", "code", "reason", "message", "requestId"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADEUP")
VALIDATE, AVAILABLE, SEND, CREATE = (
    "Cards/validate",
    "Customers/userAvailable",
    "Customers/sms/sendRegisterPin",
    "Customers/create",
)
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=edge"
MEGABYTE = 1024 * 1024


@pytest.fixture
def entitled(card: Printed, settings: Settings) -> Api:
    """A key that opens every operation."""
    settings.LIMITS_SCALE = 1000
    return holding(Api(), *Scope, networks=["127.0.0.1"]).with_headers(x_customer_id=card.customer_id)


@pytest.fixture
def api(entitled: Api) -> Iterator[Api]:
    """Whatever a test of this file sends, no row comes or goes or changes."""
    before = everything()
    yield Api()
    assert everything() == before


def refused(reply: Any, status: int = 400, code: int = 422) -> dict[str, Any]:
    """The error of an answer in the one shape that every failure has."""
    assert reply.status_code == status, reply.content
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    body = reply.json()
    error: dict[str, Any] = body["error"]
    assert set(body) == {"error"}
    assert SHAPE <= set(error) <= SHAPE | {"details"}
    assert (error["status"], error["statusCode"], error["code"]) == (status, status, code)
    assert error["requestId"] == reply.headers["X-Request-ID"]
    assert ("details" in error) is (error["name"] == "ValidationError")
    return error


def parts(*pairs: tuple[bytes, bytes]) -> bytes:
    """A multipart body, name and value as they are."""
    part = b'--edge\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    return b"".join(part % pair for pair in pairs) + b"--edge--\r\n"


# Where


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/Cards",
        "/api/Cards/validate/",
        "/api/cards/validate",
        "/api//Cards/validate",
        "/api/Cards/validate%0A",
        "/api/a%0Ab",
        "/api/%ff%fe",
        "/api/..%2fadmin%2f",
        "/api/" + "x" * 4000,
    ],
)
def test_an_unknown_route_is_404_by_any_method(api: Api, path: str) -> None:
    for method in METHODS:
        reply = api.request(method, path)
        assert reply.status_code == 404
        assert method == "HEAD" or refused(reply, 404, 404)["reason"] == "NotFound"


def test_a_nul_in_the_path_is_refused(api: Api) -> None:
    for path in ("/api/Orders/%00/items", "/api/Cards/validate%00", "/api/%00"):
        assert list(refused(api.request("GET", path))["details"]) == ["path"]


def test_a_method_of_another_operation_is_405(api: Api) -> None:
    for method in METHODS:
        reply = api.request(method, "/api/Cards/validate")
        if method != "POST":
            assert reply.status_code == 405
            assert reply.headers["Allow"] == "POST"
            assert method == "HEAD" or refused(reply, 405, 405)["reason"] == "MethodNotAllowed"


def test_methods_that_callers_make_up_are_one_in_the_metrics(api: Api) -> None:
    api.request("MADEUP", "/api/Cards/validate")
    page = api.client.get("/metrics").content.decode()
    assert 'method="other",route="api/Cards/validate",status="4xx"' in page
    assert "MADEUP" not in page


@pytest.mark.parametrize("host", ["evil.test", "testserver.evil.test", "a b", "testserver:80:80"])
def test_a_forbidden_host_is_refused_as_json(api: Api, host: str) -> None:
    assert list(refused(api.get("Customers/detail", headers={"host": host}))["details"]) == ["request"]


# The body as a whole


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "{}}",
        "[]",
        '[{"cardNumber": "6200", "pin": "1"}]',
        '"text"',
        "1",
        "true",
        "null",
        "NaN",
        "{'cardNumber': '6200'}",
        '{"cardNumber": "6200", "pin": "1", "pin": "1"}',
        '{"cardNumber": "6200", "pin": "1", "httpCtx": {"a": 1, "a": 2}}',
        '{"cardNumber": "6200", "pin": NaN}',
        '{"cardNumber": "6200", "pin": "1", "httpCtx": Infinity}',
        '{"cardNumber": "6200", "pin": "1", "httpCtx": -Infinity}',
        '{"cardNumber": "6200", "pin": "1", "httpCtx": ' + "[" * 1000 + "]" * 1000 + "}",
        '{"cardNumber": "6200", "pin": "1", "httpCtx": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
        '{"cardNumber": "6200", "pin": "1", "httpCtx": ' + "9" * 5000 + "}",
        b'{"cardNumber": "6200", "pin": "\xff"}',
        b'\xef\xbb\xbf{"cardNumber": "6200", "pin": "1"}',
        '{"cardNumber": "6200", "pin": "1"}'.encode("utf-16"),
        b"\x00",
    ],
    ids=lambda body: repr(body)[:40],
)
def test_a_body_that_is_not_one_json_object_is_refused(api: Api, body: str | bytes) -> None:
    assert list(refused(api.post(VALIDATE, body))["details"]) == ["body"]


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (FORM, b"cardNumber=6200&pin=1&pin=2"),
        (FORM, b"cardNumber=6200&pin=1&a%00=b"),
        ("application/json", b'{"cardNumber": "6200", "pin": "1", "\\ud800": 1}'),
        (FORM, b"cardNumber=6200&pin=%ff"),
        (FORM, b"cardNumber=6200&pin=\xe4"),
        (FORM, b"&".join(b"%d=1" % number for number in range(300))),
        (MULTIPART, parts((b"cardNumber", b"6200"), (b"pin", b"1"), (b"pin", b"2"))),
        (MULTIPART, parts((b"cardNumber", b"6200"), (b'pin"; filename="x', b"1"), (b"pin", b"2"))),
        (MULTIPART, parts((b'pin"; filename="x', b"1"), (b'pin"; filename="x', b"2"))),
        (MULTIPART, parts((b"cardNumber", b"6200"), (b"pin", b"\xff"))),
        (MULTIPART, parts(*((b"%d" % number, b"1") for number in range(300)))),
        (MULTIPART, parts(*((b'%d"; filename="x' % number, b"1") for number in range(150)))),
        (MULTIPART, b"cardNumber=6200&pin=1"),
        (MULTIPART[:19], parts((b"pin", b"1"))),
        ("multipart/form-data; boundary=\xe9", parts((b"pin", b"1"))),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_form_that_cannot_be_read_in_one_way_is_refused(api: Api, media_type: str, body: bytes) -> None:
    details = refused(api.request("POST", f"/api/{VALIDATE}", data=body, content_type=media_type))["details"]
    assert list(details) == ["body"] or "pin" in details


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "text/json",
        "application/xml",
        "application/json-patch+json",
        "json",
        "",
        "*/*",
        "application/json, text/plain",
    ],
)
def test_another_media_type_is_415(api: Api, media_type: str) -> None:
    body = b'{"cardNumber": "6200", "pin": "1"}'
    reply = api.request("POST", f"/api/{VALIDATE}", data=body, content_type=media_type)
    assert refused(reply, 415, 415)["reason"] == "UnsupportedMediaType"


@pytest.mark.parametrize("media_type", ["application/json", FORM, MULTIPART, ""])
def test_an_empty_body_lacks_every_required_parameter(api: Api, media_type: str) -> None:
    reply = api.request("POST", f"/api/{VALIDATE}", content_type=media_type)
    assert set(refused(reply)["details"]) == {"cardNumber", "pin"}


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;"])
def test_a_media_type_may_be_spelled_its_ways(api: Api, media_type: str) -> None:
    assert api.post(AVAILABLE, {"user": "mei"}, content_type=media_type).json() == {"success": True}


def test_six_megabytes_are_too_many_however_they_are_wrapped(api: Api) -> None:
    much = b"x" * (6 * MEGABYTE)
    for media_type, body in (
        ("application/json", b'{"httpCtx": "%b"}' % much),
        (FORM, b"httpCtx=" + much),
        (MULTIPART, parts((b"httpCtx", much))),
        (MULTIPART, parts((b'httpCtx"; filename="x', much))),
    ):
        reply = api.request("POST", f"/api/{VALIDATE}", data=body, content_type=media_type)
        assert refused(reply, 413, 413)["reason"] == "PayloadTooLarge"


def test_a_file_may_be_larger_than_a_form_but_has_its_limit(api: Api, entitled: Api, settings: Settings) -> None:
    settings.UPLOAD_BODY_LIMIT = 3 * MEGABYTE
    large, huge = (SimpleUploadedFile("c.csv", b"x" * (number * MEGABYTE)) for number in (2, 4))
    assert refused(entitled.form("Wechats/uploadCard", {"fileName": large}), 400, 4002)
    assert refused(entitled.form("Wechats/uploadCard", {"fileName": huge}), 413, 413)


# One value

CODES_OF_THEIR_OWN = {20003, -6, 20004, -7, 20005, 20006, 5000}


def every_field() -> list[Any]:
    return [
        pytest.param(operation, name, field, id=f"{operation.path} {name}")
        for operation in REGISTRY.values()
        if operation.form
        for name, field in operation.form().fields.items()
    ]


@pytest.mark.parametrize(("operation", "name", "field"), every_field())
def test_a_value_of_another_kind_is_refused_and_not_converted(
    api: Api, entitled: Api, operation: Operation, name: str, field: Any
) -> None:
    bad: list[Any] = [[], ["x"], {}, {"a": "b"}, 1.5, "a\0b", "\ud800"]
    bad += ["Y", "1"] if isinstance(field, fields.Flag) else [True]
    if isinstance(field, fields.Number):
        bad += ["1e1", "NaN", " 1", "\uff11", "\u0661", "0x1", "1\n"]
    else:
        bad += [1, float("1e300")]
    if isinstance(field, FileName):  # any text is a name; most are no file's
        bad = [value for value in bad if not isinstance(value, str)]
    path = operation.path.replace("{", "").replace("}", "")
    for value in bad:
        error = entitled.post(path, {name: value}).json()["error"]
        assert error["code"] in CODES_OF_THEIR_OWN or name in error["details"], (value, error)


def test_what_stands_for_text_in_a_multipart_body_is_no_file(api: Api) -> None:
    file = SimpleUploadedFile("mei", b"mei")
    assert list(refused(api.form(AVAILABLE, {"user": file}))["details"]) == ["user"]


NOT_PHONES = [
    "1381234567",
    "138123456789",
    "+8613812345678",
    "8613812345678",
    "008613812345678",
    "13812345678\n",
    " 13812345678",
    "13812345678 ",
    "138-1234-5678",
    "138 1234 5678",
    "12812345678",
    "1.3812345678E10",
    "\uff11\uff13\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
    "\u0661\u0663\u0668\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
    "1381234567\u0668",
    "13812345678\u200b",
]


@pytest.mark.parametrize("phone", NOT_PHONES)
def test_a_phone_number_is_eleven_ascii_digits(api: Api, card: Printed, phone: str) -> None:
    body = {"phoneNumber": phone, "template": "create-en", **card.credentials}
    for reply in (api.post(SEND, body), api.form(SEND, body)):
        assert refused(reply, 400, -6)["name"] == "SMSRequestError"
    assert list(refused(api.post(CREATE, {**MEI, **card.credentials, "cellPhone": phone}))["details"]) == ["cellPhone"]


@pytest.mark.parametrize(
    "number",
    [
        "6200\n",
        " 6200",
        "6200 ",
        "62 00",
        "\uff16\uff12",
        "\u0666\u0662",
        "6200;",
        "6200'",
        "*",
        "6" * 31,
        "",
        "6200\\",
    ],
)
def test_a_card_number_is_ascii_letters_and_digits(api: Api, number: str) -> None:
    body = {"cardNumber": number, "pin": "1"}
    for reply in (api.post(VALIDATE, body), api.form(VALIDATE, body)):
        assert list(refused(reply)["details"]) == ["cardNumber"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../cards.csv", 4007),
        ("..\\cards.csv", 4007),
        ("/etc/cards.csv", 4007),
        ("sub/cards.csv", 4007),
        (".cards.csv", 4007),
        ("%2e%2e%2fcards.csv", 4007),
        ("\uff0e\uff0e\uff0fcards.csv", 4007),
        ("link.csv", 4007),
        ("folder.csv", 4007),
        ("pipe.csv", 4007),
        ("nothing.csv", 4007),
        ("x" * 200 + ".csv", 4007),
        ("cards.csv.exe", 4003),
        ("cards.CSV", 4003),
        ("/etc/passwd", 4003),
        ("cards.csv\n", 4003),
        ("cards.csv\0", 4003),
    ],
)
def test_a_file_name_reaches_no_other_file(
    api: Api, entitled: Api, settings: Settings, tmp_path: Path, name: str, code: int
) -> None:
    settings.CARD_FILES_DIR = tmp_path / "sftp"
    (tmp_path / "sftp/sub").mkdir(parents=True)
    (tmp_path / "sftp/folder.csv").mkdir()
    for place in (".", "sftp/sub"):
        (tmp_path / place / "cards.csv").write_text("msrCard,pin\n6100,1234\n")
    (tmp_path / "sftp/link.csv").symlink_to(tmp_path / "cards.csv")
    os.mkfifo(tmp_path / "sftp/pipe.csv")
    refused(entitled.post("Wechats/uploadCard", {"fileName": name}), 400, code)


# One answer for every way to send it


def ways(api: Api, path: str, body: dict[str, str]) -> list[Any]:
    urlencoded = api.post(path, urlencode(body), content_type=FORM)
    answers = [reply.json() for reply in (api.post(path, body), urlencoded, api.form(path, body))]
    for answer in answers:
        answer.get("error", {}).pop("requestId", None)
    return answers


def test_json_urlencoded_and_multipart_are_answered_alike(api: Api, card: Printed) -> None:
    for path, body in (
        (VALIDATE, {"cardNumber": card.number, "pin": card.pin}),
        (VALIDATE, {"cardNumber": card.number, "pin": "wrong"}),
        (VALIDATE, {"pin": "\u5361 & = + %"}),
        (AVAILABLE, {"user": "\u674e\u6885 +&="}),
        (SEND, {"phoneNumber": PHONE, "template": "create-en"}),
        (SEND, {"phoneNumber": "", "template": "create-en", **card.credentials}),
        ("Customers/login", {"user": "nobody", "password": " "}),
        (CREATE, {**MEI, **card.credentials}),
        (CREATE, {**MEI, **card.credentials, "birthday": "1990-07-15"}),
    ):
        as_json, urlencoded, multipart = ways(api, path, body)
        assert as_json == urlencoded == multipart


@pytest.mark.parametrize("change", [{}, {"email": "no"}, {"cellPhoneValidFlag": "000000"}, {"userName": None}])
def test_the_model_may_stand_at_the_top_or_under_data(api: Api, card: Printed, change: dict[str, Any]) -> None:
    model = {**MEI, **card.credentials, **change}
    top = api.post(CREATE, model).json()["error"]
    for reply in (
        api.post(CREATE, {"data": model}),
        api.post(CREATE, {"data": json.dumps(model)}),
        api.post(CREATE, urlencode({"data": json.dumps(model)}), content_type=FORM),
        api.form(CREATE, {"data": json.dumps(model)}),
        api.form(CREATE, {"data": json.dumps(model), "httpCtx": "x"}),
    ):
        assert reply.json()["error"] == {**top, "requestId": reply.headers["X-Request-ID"]}


@pytest.mark.parametrize(
    "data",
    ["", "{", "[]", "1", '"x"', [], 1, "[" * 2000, '{"userName": "a", "userName": "b"}', '{"optOut": NaN}', "\ud800"],
    ids=lambda data: repr(data)[:30],
)
def test_what_stands_under_data_is_read_as_strictly(api: Api, data: Any) -> None:
    assert list(refused(api.post(CREATE, {"data": data}))["details"]) == ["data"]


DEEP = json.loads("[" * 400 + "]" * 400)


@pytest.mark.parametrize("context", [{"req": {"headers": {"x-customer-id": "1-A"}}}, DEEP, "text", "\ud800\0", 7, None])
def test_http_ctx_is_ignored_wherever_it_stands(api: Api, card: Printed, context: Any) -> None:
    body, text = {"cardNumber": card.number, "pin": card.pin}, "{} &?%00"
    plain = api.post(VALIDATE, body).json()
    assert plain["stateCode"] == "CardActive"
    for reply in (
        api.post(VALIDATE, {**body, "httpCtx": context}),
        api.post(f"{VALIDATE}?{urlencode({'httpCtx': text})}", body),
        api.post(f"{VALIDATE}?httpCtx=%ff&httpCtx=2", body),
        api.form(VALIDATE, {**body, "httpCtx": text}),
        api.post(VALIDATE, urlencode({**body, "httpCtx": text}), content_type=FORM),
        api.post(VALIDATE, body, headers={"httpCtx": text}),
    ):
        assert reply.json() == plain
    under_data = {"data": {**MEI, "httpCtx": context}, "httpCtx": context}
    assert set(refused(api.post(CREATE, under_data))["details"]) == {"cardNumber", "cardPassword"}


def test_a_get_takes_it_too(api: Api, entitled: Api) -> None:
    plain = entitled.get("Customers/detail").json()["error"]
    reply = entitled.get("Customers/detail", {"httpCtx": '{"x-customer-id": "1-A"}'})
    assert reply.json()["error"] == {**plain, "requestId": reply.headers["X-Request-ID"]}


# One place for each parameter


def test_a_parameter_is_read_from_the_body_alone(api: Api, card: Printed) -> None:
    body = {"cardNumber": card.number, "pin": card.pin}
    query = f"{VALIDATE}?{urlencode(body)}"
    assert set(refused(api.post(query))["details"]) == {"cardNumber", "pin"}
    assert set(refused(api.post(query, "", content_type=FORM))["details"]) == {"cardNumber", "pin"}
    assert api.post(f"{VALIDATE}?pin=wrong&cardNumber=1", body).json()["stateCode"] == "CardActive"
    refused(api.post(f"{SEND}?phoneNumber={PHONE}", {"template": "create-en", **card.credentials}), 400, 20003)
    refused(api.post(VALIDATE, {}, headers={"cardNumber": card.number, "pin": card.pin}))


def test_the_customer_is_read_from_the_header_alone(api: Api, entitled: Api, card: Printed) -> None:
    nameless = Api({"x-api-key": entitled.headers["x-api-key"]})
    query = {"x-customer-id": card.customer_id, "customerId": card.customer_id}
    assert list(refused(nameless.get("Customers/detail", query))["details"]) == ["x-customer-id"]
    nameless.client.cookies["x-customer-id"] = card.customer_id
    refused(nameless.get("Customers/detail"))


# The error itself


def test_each_kind_of_failure_has_its_name(api: Api, entitled: Api, card: Printed, settings: Settings) -> None:
    sends = {"phoneNumber": PHONE, "template": "create-en", **card.credentials}
    stranger = Api({"x-api-key": "nobody's"})
    for reply, status, code, name, reason in (
        (api.post(VALIDATE, {"cardNumber": card.number, "pin": "no"}), 400, 105, "SiebelRequestError", "IncorrectPin"),
        (api.post(SEND, {**sends, "cardPassword": "no"}), 400, 105, "SMSRequestError", "IncorrectPin"),
        (api.post(SEND, {**sends, "phoneNumber": None}), 400, 20003, "SMSRequestError", "MissingNo"),
        (api.post(CREATE, {**MEI, **card.credentials}), 423, 20006, "SMSRequestError", "CaptchaRequired"),
        (api.post(SEND, {**sends, "cardNumber": ""}), 400, 422, "ValidationError", "ValidationError"),
        (api.get("nothing"), 404, 404, "ValidationError", "NotFound"),
        (api.get(VALIDATE), 405, 405, "ValidationError", "MethodNotAllowed"),
        (stranger.get("Customers/detail"), 401, 401, "AuthorizationError", "authorizationError"),
        (
            entitled.with_headers(x_api_key="").get("Wechats/getCard"),
            401,
            401,
            "AuthorizationError",
            "authorizationError",
        ),
    ):
        error = refused(reply, status, code)
        assert (error["name"], error["reason"]) == (name, reason)
        assert error["message"]
    settings.LIMITS_SCALE, settings.PUBLIC_RATE = 1, "1/min"
    replies = [api.request("POST", f"/api/{VALIDATE}", REMOTE_ADDR="198.51.100.9") for _ in range(2)]
    error = refused(replies[1], 429, 429)
    assert (error["name"], error["reason"]) == ("RateLimitError", "TooManyRequests")
    assert 1 <= int(replies[1].headers["Retry-After"]) <= 60


def test_a_crash_is_told_to_the_log_and_not_to_the_caller(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    message = f"UNIQUE constraint failed: {PHONE} hunter2"

    def crash(**_: Any) -> None:
        raise RuntimeError(message)

    monkeypatch.setattr(cards, "validate", crash)
    reply = api.post(VALIDATE, {"cardNumber": "6200", "pin": "hunter2"})
    error = refused(reply, 500, 500)
    assert (error["name"], error["reason"]) == ("ServerError", "InternalError")
    assert not reply.content.count(b"RuntimeError") + reply.content.count(b"hunter2")
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    [crashed] = [line for line in lines if line["event"] == "crash"]
    assert crashed["kind"] == "RuntimeError"
    assert crashed["request_id"] == error["requestId"]
    assert "hunter2" not in caplog.text
    assert PHONE not in caplog.text


@pytest.mark.parametrize(
    ("raised", "status", "code", "name"),
    [
        (errors.SiebelUnavailable(retry_after=2.5), 503, 5030, "ServerError"),
        (errors.SiebelTimeout(), 504, 5040, "ServerError"),
        (SuspiciousOperation("Too many fields"), 400, 422, "ValidationError"),
        (RecursionError(), 500, 500, "ServerError"),
        (KeyError("x"), 500, 500, "ServerError"),
    ],
)
def test_what_an_operation_runs_into_has_its_status(
    api: Api, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int, code: int, name: str
) -> None:
    def fail(**_: Any) -> None:
        raise raised

    monkeypatch.setattr(cards, "validate", fail)
    reply = api.post(VALIDATE, {"cardNumber": "6200", "pin": "1"})
    assert refused(reply, status, code)["name"] == name
    assert reply.headers.get("Retry-After") == ("3" if status == 503 else None)


# What every response carries

PATHS = (
    "/api/Cards/validate",
    "/api/nothing",
    "/api/%00",
    "/api/schema",
    "/api/docs",
    "/health",
    "/metrics",
    "/nothing",
    "/",
)


@pytest.mark.parametrize("sent", ["a", "f" * 64, "req-1.2_3", "0"])
def test_a_sane_request_id_is_taken_over(api: Api, sent: str) -> None:
    for path in PATHS:
        assert api.request("GET", path, headers={"x-request-id": sent}).headers["X-Request-ID"] == sent
    assert refused(api.post(VALIDATE, headers={"x-request-id": sent}))["requestId"] == sent


@pytest.mark.parametrize("sent", [None, "", "f" * 65, "x" * 10_000, "a b", "a,b", "\u674e", "<script>", "a\tb", "a/b"])
def test_any_other_is_replaced(api: Api, sent: str | None) -> None:
    headers = {} if sent is None else {"x-request-id": sent}
    for path in PATHS:
        given = api.request("GET", path, headers=headers).headers["X-Request-ID"]
        assert uuid.UUID(given).hex == given
    assert refused(api.post(VALIDATE, headers=headers))["requestId"] != sent


def test_two_requests_have_two_ids(api: Api) -> None:
    assert len({api.get("nothing").headers["X-Request-ID"] for _ in range(5)}) == 5


def test_nothing_of_the_api_may_be_kept_by_a_cache(api: Api, entitled: Api) -> None:
    for reply in (
        api.post(AVAILABLE, {"user": "mei"}),
        entitled.get("Customers/detail"),
        entitled.get("Wechats/getCard"),
        *(api.request("GET", path) for path in PATHS if path.startswith("/api")),
    ):
        assert reply.headers["Cache-Control"] == "no-store"


# At the door: config/wsgi.py


class Stream(io.BytesIO):
    """A body of unknown length, as a server hands over a chunked one."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        self.taken += len(part)
        return part


class Endless(Stream):
    def read(self, size: int | None = -1) -> bytes:
        assert size
        assert size > 0
        self.taken += size
        return b" " * size


def serve(
    path: str, body: io.BytesIO, media_type: str = "application/json", **environ: Any
) -> tuple[int, dict[str, Any]]:
    """Status and JSON that the WSGI application answers."""
    environ |= {"REQUEST_METHOD": "POST", "PATH_INFO": f"/api/{path}", "CONTENT_TYPE": media_type, "wsgi.input": body}
    setup_testing_defaults(environ)
    started: list[str] = []
    content = b"".join(wsgi.application(environ, lambda status, headers: started.append(status)))
    return int(started[0][:3]), json.loads(content)


CHUNKED: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


def test_a_chunked_body_is_read(api: Api, card: Printed) -> None:
    pin = {"cardNumber": card.number, "pin": card.pin}
    for media_type, body in (
        ("application/json", json.dumps(pin).encode()),
        (FORM, urlencode(pin).encode()),
        (MULTIPART, parts((b"cardNumber", card.number.encode()), (b"pin", card.pin.encode()))),
    ):
        status, answer = serve(VALIDATE, Stream(body), media_type, **CHUNKED)
        assert (status, answer["stateCode"]) == (200, "CardActive")


def test_a_chunked_body_over_the_limit_is_refused(api: Api) -> None:
    status, answer = serve(VALIDATE, Stream(b" " * (MEGABYTE + 1)), **CHUNKED)
    assert (status, answer["error"]["code"]) == (413, 413)


def test_a_chunked_body_without_end_is_left_at_the_limit(api: Api, settings: Settings) -> None:
    settings.UPLOAD_BODY_LIMIT = 2 * MEGABYTE
    body = Endless()
    assert serve(VALIDATE, body, **CHUNKED)[0] == 413
    assert body.taken < 2.1 * MEGABYTE


def test_a_body_of_unknown_length_that_may_never_end_is_not_read(api: Api) -> None:
    body = Endless()
    assert serve(VALIDATE, body, HTTP_TRANSFER_ENCODING="chunked")[0] == 400
    assert body.taken == 0


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json; charset=hex", 200),
        ("application/json; charset=idna", 200),
        ("application/json; charset=nothing", 200),
        ("application/json; x*=nothing''%41", 415),
        ("application/json; charset*=utf-8''hex", 200),
    ],
)
def test_a_content_type_does_not_bring_the_server_down(api: Api, media_type: str, status: int) -> None:
    for query in ("", "a=b", "&".join(f"{number}=" for number in range(300))):
        body = b'{"user": "mei"}'
        length = {"CONTENT_LENGTH": str(len(body)), "QUERY_STRING": query}
        assert serve(AVAILABLE, Stream(body), media_type, **length)[0] == status


def test_a_form_is_utf_8_whatever_it_claims(api: Api) -> None:
    body = parts((b"user", b"\\u0000"))
    length = {"CONTENT_LENGTH": str(len(body))}
    for charset in ("unicode_escape", "hex"):
        assert serve(AVAILABLE, Stream(body), f"{MULTIPART}; charset={charset}", **length) == (200, {"success": True})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("user=李梅".encode(), 200),
        (b"user=%E6%9D%8E%E6%A2%85", 200),
        (b"user=%EF%BF%BD", 200),
        (b"user=\xff", 400),
        (b"user=%ff", 400),
        (b"user=%E6%9D&password=%8E", 400),
    ],
)
def test_a_form_may_be_escaped_or_not(api: Api, body: bytes, status: int) -> None:
    reply = api.post("Customers/userAvailable", body, content_type="application/x-www-form-urlencoded")
    assert reply.status_code == status


def test_an_operation_without_a_form_looks_at_the_body_too(api: Api, entitled: Api, settings: Settings) -> None:
    for body in ("[]", "{", '{"a": 1, "a": 2}'):
        refused(entitled.post("Customers/sendEmailPin", body), 400, 422)
    settings.API_BODY_LIMIT = 100
    refused(entitled.request("GET", "/api/Wechats/getCard", data=b"x" * 101), 413, 413)
