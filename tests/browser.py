"""Debian's Chromium at the admin, which a thread of this process serves."""

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, sync_playwright

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if not found:
        if os.environ.get("CHROMIUM_NEEDED"):
            pytest.fail("Chromium is needed here.")
        pytest.skip("Chromium is not here: apt install chromium")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright has an event loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
        connections.close_all()  # this thread has others while the loop is there
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def address(database: None) -> Iterator[str]:
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert not thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


class Desk:
    """Somebody at the admin. Whatever the browser asks another host for, or complains of, is kept in `wrong`."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.address = address
        self.wrong: list[str] = []
        self.page: Page = browser.new_context(**{"locale": "en", **options}).new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def click(self, selector: str) -> None:
        """And wait for the page that it leads to."""
        with self.page.expect_navigation():
            self.page.click(selector)

    def log_in(self, name: str, code: str = "") -> None:
        self.open("/admin/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", PASSWORD)
        if code:
            self.page.fill("#id_otp_token", code)
        self.click("#login-form input[type=submit]")

    def find(self, term: str) -> None:
        self.page.fill("#find input[name=q]", term)
        self.page.press("#find input[name=q]", "Enter")
        self.page.wait_for_url(re.compile("/change/|q="))

    def act(self, action: str, reason: str) -> None:
        self.click(f".customer-actions button[value={action}]")
        self.page.fill("#id_reason", reason)
        self.click("#content input[type=submit]")

    @property
    def text(self) -> str:
        return self.page.inner_text("body")

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    def _note(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(url)
