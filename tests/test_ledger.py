"""The star ledger over long histories: whatever is asked of it, balance, kept total and the sum of entries agree."""

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

SIGNS = {"earn": 1, "redeem": -1, "expire": -1, "adjust": 0}


class History:
    """A model of the ledger in plain numbers, beside the real one."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.members = [Member.objects.create() for _ in range(3)]
        self.balances = dict.fromkeys([member.pk for member in self.members], 0)
        self.keys: list[str] = []

    def step(self) -> None:
        member_id = self.dice.choice(self.members).pk
        kind = self.dice.choice([*SIGNS])
        points = self.dice.choice([1, 2, 50, 700, ledger.HIGHEST]) * (SIGNS[kind] or self.dice.choice([1, -1]))
        repeats = bool(self.keys) and self.dice.random() < 0.2
        key = self.dice.choice(self.keys) if repeats else f"k{len(self.keys)}"
        fails = self.dice.random() < 0.1
        fits = 0 <= self.balances[member_id] + points <= ledger.HIGHEST
        try:
            with transaction.atomic():
                ledger.post(member_id=member_id, kind=kind, points=points, cause=Cause("test", key, "test"))
                if fails:
                    raise ZeroDivisionError
        except errors.StarBalanceOutOfRange:
            assert not fits
        except IntegrityError:
            assert fits
            assert repeats
        except ZeroDivisionError:
            assert fits
            assert not repeats
        else:
            assert fits
            assert not repeats
            self.keys.append(key)
            self.balances[member_id] += points

    def holds(self) -> None:
        for member in self.members:
            entries = list(StarEntry.objects.filter(member=member).order_by("position"))
            member.refresh_from_db()
            assert member.star_balance == ledger.balance_of(member.pk) == self.balances[member.pk]
            assert sum(entry.points for entry in entries) == member.star_balance
            assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
        assert StarEntry.objects.count() == len(self.keys) == len(set(self.keys))


@pytest.mark.parametrize("seed", range(6))
def test_a_random_history_adds_up_after_every_step(database: None, seed: int) -> None:
    history = History(seed)
    for _ in range(60):
        history.step()
        history.holds()


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
