"""Proving a phone or an e-mail address: the PINs, the tokens they are worth, and what can be done with them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cards.members import MemberStatus
from customers.models import Member, MobileWindow, ProofToken
from loyalty import authentication
from loyalty.models import CustomerToken
from loyalty.scopes import Scope
from sms.models import Message, Pin
from tests.conftest import (
    MEI,
    PHONE,
    Api,
    Mailbox,
    Outbox,
    at_once,
    code_of,
    holding,
    print_card,
    register,
    settled,
)

NEW_PHONE, EMAIL = "13900000009", "Mei.Li@example.com"
NEW_PASSWORD = "another horse battery"


@pytest.fixture
def clock() -> Any:
    """Time that moves when it is told to, so that cooldowns pass."""
    with time_machine.travel(timezone.now(), tick=True) as traveller:
        yield traveller


@pytest.fixture
def mei(api: Api, sms_outbox: Outbox, settings: Settings) -> Api:
    """A customer with her token; there is no waiting between two messages."""
    settings.SMS_PHONE_COOLDOWN_SECONDS = settings.EMAIL_COOLDOWN_SECONDS = 0
    settings.SMS_PER_PHONE_HOUR = settings.SMS_PER_PHONE_DAY = settings.EMAILS_PER_RECIPIENT_DAY = 1000
    assert register(api, print_card(), sms_outbox).status_code == 200
    return api.log_in(MEI["userName"], MEI["password"])


def phone_token(mei: Api, outbox: Outbox) -> str:
    assert mei.post("Customers/sms/sendOldPhonePin", {"template": "update-en"}).status_code == 200
    reply = mei.post("Customers/sms/verifyForToken", {"captcha": outbox.pin()})
    assert reply.status_code == 200, reply.content
    return str(reply.json()["token"])


def email_token(mei: Api, mailbox: Mailbox) -> str:
    assert mei.post("Customers/sendEmailPin").json() == {"success": True}
    settled()
    reply = mei.post("Customers/verifyEmailPin", {"pinCode": mailbox.pin(EMAIL)})
    assert reply.status_code == 200, reply.content
    return str(reply.json()["token"])


def new_phone(mei: Api, outbox: Outbox, phone: str = NEW_PHONE) -> dict[str, str]:
    """What a patch needs to say of a new phone, the token left out."""
    sent = mei.post("Customers/sms/sendUpdatePin", {"phoneNumber": phone, "template": "update-en"})
    assert sent.status_code == 200, sent.content
    return {"cellPhone": phone, "cellPhoneValidFlag": outbox.pin(phone)}


def patch(mei: Api, **fields: Any) -> Any:
    return mei.post("Customers/update/patch", fields)


def detail(mei: Api) -> Any:
    return mei.get("Customers/detail").json()


# Changing a phone or an e-mail address


def test_a_new_phone_takes_its_pin_and_a_token_of_the_old_one(mei: Api, sms_outbox: Outbox, mailbox: Mailbox) -> None:
    changed = {**new_phone(mei, sms_outbox), "phoneToken": phone_token(mei, sms_outbox)}
    assert patch(mei, **changed).json() == {"success": True}
    assert (detail(mei)["cellPhone"], detail(mei)["cellPhoneVerified"]) == (NEW_PHONE, True)
    settled()
    assert sms_outbox.templates()[-1] == sms_outbox.templates(NEW_PHONE)[-1] == "phone-changed-en"
    assert mailbox.to(EMAIL)[-1].subject == "Loyalty: Your cell phone number was changed"
    assert code_of(patch(mei, **{**changed, "cellPhone": PHONE}), 400) == 10005


def test_a_new_address_takes_a_token_and_is_not_verified(mei: Api, sms_outbox: Outbox, mailbox: Mailbox) -> None:
    token = email_token(mei, mailbox)
    assert detail(mei)["emailVerified"] is True
    assert patch(mei, email="mei@example.org", emailToken=token).status_code == 200
    assert (detail(mei)["email"], detail(mei)["emailVerified"]) == ("mei@example.org", False)
    settled()
    for address in (EMAIL, "mei@example.org"):
        assert mailbox.to(address)[-1].subject == "Loyalty: Your e-mail address was changed"
    assert sms_outbox.templates()[-1] == "email-changed-en"


def test_a_token_is_good_for_one_change(mei: Api, sms_outbox: Outbox) -> None:
    token = phone_token(mei, sms_outbox)
    assert patch(mei, email="one@example.org", phoneToken=token).status_code == 200
    assert code_of(patch(mei, email="two@example.org", phoneToken=token)) == -402


def test_what_is_refused_uses_up_neither_pin_nor_token(mei: Api, api: Api, sms_outbox: Outbox) -> None:
    jo = {"userName": "jo", "email": "jo@example.com", "cellPhone": "13900000001"}
    assert register(api, print_card(), sms_outbox, **jo).status_code == 200
    proof = {**new_phone(mei, sms_outbox), "phoneToken": phone_token(mei, sms_outbox)}
    assert code_of(patch(mei, **proof, email="JO@example.com")) == 204
    assert code_of(patch(mei, **proof, userName="Jo")) == 3011
    assert patch(mei, **proof).status_code == 200


def test_without_proof_the_account_stays_where_it_is(mei: Api, sms_outbox: Outbox) -> None:
    pin = new_phone(mei, sms_outbox)
    before = detail(mei)
    assert code_of(patch(mei, cellPhone=NEW_PHONE), 423) == 20006
    assert code_of(patch(mei, cellPhone=NEW_PHONE, cellPhoneValidFlag="")) == 20005
    assert code_of(patch(mei, cellPhone=NEW_PHONE, cellPhoneValidFlag="000000")) == 10005
    assert code_of(patch(mei, cellPhone="")) == 20003
    assert code_of(patch(mei, **pin)) == -402
    assert code_of(patch(mei, **pin, phoneToken="made-up")) == -402
    assert code_of(patch(mei, email="other@example.com")) == -402
    assert detail(mei) == before


def test_a_token_proves_one_customer_and_the_channel_that_it_came_by(
    mei: Api, api: Api, sms_outbox: Outbox, mailbox: Mailbox
) -> None:
    jo = {"userName": "jo", "email": "jo@example.com", "cellPhone": "13900000001"}
    assert register(api, print_card(), sms_outbox, **jo).status_code == 200
    token = phone_token(mei, sms_outbox)
    assert code_of(patch(api.log_in("jo", MEI["password"]), email="x@example.com", phoneToken=token)) == -402
    assert code_of(patch(mei, email="x@example.com", emailToken=token)) == -402
    other = email_token(mei, mailbox)
    assert patch(mei, email="x@example.com", phoneToken=token).status_code == 200
    assert code_of(patch(mei, email="y@example.com", emailToken=other)) == -402, "the address it proved is gone"


def test_an_update_pin_serves_the_customer_who_asked_for_it(mei: Api, api: Api, sms_outbox: Outbox) -> None:
    jo = {"userName": "jo", "email": "jo@example.com", "cellPhone": "13900000001"}
    assert register(api, print_card(), sms_outbox, **jo).status_code == 200
    pin = new_phone(mei, sms_outbox)
    assert code_of(patch(api.log_in("jo", MEI["password"]), **pin)) == 10005


def test_a_customer_tries_three_new_numbers_a_day(mei: Api, sms_outbox: Outbox) -> None:
    for number in range(3):
        new_phone(mei, sms_outbox, f"1390000010{number}")
    new_phone(mei, sms_outbox, "13900000100")
    body = {"phoneNumber": "13900000104", "template": "update-cn"}
    assert code_of(mei.post("Customers/sms/sendUpdatePin", body)) == 40001


def test_update_follows_the_same_rules(mei: Api, sms_outbox: Outbox) -> None:
    whole = {name: value for name, value in MEI.items() if name != "password"}
    assert mei.post("Customers/update", {**whole, "firstName": "梅", "hobbies": "tea"}).json() == {"success": True}
    assert (detail(mei)["firstName"], detail(mei)["hobbies"]) == ("梅", "tea")
    assert code_of(mei.post("Customers/update", {**whole, "lastName": ...} | {"lastName": ""})) == 422
    assert code_of(mei.post("Customers/update", {**whole, "email": "no address"})) == 422
    assert code_of(mei.post("Customers/update", {**whole, "email": "new@example.com"})) == -402
    assert code_of(mei.post("Customers/update", {**whole, "SourceCode": "nowhere"})) == 301
    changed = {**whole, **new_phone(mei, sms_outbox), "phoneToken": phone_token(mei, sms_outbox)}
    assert mei.post("Customers/update", changed).status_code == 200
    assert detail(mei)["cellPhone"] == NEW_PHONE


# A phone that is not verified


@pytest.fixture
def unverified(mei: Api, api: Api) -> Any:
    """Log-in is refused; answers the ticket."""
    Member.objects.update(cell_phone_verified=False)

    def log_in() -> str:
        reply = api.post("Customers/login", {"user": MEI["userName"], "password": MEI["password"]})
        assert code_of(reply) == 3099
        return str(reply.json()["error"]["ticket"])

    return log_in


def mobile(api: Api, phone: str = PHONE, **more: Any) -> Any:
    body = {"phoneNumber": phone, "template": "verify-en", "user": MEI["userName"], **more}
    return api.post("Customers/sms/sendMobilePin", body)


def verify_mobile(api: Api, pin: str, phone: str = PHONE, **more: Any) -> Any:
    body = {"phoneNumber": phone, "cellPhoneValidFlag": pin, "user": MEI["email"], **more}
    return api.post("Customers/sms/verifyMobile", body)


def test_after_a_refused_log_in_the_phone_on_file_is_verified(
    api: Api, unverified: Callable[[], str], sms_outbox: Outbox
) -> None:
    assert code_of(mobile(api)) == 40003
    assert code_of(verify_mobile(api, "123456")) == 40003
    unverified()
    assert mobile(api).json() == {"success": True}
    settled()
    assert code_of(verify_mobile(api, "000000")) == 10005
    assert code_of(verify_mobile(api, "")) == 20005
    assert code_of(api.post("Customers/sms/verifyMobile", {"phoneNumber": PHONE, "user": "mei.li"}), 423) == 20006
    assert verify_mobile(api, sms_outbox.pin()).json() == {"success": True}
    api.log_in(MEI["userName"], MEI["password"])
    assert code_of(mobile(api)) == 40003


def test_another_phone_takes_the_ticket(api: Api, unverified: Callable[[], str], sms_outbox: Outbox) -> None:
    ticket = unverified()
    for wrong in ({}, {"ticket": ""}, {"ticket": "made-up"}):
        assert code_of(mobile(api, NEW_PHONE, **wrong)) == 40003
        assert code_of(verify_mobile(api, "123456", NEW_PHONE, **wrong)) == 40003
    assert mobile(api, NEW_PHONE, ticket=ticket).status_code == 200
    settled()
    assert verify_mobile(api, sms_outbox.pin(NEW_PHONE), NEW_PHONE, ticket=ticket).status_code == 200
    mei = api.log_in(MEI["userName"], MEI["password"])
    assert detail(mei)["cellPhone"] == NEW_PHONE
    settled()
    assert sms_outbox.templates()[-1] == "phone-changed-en"


def test_a_ticket_of_an_old_password_opens_nothing(
    api: Api, unverified: Callable[[], str], sms_outbox: Outbox, clock: Any, settings: Settings
) -> None:
    ticket = unverified()
    assert mobile(api, NEW_PHONE, ticket=ticket).status_code == 200
    settled()
    pin = sms_outbox.pin(NEW_PHONE)
    assert reset(api, reset_token(api, sms_outbox).json()["token"]).status_code == 200
    assert code_of(verify_mobile(api, pin, NEW_PHONE, ticket=ticket)) == 40003
    refused = api.post("Customers/login", {"user": MEI["userName"], "password": NEW_PASSWORD})
    assert code_of(refused) == 3099
    assert code_of(mobile(api, NEW_PHONE)) == 40003
    assert code_of(verify_mobile(api, pin, NEW_PHONE)) == 40003
    assert mobile(api).status_code == 200


def test_the_window_closes_after_ten_minutes(
    api: Api, unverified: Callable[[], str], clock: Any, sms_outbox: Outbox
) -> None:
    unverified()
    assert mobile(api).status_code == 200
    clock.shift(timedelta(seconds=601))
    assert code_of(mobile(api)) == 40003
    assert MobileWindow.objects.count() == 1


# A forgotten password


def forgot(api: Api, phone: str = PHONE, **more: Any) -> Any:
    return api.post("Customers/sms/sendPasswordPin", {"phoneNumber": phone, "template": "password-en", **more})


def reset_token(api: Api, outbox: Outbox, phone: str = PHONE, **more: Any) -> Any:
    assert forgot(api, phone, **more).json() == {"success": True}
    settled()
    body = {"phoneNumber": phone, "cellPhoneValidFlag": outbox.pin(phone), **more}
    return api.post("Customers/sms/verifyPasswordPin", body)


def reset(api: Api, token: str, password: str = NEW_PASSWORD, by: str = "sms/resetPasswordByPhoneToken") -> Any:
    return api.post(f"Customers/{by}", {"token": token, "newPassword": password})


def test_a_password_is_reset_by_phone(mei: Api, api: Api, sms_outbox: Outbox, mailbox: Mailbox) -> None:
    verified = reset_token(api, sms_outbox)
    customer_id = verified.json()["x-customer-id"]
    assert verified.headers["x-customer-id"] == customer_id == detail(mei)["customerId"]
    token = verified.json()["token"]
    assert code_of(reset(api, token, "Password1")) == -4
    assert code_of(reset(api, token, MEI["password"])) == 3014
    done = reset(api, token)
    assert done.json() == {"x-customer-id": customer_id} == {"x-customer-id": done.headers["x-customer-id"]}
    assert code_of(reset(api, token)) == -400
    assert code_of(mei.get("Customers/detail"), 401) == 401
    api.log_in(MEI["userName"], NEW_PASSWORD)
    settled()
    assert sms_outbox.templates()[-1] == "password-changed-en"
    assert mailbox.to(EMAIL)[-1].subject == "Loyalty: Your password was changed"


def test_a_password_is_reset_by_mail(mei: Api, api: Api, mailbox: Mailbox, settings: Settings) -> None:
    Member.objects.update(email_activation_due=True)
    assert code_of(api.post("Customers/login", {"user": MEI["userName"], "password": MEI["password"]})) == 3016
    asked = api.client.post(
        "/api/Customers/sendResetPasswordEmail",
        {"email": EMAIL.upper()},
        headers={"host": "localhost", "x-forwarded-host": "evil.example"},
    )
    assert asked.json() == {"success": True}
    (letter,) = mailbox.wait(EMAIL)
    assert f"{settings.BASE_URL}/reset-password?token=" in letter.body
    assert [kind for _, kind in letter.alternatives] == ["text/html"]
    assert f'href="{settings.BASE_URL}/reset-password?token=' in str(letter.alternatives[0][0])
    token = mailbox.token(EMAIL)
    assert code_of(reset(api, token)) == -401, "a link is no phone token"
    assert reset(api, token, by="resetPasswordToken").json() == {"success": True}
    assert code_of(reset(api, token, by="resetPasswordToken")) == -400
    assert detail(api.log_in(EMAIL, NEW_PASSWORD))["emailVerified"] is True


def test_the_link_opens_a_page_that_leaks_it_nowhere(client: Client, database: None) -> None:
    page = client.get("/reset-password?token=secret-token")
    assert page.status_code == 200
    assert "secret-token" not in page.content.decode()
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "设置新密码" in client.get("/reset-password", headers={"accept-language": "zh-hans"}).content.decode()
    for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.content.decode()):
        assert finders.find(name.removeprefix("/static/"))


def test_a_reset_is_refused_once_the_world_has_changed(
    mei: Api, api: Api, sms_outbox: Outbox, mailbox: Mailbox, clock: Any
) -> None:
    token = reset_token(api, sms_outbox).json()["token"]
    for columns, code in (
        ({"cell_phone": NEW_PHONE}, -5),
        ({"cell_phone": PHONE, "email": "", "email_key": None}, 3013),
        ({"status": MemberStatus.CLOSED}, 402),
    ):
        Member.objects.filter(user_name="mei.li").update(**columns)
        assert code_of(reset(api, token)) == code
    clock.shift(timedelta(seconds=901))
    assert code_of(reset(api, token)) == -401
    assert code_of(reset(api, "made-up")) == -401


def test_a_link_is_void_once_the_address_has_changed(mei: Api, api: Api, mailbox: Mailbox) -> None:
    api.post("Customers/sendResetPasswordEmail", {"email": EMAIL})
    mailbox.wait(EMAIL)
    Member.objects.filter(user_name="mei.li").update(email="b@example.com", email_key="b@example.com")
    assert code_of(reset(api, mailbox.token(EMAIL), by="resetPasswordToken")) == -5


def test_two_customers_on_one_phone_say_who_they_are(mei: Api, api: Api, sms_outbox: Outbox) -> None:
    assert register(api, print_card(), sms_outbox, userName="jo", email="jo@example.com").status_code == 200
    assert code_of(forgot(api)) == 40002
    token = reset_token(api, sms_outbox, user="jo").json()["token"]
    assert reset(api, token).status_code == 200
    api.log_in("jo", NEW_PASSWORD)
    api.log_in(MEI["userName"], MEI["password"])
    assert forgot(api, user="jo").status_code == 200
    settled()
    flag = {"phoneNumber": PHONE, "cellPhoneValidFlag": sms_outbox.pin()}
    assert code_of(api.post("Customers/sms/verifyPasswordPin", {**flag, "cellPhoneValidFlag": "000000"})) == 10005
    assert code_of(api.post("Customers/sms/verifyPasswordPin", flag)) == 40002
    assert code_of(api.post("Customers/sms/verifyPasswordPin", {**flag, "user": "nobody"})) == 10005
    assert api.post("Customers/sms/verifyPasswordPin", {**flag, "user": MEI["email"]}).status_code == 200


def test_a_password_is_changed_by_who_knows_it(mei: Api, api: Api) -> None:
    def change(password: str, new: str = NEW_PASSWORD) -> Any:
        return mei.post("Customers/resetPassword", {"password": password, "newPassword": new})

    assert code_of(change("wrong")) == 3014
    assert code_of(change(MEI["password"], "Password1")) == -4
    assert code_of(change(MEI["password"], MEI["password"])) == 3014
    assert change(MEI["password"]).json() == {"success": True}
    assert CustomerToken.objects.filter(revoked_at=None).count() == 0
    api.log_in(MEI["userName"], NEW_PASSWORD)


def test_guesses_at_the_current_password_end_soon(mei: Api) -> None:
    body = {"password": "wrong", "newPassword": NEW_PASSWORD}
    answers = [mei.post("Customers/resetPassword", body).status_code for _ in range(6)]
    assert answers == [400] * 5 + [429]
    assert code_of(mei.post("Customers/resetPassword", {**body, "password": MEI["password"]}), 429) == 429


def test_one_token_resets_one_password_however_many_try(mei: Api, api: Api, sms_outbox: Outbox) -> None:
    token = reset_token(api, sms_outbox).json()["token"]
    replies = at_once(20, lambda number: reset(Api(), token, f"{NEW_PASSWORD} {number}"))
    codes = [reply.json().get("error", {}).get("code", 0) for reply in replies]
    assert sorted(codes) == [-400] * 19 + [0]


# Nothing tells


def shown(reply: Any) -> Any:
    headers = {name: value for name, value in reply.headers.items() if name != "X-Request-ID"}
    body = reply.json()
    body.get("error", {}).pop("requestId", None)
    return reply.status_code, body, headers


@pytest.mark.parametrize(
    ("path", "known", "unknown"),
    [
        (
            "sms/sendPasswordPin",
            {"phoneNumber": PHONE, "template": "password-en"},
            {"phoneNumber": "13911111111", "template": "password-en"},
        ),
        (
            "sms/sendPasswordPin",
            {"phoneNumber": PHONE, "template": "password-en", "user": "mei.li"},
            {"phoneNumber": PHONE, "template": "password-en", "user": "nobody"},
        ),
        ("sendResetPasswordEmail", {"email": EMAIL}, {"email": "nobody@example.com"}),
        (
            "sms/verifyPasswordPin",
            {"phoneNumber": PHONE, "cellPhoneValidFlag": "000000"},
            {"phoneNumber": "13911111111", "cellPhoneValidFlag": "000000"},
        ),
        (
            "sms/sendMobilePin",
            {"phoneNumber": PHONE, "template": "verify-en", "user": "mei.li"},
            {"phoneNumber": PHONE, "template": "verify-en", "user": "nobody"},
        ),
    ],
)
def test_an_answer_does_not_tell_who_there_is(
    mei: Api, api: Api, path: str, known: Any, unknown: Any, hashes: list[str]
) -> None:
    settled()
    before = Message.objects.count(), Pin.objects.count(), ProofToken.objects.count()
    assert shown(api.post(f"Customers/{path}", known)) == shown(api.post(f"Customers/{path}", unknown))
    after = Message.objects.count(), Pin.objects.count(), ProofToken.objects.count()
    sent = path in ("sms/sendPasswordPin", "sendResetPasswordEmail")
    assert after[0] - before[0] == int(sent), "the stranger got nothing"
    assert hashes == []


def test_guessing_does_not_tell_who_there_is(mei: Api, api: Api) -> None:
    answers = []
    for phone in (PHONE, "13911111111"):
        assert forgot(api, phone).status_code == 200
        body = {"phoneNumber": phone, "cellPhoneValidFlag": "000000"}
        answers.append([shown(api.post("Customers/sms/verifyPasswordPin", body))[:2] for _ in range(12)])
    assert answers[0] == answers[1]
    assert [body["error"]["code"] for _, body in answers[0]] == [10005] * 5 + [20009] * 7


def test_a_gateway_that_refuses_tells_nobody_who_there_is(mei: Api, api: Api) -> None:
    refused = "13000010001"
    Member.objects.update(cell_phone=refused)
    body = {"phoneNumber": refused, "cellPhoneValidFlag": "000000"}
    assert forgot(api, refused).status_code == 200
    settled()
    assert code_of(api.post("Customers/sms/verifyPasswordPin", body)) == 10005


def test_what_is_refused_costs_no_message_of_the_day(mei: Api, api: Api, settings: Settings) -> None:
    settings.SMS_PER_DAY = Message.objects.filter(channel="sms").count() + 1
    for _ in range(5):
        assert code_of(mobile(api)) == 40003
    assert forgot(api).status_code == 200
    assert code_of(forgot(api)) == 40001


def test_a_new_password_voids_older_links_and_pins(mei: Api, api: Api, sms_outbox: Outbox, mailbox: Mailbox) -> None:
    api.post("Customers/sendResetPasswordEmail", {"email": EMAIL})
    mailbox.wait(EMAIL)
    token = reset_token(api, sms_outbox).json()["token"]
    forgot(api)
    settled()
    pin = sms_outbox.pin()
    body = {"password": MEI["password"], "newPassword": NEW_PASSWORD}
    assert mei.post("Customers/resetPassword", body).status_code == 200
    assert code_of(reset(api, mailbox.token(EMAIL), by="resetPasswordToken")) == -400
    assert code_of(reset(api, token)) == -400
    flag = {"phoneNumber": PHONE, "cellPhoneValidFlag": pin}
    assert code_of(api.post("Customers/sms/verifyPasswordPin", flag)) == 10005


def test_a_log_in_that_began_before_all_were_ended_ends_too(mei: Api, api: Api) -> None:
    member = Member.objects.get(user_name="mei.li")
    before = timezone.now()
    authentication.revoke_tokens(member.pk)
    token, _ = authentication.issue_token(member.pk, proved_at=before)
    late = api.with_headers(authorization=f"Bearer {token}")
    assert code_of(late.get("Customers/detail"), 401) == 401
    assert api.log_in("mei.li", MEI["password"]).get("Customers/detail").status_code == 200


# The operations of the first days


def test_sms_send_and_verify_still_work(api: Api, sms_outbox: Outbox, settings: Settings) -> None:
    settings.SMS_PHONE_COOLDOWN_SECONDS = 0
    old = holding(api, Scope.SMS)
    card = print_card()
    assert old.post("Customers/sms/send", {"phoneNumber": PHONE, "template": "captcha"}).json() == {"success": True}
    assert old.post("Customers/sms/verify", {"phoneNumber": PHONE, "captcha": sms_outbox.pin()}).status_code == 200
    assert old.post("Customers/sms/send", {"phoneNumber": PHONE, "template": "create-en"}).status_code == 200
    body = {"phoneNumber": PHONE, "captcha": sms_outbox.pin()}
    for _ in range(6):
        assert old.post("Customers/sms/verify", body).json() == {"success": True}
    created = api.post("Customers/create", {**MEI, **card.credentials, "cellPhoneValidFlag": sms_outbox.pin()})
    assert created.status_code == 200
    assert code_of(old.post("Customers/sms/verify", body)) == 10005
    settings.LEGACY_SMS = False
    assert code_of(old.post("Customers/sms/send", {"phoneNumber": PHONE, "template": "create"}), 404) == 404
    assert code_of(old.post("Customers/sms/verify", body), 404) == 404


def test_a_pin_of_the_old_way_changes_a_phone_too(mei: Api, api: Api, sms_outbox: Outbox) -> None:
    old, token = holding(api, Scope.SMS), phone_token(mei, sms_outbox)
    assert old.post("Customers/sms/send", {"phoneNumber": NEW_PHONE, "template": "update-cn"}).status_code == 200
    changed = {"cellPhone": NEW_PHONE, "cellPhoneValidFlag": sms_outbox.pin(NEW_PHONE), "phoneToken": token}
    assert patch(mei, **changed).status_code == 200


# Purposes


def test_a_pin_of_one_purpose_is_nothing_for_another(
    mei: Api, api: Api, sms_outbox: Outbox, mailbox: Mailbox, unverified: Callable[[], str]
) -> None:
    ticket = unverified()
    card, old = print_card(), holding(api, Scope.SMS)
    email = {"email": "six@example.com", "userName": "six"}
    sends: dict[str, Callable[[], Any]] = {
        "create": lambda: api.post(
            "Customers/sms/sendRegisterPin", {"phoneNumber": PHONE, "template": "create-en", **card.credentials}
        ),
        "update": lambda: mei.post("Customers/sms/sendUpdatePin", {"phoneNumber": PHONE, "template": "update-en"}),
        "old phone": lambda: mei.post("Customers/sms/sendOldPhonePin", {"template": "update-en"}),
        "mobile": lambda: mobile(api, ticket=ticket),
        "password": lambda: forgot(api),
        "captcha": lambda: old.post("Customers/sms/send", {"phoneNumber": PHONE, "template": "captcha"}),
    }
    uses: dict[str, Callable[[str], Any]] = {
        "create": lambda pin: api.post(
            "Customers/create", {**MEI, **email, **card.credentials, "cellPhoneValidFlag": pin}
        ),
        "old phone": lambda pin: mei.post("Customers/sms/verifyForToken", {"captcha": pin}),
        "mobile": lambda pin: verify_mobile(api, pin),
        "password": lambda pin: api.post(
            "Customers/sms/verifyPasswordPin", {"phoneNumber": PHONE, "cellPhoneValidFlag": pin}
        ),
        "captcha": lambda pin: old.post("Customers/sms/verify", {"phoneNumber": PHONE, "captcha": pin}),
    }
    for purpose, send in sends.items():
        Pin.objects.all().delete()
        assert send().status_code == 200
        settled()
        pin = sms_outbox.pin()
        for other in uses.keys() - {purpose, *(("captcha",) if purpose == "create" else ())}:
            assert code_of(uses[other](pin)) == 10005, (purpose, other)
    assert uses["captcha"](pin).status_code == 200
