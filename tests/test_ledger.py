"""The star ledger under many writers, its check, and the rules that the database itself keeps."""

import random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from structlog.testing import capture_logs

from customers.models import Member
from loyalty import errors
from orders import ledger, tasks, totals
from orders.ledger import Cause
from orders.models import StarEntry
from tests.conftest import at_once


def test_entries_of_ten_writers_at_once_add_up(database: None) -> None:
    member = Member.objects.create()

    def write(number: int) -> int:
        posted = 0
        for turn in range(5):
            points = random.Random(number * 100 + turn).choice([7, 3, -5])
            cause = Cause("test", f"{number} {turn}", "test")
            try:
                with transaction.atomic():
                    ledger.post(member_id=member.pk, kind="adjust", points=points, cause=cause)
                posted += points
            except errors.StarBalanceOutOfRange:
                pass
        return posted

    posted = at_once(10, write)
    member.refresh_from_db()
    assert member.star_balance == ledger.balance_of(member.pk) == sum(posted)
    assert StarEntry.objects.count() == StarEntry.objects.order_by("-position")[0].position


def test_the_check_finds_a_total_that_differs(
    database: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(totals, "AT_ONCE", 2)
    right = [Member.objects.create() for _ in range(5)]
    for member in right[:3]:
        with transaction.atomic():
            ledger.post(member_id=member.pk, kind="earn", points=5, cause=Cause("test", member.pk, "test"))
    call_command("check_stars")
    wrong = Member.objects.create(star_balance=7)
    with pytest.raises(CommandError, match="1 balances differ"):
        call_command("check_stars")
    assert f"{wrong.pk}: kept 7, entered 0" in capsys.readouterr().out
    with capture_logs() as logs:
        tasks.check_stars()
    assert [(entry["event"], entry["customer_id"]) for entry in logs] == [("stars_differ", wrong.pk)]


# The database's own rules


def entry(member: Member, **columns: Any) -> StarEntry:
    """Written past every function."""
    said = {"position": 1, "kind": "earn", "points": 5, "balance": 5, "source": "test", "key": "k", "actor": "test"}
    with transaction.atomic():
        return StarEntry.objects.create(member=member, **{**said, **columns})


@pytest.mark.parametrize(
    "columns",
    [
        {"balance": 6},
        {"position": 2},
        {"position": 0},
        {"kind": "redeem"},
        {"kind": "adjust", "points": 0, "balance": 0},
        {"points": -5, "balance": -5},
        {"kind": "redeem", "points": -5, "balance": -5},
        {"kind": "gift"},
    ],
    ids=repr,
)
def test_an_entry_that_does_not_follow_is_refused(database: None, columns: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        entry(Member.objects.create(), **columns)


def test_an_entry_follows_the_one_before_it(database: None) -> None:
    mei = Member.objects.create()
    entry(mei)
    for wrong in ({"position": 2, "balance": 5}, {"position": 3, "balance": 10}, {"position": 1}, {"position": 2}):
        with pytest.raises(IntegrityError):
            entry(mei, **{"key": "k2", **wrong})
    with pytest.raises(IntegrityError):
        entry(mei, position=2, balance=10)  # its key was entered before
    entry(mei, position=2, balance=10, key="k2")


@pytest.mark.embedded
def test_the_ledger_is_append_only(database: None) -> None:
    first = entry(Member.objects.create())
    for spoil in (
        lambda: StarEntry.objects.update(reason="other"),
        lambda: StarEntry.objects.filter(pk=first.pk).update(points=6, balance=6),
        lambda: StarEntry.objects.all().delete(),
        lambda: StarEntry.objects.filter(pk=first.pk)._raw_delete(using="default"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            spoil()
    first.refresh_from_db()
    assert (first.points, first.reason) == (5, "")


def test_a_total_that_differs_from_the_ledger_is_refused(database: None) -> None:
    mei = Member.objects.create()
    entry(mei)
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(pk=mei.pk).update(star_balance=6)
    Member.objects.filter(pk=mei.pk).update(star_balance=5)
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(pk=mei.pk).update(star_balance=0)


def test_a_key_is_entered_once(database: None) -> None:
    mei = Member.objects.create()
    cause = Cause(source="test", key="k", actor="test")
    with transaction.atomic():
        ledger.post(member_id=mei.pk, kind="earn", points=5, cause=cause)
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.post(member_id=mei.pk, kind="earn", points=5, cause=cause)
    assert ledger.balance_of(mei.pk) == 5
