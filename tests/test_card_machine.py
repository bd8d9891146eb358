"""The life of cards as a machine: whatever three customers ask for, the cards are what a plain model says."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pytest_django import Settings

from cards.members import MemberStatus
from cards.models import Card, CardEvent
from customers.models import Member
from loyalty import authentication, encryption
from tests.conftest import Api, Printed, clear_rows, print_card
from wechat.models import Batch, PoolCard

CUSTOMERS, CARDS, STOCK = range(3), range(10), 3
ATTACHED = ("Registered", "Dormant", "InTransit")


@dataclass
class Model:
    """What a card should be. `turn` tells which was attached last."""

    status: str = "Active"
    owner: int | None = None
    turn: int = 0
    replaced_by: int | None = None


class Cards(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        clear_rows()
        self.printed = [print_card() for _ in range(len(CARDS) + STOCK)]
        self.model = [Model() for _ in self.printed]
        self.stock = list(range(len(CARDS), len(self.printed)))
        self.turns = 0
        batch = Batch.objects.create(state=Batch.State.DONE)
        for number in self.stock:
            card = self.printed[number]
            pin = encryption.seal(card.pin, owner=card.number)
            PoolCard.objects.create(number=card.number, pin=pin, customer_id=card.customer_id, batch=batch)
        members = [Member(status=MemberStatus.ACTIVE, user_name_key=f"m{who}") for who in CUSTOMERS]
        self.ids = [member.pk for member in Member.objects.bulk_create(members)]
        self.callers = [
            Api().with_headers(authorization=f"Bearer {authentication.issue_token(pk)[0]}") for pk in self.ids
        ]

    def ask(self, who: int, what: str, card: int, **more: Any) -> int:
        """The error code of the answer, 0 for none."""
        body = {"cardNumber": self.printed[card].number, **more}
        reply = self.callers[who].post(f"Customers/cards/{what}", body)
        return int(reply.json()["error"]["code"]) if reply.status_code != 200 else 0

    def attach(self, card: int, who: int, status: str) -> None:
        self.turns += 1
        self.model[card].status, self.model[card].owner, self.model[card].turn = status, who, self.turns

    def live(self, who: int) -> Model | None:
        return next((card for card in self.model if card.owner == who and card.status == "Registered"), None)

    def rest(self, who: int) -> None:
        if live := self.live(who):
            live.status = "Dormant"

    @rule(who=st.sampled_from(CUSTOMERS), card=st.sampled_from(CARDS), make_live=st.booleans())
    def add(self, who: int, card: int, make_live: bool) -> None:
        model = self.model[card]
        wanted = 106 if model.status in ATTACHED else 0 if model.status == "Active" else 108
        pin = self.printed[card].pin
        assert self.ask(who, "add", card, pin=pin, makeLive="Y" if make_live else "N") == wanted
        if not wanted:
            first = not any(other.owner == who and other.status in ATTACHED for other in self.model)
            if make_live or first:
                self.rest(who)
            self.attach(card, who, "Registered" if make_live or first else "Dormant")

    @rule(who=st.sampled_from(CUSTOMERS), card=st.sampled_from(CARDS))
    def delete(self, who: int, card: int) -> None:
        model = self.model[card]
        wanted = self.not_his(who, model) or (0 if model.owner == who and model.status == "Dormant" else 113)
        assert self.ask(who, "delete", card, reason="no need") == wanted
        if not wanted:
            model.status, model.owner = "Cancelled", None

    @rule(who=st.sampled_from(CUSTOMERS), card=st.sampled_from(range(len(CARDS) + STOCK)))
    def wake(self, who: int, card: int) -> None:
        model = self.model[card]
        sleeps = model.owner == who and model.status in ("Dormant", "InTransit")
        wanted = self.not_his(who, model) or (0 if sleeps else 113)
        assert self.ask(who, "wake", card) == wanted
        if not wanted:
            self.rest(who)
            model.status = "Registered"

    @rule(who=st.sampled_from(CUSTOMERS), card=st.sampled_from(CARDS), replace=st.booleans())
    def lose(self, who: int, card: int, replace: bool) -> None:
        model = self.model[card]
        named = {"Obsolete": 102, "InTransit": 111, "Registered": 0, "Dormant": 0}
        wanted = self.not_his(who, model) or named.get(model.status, 3012)
        if not wanted and replace and not self.stock:
            wanted = 4001
        asked = {"reasonCode": "Lost", "sendReplacement": "Y" if replace else "N"}
        assert self.ask(who, "lost", card, **asked) == wanted
        if wanted:
            return
        was_live, model.status = model.status == "Registered", "Obsolete"
        if replace:
            model.replaced_by = self.stock.pop(0)
            self.attach(model.replaced_by, who, "InTransit")
        dormant = [other for other in self.model if other.owner == who and other.status == "Dormant"]
        if was_live and dormant:
            max(dormant, key=lambda other: other.turn).status = "Registered"

    @staticmethod
    def not_his(who: int, model: Model) -> int:
        return 103 if model.owner not in (None, who) else 0

    @invariant()
    def the_database_agrees(self) -> None:
        there = {card.number: card for card in Card.objects.select_related("replaced_by")}
        for printed, model in zip(self.printed, self.model, strict=True):
            card = there[printed.number]
            owner = None if model.owner is None else self.ids[model.owner]
            replaced_by = None if model.replaced_by is None else self.number(model.replaced_by)
            found = (card.status, card.customer_id, card.replaced_by.number if card.replaced_by else None)
            assert found == (model.status, owner, replaced_by)

    @invariant()
    def history_leads_to_now(self) -> None:
        now = dict(Card.objects.values_list("pk", "status"))
        status = dict.fromkeys(now, "Active")
        for event in CardEvent.objects.order_by("pk"):
            assert event.source == status[event.card_id]
            status[event.card_id] = event.target
        assert status == now

    def number(self, card: int) -> str:
        printed: Printed = self.printed[card]
        return printed.number


@pytest.mark.timeout(240)
def test_any_history_of_requests_leaves_what_the_rules_say(database: None, settings: Settings) -> None:
    for limit in ("CARD_ADDS_PER_CUSTOMER_DAY", "CARD_MISSES_PER_CUSTOMER_HOUR", "REPLACEMENTS_PER_CUSTOMER_30DAYS"):
        setattr(settings, limit, 10_000)
    settings.WRITES_PER_CUSTOMER_MINUTE = 100_000
    run_state_machine_as_test(Cards, settings=THOROUGH)


THOROUGH = settings(
    max_examples=15, stateful_step_count=30, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
