"""Our signatures beside those of the providers' SDKs, for the same request: run by `make test-sdk` alone."""

import json
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
from alibabacloud_tea_openapi.utils import Utils
from pytest_django import Settings
from tencentcloud.common.credential import Credential
from tencentcloud.sms.v20210111.sms_client import SmsClient

from sms.gateways.aliyun import AliyunGateway
from sms.gateways.tencent import TencentGateway, authorization
from sms.gateways.verdicts import ShortMessage

KEY, SECRET = "AKIDexample", "a secret / key"
MESSAGE = ShortMessage(
    phone="13812345678",
    template="create-cn",
    text="",
    reference="5d1e6b9c-8f0a-4f7e-9f7e-2f6a3c1d0b4e",
    provider_code="SMS_100",
    variables={"code": "012345", "brand": "茶 & Co ~*'()"},
)


@pytest.fixture(autouse=True)
def account(settings: Settings) -> None:
    settings.SMS_URL, settings.SMS_SIGN_NAME, settings.SMS_TENCENT_APP_ID = "", "【茶】 & Co", "1400000000"
    settings.SMS_ACCESS_KEY, settings.SMS_SECRET_KEY = KEY, SECRET


@pytest.mark.parametrize("phone", ["13812345678", "19900000000"])
def test_aliyun_signs_alike(phone: str) -> None:
    call = AliyunGateway().call(replace(MESSAGE, phone=phone))
    headers = {name: value for name, value in call.headers.items() if name != "Authorization"}
    query = dict(parse_qsl(urlsplit(call.url).query))
    request = SimpleNamespace(method="POST", pathname="/", query=query, headers=headers)
    theirs = Utils.get_authorization(request, "ACS3-HMAC-SHA256", headers["x-acs-content-sha256"], KEY, SECRET)
    assert call.headers["Authorization"] == theirs


@pytest.mark.parametrize(("now", "day"), [(1_790_000_000, "2026-09-21"), (1_798_761_599, "2026-12-31")])
def test_tencent_signs_alike(now: int, day: str) -> None:
    body = TencentGateway().call(MESSAGE).body
    signed = {"content-type": "application/json", "host": "sms.tencentcloudapi.com"}
    theirs = SmsClient(Credential(KEY, SECRET), "ap-guangzhou")._get_tc3_signature(
        json.loads(body),
        SimpleNamespace(
            method="POST",
            uri="/",
            data=body.decode(),
            header={"Content-Type": signed["content-type"], "Host": signed["host"], "X-TC-Timestamp": str(now)},
        ),
        day,
        "sms",
        SECRET,
    )
    ours = authorization("sms", body, signed, now, KEY, SECRET)
    assert ours == (
        f"TC3-HMAC-SHA256 Credential={KEY}/{day}/sms/tc3_request, SignedHeaders=content-type;host, Signature={theirs}"
    )
