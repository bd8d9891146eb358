"""The star ledger as a machine: whatever partners report and staff decide, it is what a model in plain numbers says."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from pytest_django import Settings

from customers.models import Member
from loyalty import errors
from loyalty.scopes import Scope
from orders import adjustments, ledger
from orders.models import PartnerTransaction, StarEntry
from tests.conftest import Api, clear_rows, holding
from tests.test_partner import PATH, active

POINTS = st.sampled_from([0, 1, 2, 50, 700, 9_999_999, -1, -2, -50, -700, -9_999_999])
WHO = st.sampled_from(range(3))


@dataclass
class Balance:
    """What a customer has, and the points of each entry that made it."""

    total: int = 0
    entries: list[int] = field(default_factory=list)

    def takes(self, points: int) -> bool:
        return 0 <= self.total + points <= ledger.HIGHEST

    def add(self, points: int) -> None:
        self.total += points
        if points:
            self.entries.append(points)


class Stars(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        clear_rows()
        self.api = holding(Api(), Scope.PARTNER, source_codes=["AMS"], partner_codes=["AMS"])
        self.staff = [User.objects.create_user(name) for name in ("one", "two")]
        self.members = [active(f"member{number}") for number in range(3)]
        self.model = [Balance() for _ in self.members]
        self.receipts: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def report(self, **said: Any) -> Any:
        base = {"memIdentityType": "CRMMemberID", "partnerCode": "AMS", "sourceCode": "AMS", "typeCode": "Product"}
        body = {**base, "productCode": "SVC", "txnDate": "07/31/2026 18:30:00", **said}
        return self.api.post(PATH, body).json()

    @rule(who=WHO, points=POINTS)
    def receipt(self, who: int, points: int) -> None:
        said = {"memIdentityNumber": self.members[who].pk, "points": str(points), "receiptNumber": f"R{self.turn()}"}
        answer = self.report(**said)
        if self.model[who].takes(points):
            self.model[who].add(points)
            assert answer["starBalance"] == self.model[who].total
            self.receipts.append((said, answer))
        else:
            assert answer["error"]["code"] == 3102

    @precondition(lambda self: self.receipts)
    @rule(data=st.data())
    def the_same_again(self, data: st.DataObject) -> None:
        said, answer = data.draw(st.sampled_from(self.receipts))
        assert self.report(**said) == answer

    @precondition(lambda self: self.receipts)
    @rule(data=st.data(), points=POINTS)
    def the_same_number_with_other_content(self, data: st.DataObject, points: int) -> None:
        said, _ = data.draw(st.sampled_from(self.receipts))
        if str(points) != said["points"]:
            assert self.report(**{**said, "points": str(points)})["error"]["code"] == 3101

    @rule(who=WHO, points=POINTS.filter(bool), approves=st.booleans(), by=st.sampled_from(range(2)))
    def adjustment(self, who: int, points: int, approves: bool, by: int) -> None:
        one = self.staff[0]
        asked = adjustments.request(
            member_id=self.members[who].pk, kind="adjust", points=points, reason="goodwill", by=one
        )
        decide = adjustments.approve if approves else adjustments.reject
        try:
            decide(adjustment_id=asked.pk, by=self.staff[by])
        except adjustments.Undecidable:
            assert by == 0, "nobody decides his own"
        except errors.StarBalanceOutOfRange:
            assert not self.model[who].takes(points)
        else:
            assert by == 1
            if approves:
                self.model[who].add(points)

    @invariant()
    def everything_adds_up(self) -> None:
        for member, model in zip(self.members, self.model, strict=True):
            entries = list(StarEntry.objects.filter(member=member).order_by("position"))
            assert [entry.points for entry in entries] == model.entries
            assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
            kept = Member.objects.get(pk=member.pk).star_balance
            assert kept == ledger.balance_of(member.pk) == sum(model.entries) == model.total
        assert PartnerTransaction.objects.count() == len(self.receipts)

    def turn(self) -> int:
        return PartnerTransaction.objects.count() + 1


@pytest.mark.timeout(240)
def test_any_history_adds_up(database: None, settings: Settings) -> None:
    settings.LIMITS_SCALE = 100_000
    run_state_machine_as_test(Stars, settings=THOROUGH)


THOROUGH = settings(
    max_examples=15, stateful_step_count=30, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
