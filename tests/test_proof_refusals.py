"""Every code that the contract lists for PINs, tokens, passwords and changes, provoked at the front door."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_django import Settings

from customers.models import Member
from loyalty.scopes import Scope
from sms.gateways.local import LocalGateway
from sms.models import Desk
from tests.conftest import MEI, PHONE, Api, Mailbox, Outbox, holding, print_card, register, settled

CONTRACT = yaml.safe_load(Path(__file__).with_name("contract.yaml").read_text())["operations"]
GATEWAY = {refusal.code: phone for phone, refusal in LocalGateway.FAULTS.items()}
# What a gateway said would tell who there is; SendFailed is what staff's stop answers.
NEVER_SEEN = {
    "sms/sendMobilePin": {10001, 10002, 10003, 10004, 20001},
    "sms/sendPasswordPin": {10001, 10002, 10003, 10004, 20001},
    "sms/verifyPasswordPin": {10001, 10002, 10003, 10004},
}
NEW_PASSWORD = "another horse battery"
TO_FRESH = {"phoneNumber": "13900000009"}


class Mei:
    """A customer, the client systems around her, and what she is sent."""

    def __init__(self, api: Api, outbox: Outbox, mailbox: Mailbox, settings: Settings) -> None:
        self.api, self.outbox, self.mailbox, self.settings = api, outbox, mailbox, settings
        settings.SMS_PHONE_COOLDOWN_SECONDS = settings.EMAIL_COOLDOWN_SECONDS = 0
        assert register(api, print_card(), outbox).status_code == 200
        self.row = Member.objects.filter(user_name="mei.li")
        self.id = self.row.get().pk
        self.token = api.log_in("mei.li", MEI["password"])
        self.old = holding(api, Scope.SMS)

    def is_now(self, **columns: Any) -> "Mei":
        self.row.update(**columns)
        return self

    def closed(self) -> Api:
        """The app's gateway acts for her; her account is closed."""
        self.row.update(status="Closed")
        return holding(self.api, Scope.CUSTOMERS, networks=["127.0.0.1"]).with_headers(x_customer_id=self.id)

    def cooled(self) -> "Mei":
        self.settings.SMS_PHONE_COOLDOWN_SECONDS = self.settings.EMAIL_COOLDOWN_SECONDS = 60
        return self

    def stopped(self) -> "Mei":
        Desk.objects.update_or_create(pk=1, defaults={"is_stopped": True})
        return self

    def post(self, path: str, body: Any = None, by: Api | None = None, times: int = 1) -> Any:
        return [(by or self.token).post(f"Customers/{path}", body or {}) for _ in range(times)][-1]

    def window(self) -> "Mei":
        self.row.update(cell_phone_verified=False)
        self.post("login", {"user": "mei.li", "password": MEI["password"]}, self.api)
        return self

    def reset_token(self) -> str:
        self.post("sms/sendPasswordPin", {"phoneNumber": PHONE, "template": "password-en"}, self.api)
        settled()
        body = {"phoneNumber": PHONE, "cellPhoneValidFlag": self.outbox.pin()}
        return str(self.post("sms/verifyPasswordPin", body, self.api).json()["token"])

    def link(self) -> str:
        self.post("sendResetPasswordEmail", {"email": MEI["email"]}, self.api)
        self.mailbox.wait(MEI["email"])
        return self.mailbox.token(MEI["email"])

    def reset(self, by: str, token: str, password: str = NEW_PASSWORD, times: int = 1) -> Any:
        return self.post(by, {"token": token, "newPassword": password}, self.api, times)

    def failed_pin(self, phone: str) -> dict[str, str]:
        """A change to a phone whose PIN the gateway refused to send."""
        self.post("sms/sendUpdatePin", {"phoneNumber": phone, "template": "update-en"})
        return {"cellPhone": phone, "cellPhoneValidFlag": "123456"}


Act = Callable[[Mei], Any]
PROFILE = {name: value for name, value in MEI.items() if name != "password"}


def gateway(act: Callable[[Mei, str], Any], *codes: int) -> dict[int, Act]:
    return {code: _to(act, GATEWAY[code]) for code in codes}


def _to(act: Callable[[Mei, str], Any], phone: str) -> Act:
    return lambda m: act(m, phone)


def taken(m: Mei) -> None:
    other = Member(status="Active")
    other.set_login("jo", "jo@example.com")
    other.save()


def after(prepare: Callable[[Mei], Any], act: Act) -> Act:
    def both(m: Mei) -> Any:
        prepare(m)
        return act(m)

    return both


ALL = (10001, 10002, 10003, 10004, 20001, 20002)
FIRST = ALL[:4]


def change(path: str, **base: str) -> dict[int, Act]:
    def send(**fields: Any) -> Act:
        return lambda m: m.post(path, {**base, **fields})

    fresh = {"cellPhone": TO_FRESH["phoneNumber"]}
    return {
        204: after(taken, lambda m: m.post(path, {**base, **_proven(m), "email": "jo@example.com"})),
        402: lambda m: m.post(path, base, m.closed()),
        3011: after(taken, send(userName="JO")),
        **gateway(lambda m, to: m.post(path, {**base, **m.failed_pin(to)}), *ALL),
        10005: send(**fresh, cellPhoneValidFlag="000000"),
        20003: send(cellPhone=""),
        20005: send(**fresh, cellPhoneValidFlag=""),
        20009: lambda m: m.post(path, {**base, **fresh, "cellPhoneValidFlag": "000000"}, times=11),
        20006: send(**fresh),
    }


def _proven(m: Mei) -> dict[str, str]:
    m.post("sms/sendOldPhonePin", {"template": "update-en"})
    return {"phoneToken": m.post("sms/verifyForToken", {"captcha": m.outbox.pin()}).json()["token"]}


def resetting(by: str, token: Callable[[Mei], str]) -> dict[int, Act]:
    other = {"cell_phone": "13900000001", "email": "b@example.com", "email_key": "b@example.com"}
    proved = {"email": other["email"], "email_key": other["email_key"]} if by == "resetPasswordToken" else {}
    gone = {"email": "", "email_key": ""} if by == "resetPasswordToken" else {"email": "", "email_key": None}

    def later(code: int, **columns: Any) -> Act:
        def act(m: Mei) -> Any:
            held = token(m)
            m.is_now(**columns)
            return m.reset(by, held)

        return act

    return {
        -400: lambda m: m.reset(by, token(m), times=2),
        -401: lambda m: m.reset(by, "made-up"),
        -5: later(-5, **(proved or {"cell_phone": other["cell_phone"]})),
        -4: lambda m: m.reset(by, token(m), "Password1"),
        402: later(402, status="Closed"),
        3013: later(3013, **gone),
        3014: lambda m: m.reset(by, token(m), MEI["password"]),
    }


def sending(path: str, template: str, **more: Any) -> dict[int, Act]:
    body = {"phoneNumber": PHONE, "template": template, **more}
    return {
        -6: lambda m: m.post(path, {**body, "phoneNumber": "123"}),
        -7: lambda m: m.post(path, {**body, "template": "no-such"}),
        20003: lambda m: m.post(path, {**body, "phoneNumber": ""}),
        20004: lambda m: m.post(path, {**body, "template": ""}),
        20002: lambda m: m.stopped().window().post(path, body),
        40001: lambda m: m.cooled().window().post(path, body, times=2),
    }


def verifying(path: str, **more: Any) -> dict[int, Act]:
    body = {"phoneNumber": PHONE, "cellPhoneValidFlag": "000000", **more}
    return {
        -6: lambda m: m.post(path, {**body, "phoneNumber": "123"}),
        20003: lambda m: m.post(path, {**body, "phoneNumber": ""}),
        20005: lambda m: m.post(path, {**body, "cellPhoneValidFlag": ""}),
        10005: lambda m: m.window().post(path, body),
        20009: lambda m: m.window().post(path, body, times=11),
    }


def failed_mobile(m: Mei, to: str) -> Any:
    m.is_now(cell_phone=to).window()
    m.post("sms/sendMobilePin", {"phoneNumber": to, "template": "verify-en", "user": "mei.li"})
    settled()
    return m.post("sms/verifyMobile", {"phoneNumber": to, "cellPhoneValidFlag": "000000", "user": "mei.li"})


def failed_old_phone(m: Mei, to: str) -> Any:
    m.is_now(cell_phone=to).post("sms/sendOldPhonePin", {"template": "update-en"})
    return m.post("sms/verifyForToken", {"captcha": "000000"})


def failed_captcha(m: Mei, to: str) -> Any:
    m.post("sms/send", {"phoneNumber": to, "template": "captcha"}, m.old)
    return m.post("sms/verify", {"phoneNumber": to, "captcha": "000000"}, m.old)


def two_on_a_phone(m: Mei) -> Any:
    Member.objects.create(status="Active", cell_phone=PHONE, user_name_key="jo")
    return m.post("sms/sendPasswordPin", {"phoneNumber": PHONE, "template": "password-en"})


def two_on_a_phone_verified(m: Mei) -> Any:
    m.post("sms/sendPasswordPin", {"phoneNumber": PHONE, "template": "password-en"})
    settled()
    two_on_a_phone(m)
    return m.post("sms/verifyPasswordPin", {"phoneNumber": PHONE, "cellPhoneValidFlag": m.outbox.pin()})


SMS_SEND = {"template": "captcha"}
TABLE: dict[str, dict[int, Act]] = {
    "sms/send": {
        **gateway(lambda m, to: m.post("sms/send", {"phoneNumber": to, **SMS_SEND}, m.old), *ALL),
        20003: lambda m: m.post("sms/send", SMS_SEND, m.old),
        20004: lambda m: m.post("sms/send", TO_FRESH, m.old),
    },
    "sms/verify": {
        **gateway(failed_captcha, *ALL),
        10005: lambda m: m.post("sms/verify", {**TO_FRESH, "captcha": "000000"}, m.old),
        20003: lambda m: m.post("sms/verify", {"captcha": "000000"}, m.old),
        20005: lambda m: m.post("sms/verify", TO_FRESH, m.old),
        20006: lambda m: m.post("sms/verify", {**TO_FRESH, "captcha": "000000"}, m.old, times=11),
    },
    "sms/sendOldPhonePin": {
        **gateway(lambda m, to: m.is_now(cell_phone=to).post("sms/sendOldPhonePin", {"template": "update-en"}), *ALL),
        20004: lambda m: m.post("sms/sendOldPhonePin"),
        40001: lambda m: m.cooled().post("sms/sendOldPhonePin", {"template": "update-en"}, times=2),
        -11: lambda m: m.post("sms/sendOldPhonePin", {"template": "update-en"}, m.closed()),
    },
    "sms/verifyForToken": {
        **gateway(failed_old_phone, *FIRST),
        10005: lambda m: m.post("sms/verifyForToken", {"captcha": "000000"}),
        20005: lambda m: m.post("sms/verifyForToken"),
        20009: lambda m: m.post("sms/verifyForToken", {"captcha": "000000"}, times=11),
        -11: lambda m: m.post("sms/verifyForToken", {"captcha": "000000"}, m.closed()),
    },
    "sendEmailPin": {40001: lambda m: m.cooled().post("sendEmailPin", times=2)},
    "verifyEmailPin": {
        105: lambda m: m.post("verifyEmailPin", {"pinCode": "000000"}),
        40001: lambda m: m.post("verifyEmailPin", {"pinCode": "000000"}, times=11),
        -11: lambda m: m.post("verifyEmailPin", {"pinCode": "000000"}, m.closed()),
    },
    "sms/sendUpdatePin": {
        **sending("sms/sendUpdatePin", "update-en"),
        **gateway(lambda m, to: m.post("sms/sendUpdatePin", {"phoneNumber": to, "template": "update-en"}), *ALL),
    },
    "sms/sendMobilePin": {
        **sending("sms/sendMobilePin", "verify-en", user="mei.li"),
        40003: lambda m: m.post("sms/sendMobilePin", {"phoneNumber": PHONE, "template": "verify-en", "user": "mei.li"}),
    },
    "sms/verifyMobile": {
        **verifying("sms/verifyMobile", user="mei.li"),
        **gateway(failed_mobile, *FIRST),
        40003: lambda m: m.post(
            "sms/verifyMobile", {"phoneNumber": PHONE, "cellPhoneValidFlag": "000000", "user": "mei.li"}
        ),
        20006: lambda m: m.post("sms/verifyMobile", {"phoneNumber": PHONE, "user": "mei.li"}),
    },
    "sms/sendPasswordPin": {**sending("sms/sendPasswordPin", "password-en"), 40002: two_on_a_phone},
    "sms/verifyPasswordPin": {
        **verifying("sms/verifyPasswordPin"),
        40002: two_on_a_phone_verified,
    },
    "sms/resetPasswordByPhoneToken": resetting("sms/resetPasswordByPhoneToken", Mei.reset_token),
    "resetPasswordToken": resetting("resetPasswordToken", Mei.link),
    "resetPassword": {
        402: lambda m: m.post("resetPassword", {"password": "x", "newPassword": NEW_PASSWORD}, m.closed()),
        3013: lambda m: m.is_now(email="", email_key=None).post(
            "resetPassword", {"password": MEI["password"], "newPassword": NEW_PASSWORD}
        ),
        3014: lambda m: m.post("resetPassword", {"password": "wrong", "newPassword": NEW_PASSWORD}),
    },
    "update": change("update", **PROFILE),
    "update/patch": {
        **change("update/patch"),
        -402: lambda m: m.post("update/patch", {"email": "new@example.com"}),
        422: lambda m: m.post("update/patch", {"status": "Closed"}),
        5000: lambda m: m.post("update/patch", {"email": "no address"}),
    },
}


@pytest.fixture
def mei(api: Api, sms_outbox: Outbox, mailbox: Mailbox, settings: Settings) -> Mei:
    return Mei(api, sms_outbox, mailbox, settings)


@pytest.mark.parametrize(
    ("path", "code"), [(path, code) for path, cases in TABLE.items() for code in cases], ids=lambda value: str(value)
)
def test_an_operation_refuses(mei: Mei, path: str, code: int) -> None:
    reply = TABLE[path][code](mei)
    error = reply.json().get("error", {})
    assert (reply.status_code, error.get("code")) == (423 if code == 20006 and path != "sms/verify" else 400, code)
    sms = path.startswith("sms/") or reply.status_code == 423
    if code != 422:
        assert error["name"] == ("SMSRequestError" if sms else "SiebelRequestError")
    if code in (20001, 20009, 40001):
        assert int(reply.headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", TABLE)
def test_no_code_of_the_contract_is_left_out(path: str) -> None:
    declared = next(entry for entry in CONTRACT if entry["path"] == f"/api/Customers/{path}")
    listed = {int(error.split()[0]) for errors in declared["errors"].values() for error in errors}
    assert listed - set(TABLE[path]) == NEVER_SEEN.get(path, set())
