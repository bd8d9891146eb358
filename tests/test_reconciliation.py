"""Each partner gets a file a day, receipt by receipt, which staff download in the admin."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from orders import reconciliation, tasks
from orders.models import PartnerTransaction, ReconciliationFile, RefusedTransaction
from tests.test_partner import Partner

DAY = date(2026, 7, 31)
MORNING = datetime(2026, 7, 31, 2, tzinfo=UTC)  # ten o'clock in Shanghai
NEXT_NIGHT = datetime(2026, 7, 31, 16, 21, tzinfo=UTC)


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.RECONCILIATION_DIR = tmp_path / "files"
    settings.LIMITS_SCALE = 1000
    return tmp_path / "files"


@pytest.fixture
def partner(database: None, folder: Path) -> Partner:
    """One who has reported some receipts of a day, and one before and one after it."""
    partner = Partner(partner_codes=["*"])
    midnight = datetime(2026, 7, 30, 16, tzinfo=UTC)
    for at, said in (
        (midnight - timedelta(seconds=1), {"receiptNumber": "yesterday"}),
        (midnight, {"receiptNumber": "first", "amount": "12.5"}),
        (MORNING, {"receiptNumber": "refused", "memIdentityNumber": "1-NOBODY"}),
        (MORNING + timedelta(hours=1), {"receiptNumber": "taken", "points": "-5"}),
        (MORNING + timedelta(hours=2), {"receiptNumber": "first", "amount": "13"}),
        (MORNING + timedelta(hours=3), {"receiptNumber": "taken", "points": "-5"}),
        (MORNING + timedelta(hours=4), {"receiptNumber": "shop", "partnerCode": "SHOP"}),
        (midnight + timedelta(days=1), {"receiptNumber": "tomorrow"}),
    ):
        with time_machine.travel(at, tick=False):
            partner.report(**said)
    return partner


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def run(at: datetime = NEXT_NIGHT) -> None:
    with time_machine.travel(at, tick=False):
        tasks.reconcile_partners()


def test_a_partners_day_is_told_receipt_by_receipt(partner: Partner, folder: Path) -> None:
    run()
    assert rows_of(folder / "AMS-2026-07-31.csv") == [
        ["receipt", "customer", "points", "amount", "result"],
        ["first", partner.mei.pk, "25", "12.50", "Accepted"],
        ["refused", "1-NOBODY", "25", "0.00", "InvalidMemberID"],
        ["taken", partner.mei.pk, "-5", "0.00", "Accepted"],
        ["first", partner.mei.pk, "25", "13.00", "DuplicateReceipt"],
    ]
    assert [row[0] for row in rows_of(folder / "SHOP-2026-07-31.csv")] == ["receipt", "shop"]
    assert (folder / "AMS-2026-07-30.csv").exists()
    assert not (folder / "AMS-2026-08-01.csv").exists()  # that day is not over
    made = ReconciliationFile.objects.get(partner_code="AMS", day=DAY)
    assert (made.accepted, made.refused) == (2, 2)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_file_is_made_once_and_a_missed_day_made_up_for(partner: Partner, folder: Path) -> None:
    run()
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    run()
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    run(NEXT_NIGHT + timedelta(days=3))
    assert set(folder.iterdir()) - set(before) == {folder / "AMS-2026-08-01.csv"}


def test_a_cell_is_no_formula(partner: Partner, folder: Path) -> None:
    said: dict[str, Any] = {
        "partner_code": "AMS",
        "source_code": "AMS",
        "amount": 1,
        "actor": "x",
        "created_at": MORNING,
    }
    for receipt in ("=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "a=1"):
        RefusedTransaction.objects.create(**said, receipt_number=receipt, points=-1, customer_id="=2", reason="=3")
    made = reconciliation.make("AMS", DAY)
    path = reconciliation.path_of("AMS", DAY)
    rows = [row for row in rows_of(path) if row[4] == "'=3"]
    assert [row[0] for row in rows] == ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "'\r=1", "a=1"]
    assert {tuple(row[1:4]) for row in rows} == {("'=2", "-1", "1.00")}
    assert made.refused == 9


def test_refused_transactions_are_forgotten_after_a_while(partner: Partner) -> None:
    run()
    assert RefusedTransaction.objects.count() == 2
    run(NEXT_NIGHT + reconciliation.KEPT + timedelta(days=1))
    assert RefusedTransaction.objects.count() == 0
    assert PartnerTransaction.objects.count() == 5


def test_staff_download_it(partner: Partner, folder: Path) -> None:
    run()
    row = ReconciliationFile.objects.get(partner_code="AMS", day=DAY)
    url = reverse("admin:orders_reconciliationfile_download", args=(row.pk,))
    staff = Client()
    staff.force_login(get_user_model().objects.create_superuser("chief"))
    assert f'href="{url}"' in staff.get(reverse("admin:orders_reconciliationfile_changelist")).content.decode()
    answer: Any = staff.get(url)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="AMS-2026-07-31.csv"'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(answer.streaming_content) == (folder / "AMS-2026-07-31.csv").read_bytes()

    clerk = Client()
    clerk.force_login(get_user_model().objects.create_user("clerk", is_staff=True))
    assert clerk.get(url).status_code == 403
    assert Client().get(url).headers["Location"].startswith("/admin/login/")
    (folder / "AMS-2026-07-31.csv").unlink()
    assert staff.get(url).status_code == 404
    assert staff.get(reverse("admin:orders_reconciliationfile_download", args=(0,))).status_code == 404
