"""The star ledger over long histories: whatever is asked of it, balance, kept total and the sum of entries agree."""

import random

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
