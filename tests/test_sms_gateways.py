"""Each gateway against a real socket: what it sends, how it signs, and what the answers mean.

Signatures are held against the examples that the vendors publish, and against a second implementation, below, that
reads what went over the wire; sdk_signatures.py holds them against the vendors' SDKs.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote

import pytest
from pytest_django import Settings

from loyalty import errors
from sms import gateways
from sms.gateways import Accepted, Refused, ShortMessage, Unknown, Unreached, aliyun, tencent
from tests.sms_gateway import ACCESS_KEY, SECRET_KEY, GatewayProcess, Provider, gateway_process, provider

PHONE = "13812345678"
MESSAGE = ShortMessage(
    phone=PHONE,
    template="create-cn",
    text="【Tea & Co】您的验证码是 012345，*请勿*告诉他人 ~",
    reference="5d1e6b9c-8f0a-4f7e-9f7e-2f6a3c1d0b4e",
    provider_code="SMS_100",
    variables={"code": "012345", "brand": "茶 & Co"},
)


@pytest.fixture(scope="module")
def process() -> Iterator[GatewayProcess]:
    with gateway_process() as started:
        yield started


@pytest.fixture
def signed(process: GatewayProcess, settings: Settings) -> GatewayProcess:
    """The http gateway is chosen, its other end waits without a fault."""
    process.arm(times=0)
    settings.SMS_GATEWAY, settings.SMS_URL = "http", process.url
    settings.SMS_ACCESS_KEY, settings.SMS_SECRET_KEY, settings.SMS_GATEWAY_SECONDS = ACCESS_KEY, SECRET_KEY, 0.5
    return process


def send(**changes: Any) -> Any:
    return gateways.chosen().send(replace(MESSAGE, **changes))


# The signed gateway


def test_a_message_is_taken_once_whole(signed: GatewayProcess) -> None:
    first, again = send(reference="r1"), send(reference="r1")
    assert isinstance(first, Accepted)
    assert first == again
    assert signed.sent(PHONE).count(MESSAGE.text) == 1


@pytest.mark.parametrize(
    ("keys", "changes", "code"),
    [
        ({"SMS_ACCESS_KEY": "other"}, {}, 10001),
        ({"SMS_ACCESS_KEY": ""}, {}, 10002),
        ({"SMS_SECRET_KEY": "other"}, {}, 10003),
        ({}, {"phone": "1381234567"}, 10004),
        ({}, {"phone": ""}, 20003),
        ({}, {"text": ""}, 20004),
    ],
)
def test_the_other_end_checks_what_it_is_sent(
    signed: GatewayProcess, settings: Settings, keys: dict[str, str], changes: dict[str, str], code: int
) -> None:
    for name, value in keys.items():
        setattr(settings, name, value)
    verdict = send(reference="r2", **changes)
    assert verdict.refusal.code == code
    assert not verdict.again


@pytest.mark.parametrize("code", [10001, 10002, 10003, 10004, 10005, 20001, 20002, 20003, 20004])
def test_each_refusal_keeps_its_code(signed: GatewayProcess, code: int) -> None:
    signed.arm("refuse", code=code)
    verdict = send()
    assert (verdict.refusal.code, verdict.reason, verdict.again) == (code, str(code), False)
    assert verdict.alarm == (code not in (10004, 20001, 20002))


def test_a_code_that_nobody_knows_is_a_failure(signed: GatewayProcess) -> None:
    signed.arm("refuse", code=777)
    assert send() == Refused(errors.SendFailed, reason="777", alarm=True)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("500", Unreached),
        ("hang", Unknown),
        ("drip", Unknown),
        ("garbage", Unknown),
        ("huge", Unknown),
        ("cut-before", Unknown),
        ("cut-after", Unknown),
        ("redirect", Refused),
    ],
)
def test_a_gateway_that_misbehaves_is_left_in_time(signed: GatewayProcess, fault: str, kind: type) -> None:
    signed.arm(fault, seconds=2)
    calls, started = signed.state()["calls"], time.monotonic()
    verdict = send(reference=f"r-{fault}")
    assert isinstance(verdict, kind), verdict
    assert time.monotonic() - started < 1.5
    assert signed.state()["calls"] == calls + 1


def test_nobody_there_means_not_sent(signed: GatewayProcess, settings: Settings) -> None:
    for url in ("http://127.0.0.1:9/send", signed.url.replace("http:", "https:"), "http://gateway.invalid/send"):
        settings.SMS_URL = url
        assert isinstance(send(), Unreached)


# Aliyun


@pytest.fixture
def other_end(settings: Settings) -> Iterator[Provider]:
    settings.SMS_ACCESS_KEY, settings.SMS_SECRET_KEY, settings.SMS_SIGN_NAME = "AKID", "secret", "茶 Tea"
    settings.SMS_TENCENT_APP_ID = "1400000000"
    with provider() as told:
        settings.SMS_URL = told.url
        yield told


def hmac_hex(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_aliyuns_published_example_is_signed_alike() -> None:
    """https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature"""
    arguments = {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"}
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = aliyun.canonical_query(arguments)
    made = aliyun.authorization(query, headers, "YourAccessKeyId", "YourAccessKeySecret")
    assert made.endswith("Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")


def test_aliyun_gets_the_template_filled_under_its_own_names(other_end: Provider, settings: Settings) -> None:
    settings.SMS_GATEWAY, other_end.answer = "aliyun", {"Code": "OK", "BizId": "900619746936498440^0"}
    assert send() == Accepted("900619746936498440^0")
    path, _, query = other_end.path.partition("?")
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    assert json.loads(asked.pop("TemplateParam")) == {"code": "012345", "brand": "茶 & Co"}
    assert asked == {
        "PhoneNumbers": PHONE,
        "SignName": "茶 Tea",
        "TemplateCode": "SMS_100",
        "OutId": MESSAGE.reference,
    }
    headers = other_end.headers
    pairs = sorted(parse_qsl(query))
    names = ["host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"]
    request = "POST\n" + path + "\n" + "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in pairs) + "\n"
    request += "".join(f"{name}:{headers[name]}\n" for name in names) + "\n" + ";".join(names) + "\n"
    request += hashlib.sha256(other_end.body).hexdigest()
    told = "ACS3-HMAC-SHA256\n" + hashlib.sha256(request.encode()).hexdigest()
    assert headers["authorization"] == (
        f"ACS3-HMAC-SHA256 Credential=AKID,SignedHeaders={';'.join(names)},Signature={hmac_hex(b'secret', told)}"
    )


@pytest.mark.parametrize(
    ("said", "code", "again", "alarm"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", 20001, False, False),
        ("isv.DAY_LIMIT_CONTROL", 20002, False, True),
        ("isv.AMOUNT_NOT_ENOUGH", 20002, False, True),
        ("isv.MOBILE_NUMBER_ILLEGAL", 10004, False, False),
        ("isv.TEMPLATE_MISSING_PARAMETERS", 10002, False, True),
        ("isv.SMS_TEMPLATE_ILLEGAL", 10004, False, True),
        ("SignatureDoesNotMatch", 10003, False, True),
        ("InvalidAccessKeyId.NotFound", 10001, False, True),
        ("isp.SYSTEM_ERROR", 20002, True, False),
        ("Throttling.User", 20002, True, False),
        ("isv.SOMETHING_NEW", 20002, False, True),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_aliyuns_code_counts_not_its_status(
    other_end: Provider, settings: Settings, said: str, code: int, again: bool, alarm: bool, status: int
) -> None:
    settings.SMS_GATEWAY, other_end.status, other_end.answer = "aliyun", status, {"Code": said, "Message": PHONE}
    verdict = send()
    assert (verdict.refusal.code, verdict.again, verdict.alarm, verdict.reason) == (code, again, alarm, said)


# Tencent


def test_tencents_published_example_is_signed_alike() -> None:
    """https://cloud.tencent.com/document/api/213/30654"""
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    headers = {
        "content-type": "application/json; charset=utf-8",
        "host": "cvm.tencentcloudapi.com",
        "x-tc-action": "DescribeInstances",
    }
    made = tencent.authorization("cvm", body, headers, 1551113065, "AKID" + "*" * 32, "*" * 32)
    assert made.startswith(f"TC3-HMAC-SHA256 Credential=AKID{'*' * 32}/2019-02-25/cvm/tc3_request, ")
    assert made.endswith("Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f")


def test_tencent_gets_the_values_by_position(other_end: Provider, settings: Settings) -> None:
    settings.SMS_GATEWAY = "tencent"
    other_end.answer = {"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "5000:1"}], "RequestId": "r"}}
    assert send() == Accepted("5000:1")
    assert json.loads(other_end.body) == {
        "PhoneNumberSet": [f"+86{PHONE}"],
        "SmsSdkAppId": "1400000000",
        "SignName": "茶 Tea",
        "TemplateId": "SMS_100",
        "TemplateParamSet": ["012345", "茶 & Co"],
        "SessionContext": MESSAGE.reference,
    }
    headers = other_end.headers
    shown = (headers["x-tc-version"], headers["x-tc-region"], headers["x-tc-action"])
    assert shown == ("2021-01-11", "ap-guangzhou", "SendSms")
    stamp = headers["x-tc-timestamp"]
    day = time.strftime("%Y-%m-%d", time.gmtime(int(stamp)))
    lines = f"content-type:{headers['content-type']}\nhost:{headers['host']}\nx-tc-action:sendsms\n"
    request = f"POST\n/\n\n{lines}\ncontent-type;host;x-tc-action\n{hashlib.sha256(other_end.body).hexdigest()}"
    told = f"TC3-HMAC-SHA256\n{stamp}\n{day}/sms/tc3_request\n{hashlib.sha256(request.encode()).hexdigest()}"
    of_day = hmac.digest(b"TC3secret", day.encode(), "sha256")
    of_request = hmac.digest(hmac.digest(of_day, b"sms", "sha256"), b"tc3_request", "sha256")
    assert headers["authorization"].endswith(f", Signature={hmac_hex(of_request, told)}")


@pytest.mark.parametrize(
    ("said", "code", "again", "alarm"),
    [
        ("LimitExceeded.PhoneNumberThirtySecondLimit", 20001, False, False),
        ("LimitExceeded.AppDailyLimit", 20002, False, True),
        ("FailedOperation.InsufficientBalanceInSmsPackage", 20002, False, True),
        ("InvalidParameterValue.IncorrectPhoneNumber", 10004, False, False),
        ("FailedOperation.TemplateIncorrectOrUnapproved", 10004, False, True),
        ("MissingParameter", 10002, False, True),
        ("AuthFailure.SignatureExpire", 10003, False, True),
        ("AuthFailure.SecretIdNotFound", 10001, False, True),
        ("InternalError.Timeout", 20002, True, False),
        ("RequestLimitExceeded", 20002, True, False),
        ("SomethingNew", 20002, False, True),
    ],
)
def test_tencent_refuses_on_two_levels(
    other_end: Provider, settings: Settings, said: str, code: int, again: bool, alarm: bool
) -> None:
    settings.SMS_GATEWAY = "tencent"
    for response in ({"Error": {"Code": said, "Message": PHONE}}, {"SendStatusSet": [{"Code": said, "SerialNo": ""}]}):
        other_end.answer = {"Response": response}
        verdict = send()
        assert (verdict.refusal.code, verdict.again, verdict.alarm, verdict.reason) == (code, again, alarm, said)


# Both


@pytest.mark.parametrize("gateway", ["http", "aliyun", "tencent"])
@pytest.mark.parametrize("answer", [None, [], {}, {"Code": 1, "code": "0"}, {"Response": {"SendStatusSet": []}}, "OK"])
def test_an_answer_without_sense_is_no_verdict(
    other_end: Provider, settings: Settings, gateway: str, answer: Any
) -> None:
    settings.SMS_GATEWAY, other_end.answer = gateway, answer
    assert isinstance(send(), Unknown)
    other_end.status = 502
    assert isinstance(send(), Unreached)
    other_end.status = 403
    assert send() == Refused(errors.SendFailed, reason="HTTP 403 without a code.", alarm=True)
