"""A partner's transaction whose worker is killed: reported again it counts once, whatever the moment was."""

import pytest
from pytest_django import Settings

from orders.models import PartnerTransaction, StarEntry
from tests.test_killed import dying, killed, request
from tests.test_partner import PATH, Partner, stars_add_up


@pytest.fixture
def partner(database: None, settings: Settings) -> Partner:
    settings.LIMITS_SCALE = 1000
    return Partner()


@pytest.mark.parametrize(
    ("kill_at", "entries"),
    [
        ("customers.stars:lock:after:1", 0),
        ("customers.stars:keep:before:1", 0),
        ("orders.ledger:post:after:1", 0),
        ("orders.partner_service:remember:after:1", 0),
        ("orders.siebel:record_transaction:after:1", 1),
    ],
)
def test_reported_again_it_counts_once(partner: Partner, kill_at: str, entries: int) -> None:
    killed(kill_at, request("POST", PATH, partner.said, **partner.api.headers))
    assert StarEntry.objects.count() == PartnerTransaction.objects.count() == entries
    assert stars_add_up(partner.mei) == 25 * entries
    answers = [partner.report().json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["starBalance"] == stars_add_up(partner.mei) == 25
    assert PartnerTransaction.objects.count() == 1


def test_who_waits_for_a_dying_one_is_taken(partner: Partner) -> None:
    first = request("POST", PATH, partner.said, **partner.api.headers)
    with dying("orders.partner_service:remember:after:1", first, linger=1):
        assert partner.report().json()["starBalance"] == 25
    assert stars_add_up(partner.mei) == 25
    assert StarEntry.objects.count() == 1
