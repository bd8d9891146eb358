"""The first page: what a shift needs at a glance, for each role its own."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Member
from sms.models import Desk
from staff.day_counts import per_day
from staff.models import DayCount
from tests.test_admin import rows  # noqa: F401 (a fixture)
from tests.test_roles import in_role
from wechat.models import Batch


@pytest.fixture
def staff(database: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


def titles(client: Client) -> list[str]:
    return [panel.key for panel, _ in client.get("/admin/").context["panels"]]


def test_each_role_has_its_own_panels(rows: SimpleNamespace) -> None:  # noqa: F811
    seen = {role: set(titles(in_role(role))) for role in ("support", "card desk", "finance", "operations", "auditor")}
    everything = {"registrations", "messages", "pool", "batches", "adjustments", "siebel"}
    assert seen == {
        "support": {"registrations", "messages", "adjustments"},
        "card desk": {"pool", "batches"},
        "finance": {"registrations", "adjustments"},
        "operations": {"messages", "batches", "siebel"},
        "auditor": everything,
    }


def test_it_shows_what_is_under_way_and_what_is_wrong(rows: SimpleNamespace, staff: Client) -> None:  # noqa: F811
    Batch.objects.update(state="importing")
    Desk.objects.update_or_create(pk=1, defaults={"alarms": {"waiting": "2026-11-24 09:00"}})
    shown = staff.get("/admin/").content.decode()
    assert '<progress max="100" value="25"' in shown
    assert "a message has waited for more than 60 seconds (2026-11-24 09:00)" in shown
    assert "<dt>cards in the pool</dt><dd>1</dd>" in shown
    rows.pool_card.delete()
    assert "The card pool is empty." in staff.get("/admin/").content.decode()


def test_days_that_are_over_are_counted_once(database: None) -> None:
    now = timezone.now()
    for back in (0, 0, 1, 5, 5, 5, 40):
        Member.objects.create(registered_at=now - timedelta(days=back))

    def counted() -> dict[date, int]:
        return {day: count for day, count in per_day("x", Member.objects.all(), "registered_at").items() if count}

    today = timezone.localdate()
    expected = {today - timedelta(days=5): 3, today - timedelta(days=1): 1, today: 2}
    assert counted() == expected
    assert DayCount.objects.count() == 12
    Member.objects.create(registered_at=now)
    Member.objects.create(registered_at=now - timedelta(days=5))
    assert counted() == {**expected, today: 3}


def test_it_asks_the_database_a_fixed_number_of_times(rows: SimpleNamespace, staff: Client) -> None:  # noqa: F811
    staff.get("/admin/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        staff.get("/admin/")
    Member.objects.bulk_create(Member(registered_at=timezone.now()) for _ in range(50))
    Batch.objects.bulk_create(Batch(file_name=f"{number}.csv") for number in range(20))
    with CaptureQueriesContext(connection) as many:
        staff.get("/admin/")
    assert len(many) == len(few)
