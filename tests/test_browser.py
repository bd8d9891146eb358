"""The main ways through the admin, in a real browser."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser
from pytest_django import Settings

from customers.models import Member
from orders.models import StarAdjustment
from staff import log_in
from staff.models import StaffAction
from tests.browser import PASSWORD, Desk, address, chromium  # noqa: F401 (fixtures)
from tests.test_admin import rows  # noqa: F401 (a fixture)
from tests.test_staff_login import code_of
from wechat.models import Batch

PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def hire(name: str, *roles: str, **columns: Any) -> User:
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True, **columns)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


@pytest.fixture
def desk(chromium: Browser, address: str, rows: SimpleNamespace) -> Iterator[Desk]:  # noqa: F811
    made = Desk(chromium, address, viewport=WIDE)
    yield made
    made.page.context.close()
    assert made.wrong == []


def test_a_code_opens_the_first_page_and_its_plots_are_drawn(desk: Desk, settings: Settings) -> None:
    settings.STAFF_TOTP = True
    device = log_in.renew(hire("ann", is_superuser=True))
    desk.log_in("ann")
    assert "At a glance" not in desk.text
    desk.log_in("ann", code_of(device))
    assert "At a glance" in desk.text
    Batch.objects.update(state="importing")
    desk.open("/admin/")
    desk.page.wait_for_function("window.Chart && Chart.getChart(document.querySelector('#panel-registrations canvas'))")
    drawn = desk.page.evaluate(
        "[...document.querySelectorAll('canvas')].map(c => Chart.getChart(c).data.labels.length)"
    )
    assert drawn == [14, 14, 14]
    assert desk.page.locator("#panel-batches progress").get_attribute("value") == "25"


def test_support_finds_a_customer_closes_the_account_and_undoes_it(desk: Desk, rows: SimpleNamespace) -> None:  # noqa: F811
    hire("sue", "support")
    desk.log_in("sue")
    desk.find("13812345678")
    assert rows.member.pk in desk.page.url
    assert "13812345678" not in desk.text
    desk.act("close", "case 1")
    assert Member.objects.get(pk=rows.member.pk).status == "Closed"
    desk.act("reopen", "case 1, a mistake")
    assert Member.objects.get(pk=rows.member.pk).status == "Active"
    desk.click("text=Show in full")
    desk.page.fill("#id_reason", "case 2")
    desk.click("#content input[type=submit]")
    assert "13812345678" in desk.text
    assert list(StaffAction.objects.order_by("pk").values_list("reason", flat=True)) == [
        "case 1",
        "case 1, a mistake",
        "case 2",
    ]


def test_a_second_person_approves(desk: Desk, rows: SimpleNamespace, chromium: Browser) -> None:  # noqa: F811
    hire("fred", "finance")
    hire("gina", "finance")
    desk.log_in("fred")
    desk.open(f"/admin/orders/staradjustment/add/?member={rows.member.pk}")
    desk.page.fill("#id_points", "5")
    desk.page.fill("#id_reason", "a complaint")
    desk.click("input[name=_save]")

    def approve(by: Desk) -> str:
        by.open("/admin/orders/staradjustment/")
        by.page.check("#action-toggle")
        by.page.select_option("select[name=action]", "approve")
        by.click("button[name=index]")
        return by.text

    assert "another person decides" in approve(desk)
    other = Desk(chromium, desk.address, viewport=WIDE)
    other.log_in("gina")
    approve(other)
    assert StarAdjustment.objects.get().decided_by == User.objects.get(username="gina")
    other.page.context.close()


@pytest.mark.parametrize("role", ["support", "card desk", "finance", "operations", "auditor"])
def test_a_role_is_led_only_where_it_may_go(desk: Desk, role: str) -> None:
    hire("ann", role)
    desk.log_in("ann")
    links = desk.page.eval_on_selector_all("#content a", "found => found.map(link => link.getAttribute('href'))")
    assert links
    answers = {link: desk.page.request.get(desk.address + link).status for link in links}
    assert set(answers.values()) == {200}, answers


def test_it_speaks_chinese_when_asked(desk: Desk) -> None:
    hire("ann", is_superuser=True)
    desk.log_in("ann")
    desk.click("#language button[value=zh-hans]")
    assert "概览" in desk.text
    assert "At a glance" not in desk.text
    assert desk.page.get_attribute("html", "lang") == "zh-hans"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_are_accessible(
    chromium: Browser,  # noqa: F811
    address: str,  # noqa: F811
    rows: SimpleNamespace,  # noqa: F811
    scheme: str,
) -> None:
    hire("ann", is_superuser=True)
    customer = f"/admin/customers/member/{rows.member.pk}"
    paths = [
        "/admin/",
        f"{customer}/change/",
        f"{customer}/unmask/",
        "/admin/wechat/batch/",
        "/admin/loyalty/apiclient/add/",
    ]
    for viewport in (WIDE, PHONE):
        desk = Desk(chromium, address, viewport=viewport, color_scheme=scheme)
        desk.open("/admin/")
        assert serious(desk) == []
        desk.log_in("ann")
        for path in paths:
            desk.open(path)
            assert desk.overflow <= 0, (path, viewport)
            assert serious(desk) == [], (path, viewport)
        desk.page.context.close()


def serious(desk: Desk) -> list[str]:
    """What axe-core finds that keeps somebody from working."""
    violations = Axe().run(desk.page).response["violations"]
    return [
        json.dumps([found["id"], found["nodes"][0]["html"]])
        for found in violations
        if found["impact"] in ("serious", "critical")
    ]
