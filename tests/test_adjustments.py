"""Staff give and take stars: one asks with a reason, a second person decides, and the ledger has it once."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from customers.models import Member
from orders import adjustments, ledger
from orders.models import StarAdjustment, StarEntry
from tests.conftest import at_once

LIST = reverse("admin:orders_staradjustment_changelist")
ADD = reverse("admin:orders_staradjustment_add")
VIEW, ASK, DECIDE = "view_staradjustment", "add_staradjustment", "approve_staradjustment"


def clerk(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def mei(database: None) -> Member:
    return Member.objects.create()


@pytest.fixture
def anna(database: None) -> Client:
    return clerk("anna", VIEW, ASK, DECIDE)


@pytest.fixture
def ben(database: None) -> Client:
    return clerk("ben", VIEW, DECIDE)


def ask(staff: Client, customer: Member, **changes: Any) -> Any:
    said = {"member": customer.pk, "kind": "adjust", "points": "25", "reason": "Goodwill", **changes}
    return staff.post(ADD, said)


def decide(staff: Client, action: str = "approve") -> str:
    """What staff are told who select every request."""
    selected = list(StarAdjustment.objects.values_list("pk", flat=True))
    answer = staff.post(LIST, {"action": action, "_selected_action": selected}, follow=True)
    return "\n".join(str(message) for message in answer.context["messages"]) if answer.status_code == 200 else "403"


def balance(member: Member) -> int:
    member.refresh_from_db()
    assert member.star_balance == ledger.balance_of(member.pk)
    return member.star_balance


def test_a_second_person_approves_and_the_ledger_has_it(mei: Member, anna: Client, ben: Client) -> None:
    assert ask(anna, mei).status_code == 302
    assert balance(mei) == 0
    asked = StarAdjustment.objects.get()
    assert "Approved: adjustment" in decide(ben)
    entry = StarEntry.objects.get()
    assert (entry.kind, entry.points, entry.reason, entry.source) == ("adjust", 25, "Goodwill", "staff")
    assert (entry.actor, entry.key) == ("anna, ben", f"adjustment {asked.pk}")
    asked.refresh_from_db()
    assert (asked.state, str(asked.requested_by), str(asked.decided_by)) == ("approved", "anna", "ben")
    assert asked.decided_at is not None
    assert balance(mei) == 25
    assert LogEntry.objects.filter(user__username="ben").get().get_change_message() == "Approved."
    assert "is approved already" in decide(ben)
    assert "is approved already" in decide(ben, "reject")
    assert balance(mei) == 25


def test_the_longest_names_are_no_obstacle(mei: Member) -> None:
    names = ["a" * 150, "b" * 150]
    asking, deciding = (clerk(name, VIEW, ASK, DECIDE) for name in names)
    ask(asking, mei)
    assert "Approved" in decide(deciding)
    assert balance(mei) == 25


def test_nobody_decides_his_own_request(mei: Member, anna: Client) -> None:
    ask(anna, mei)
    for action in ("approve", "reject"):
        assert "another person decides it" in decide(anna, action)
    assert StarAdjustment.objects.get().state == "requested"
    with pytest.raises(IntegrityError), transaction.atomic():
        StarAdjustment.objects.update(
            state="approved", decided_by=User.objects.get(username="anna"), decided_at="2026-01-01T00:00Z"
        )
    assert balance(mei) == 0


def test_a_rejected_request_moves_nothing(mei: Member, anna: Client, ben: Client) -> None:
    ask(anna, mei)
    assert "Rejected" in decide(ben, "reject")
    assert "is rejected already" in decide(ben)
    assert balance(mei) == 0


def test_stars_that_are_not_there_are_not_taken(mei: Member, anna: Client, ben: Client) -> None:
    ask(anna, mei, points="-1", kind="expire")
    assert "fall below zero" in decide(ben)
    assert StarAdjustment.objects.get().state == "requested"
    ask(anna, mei, points="5")
    decide(ben)
    decide(ben)  # now the first one can be met
    assert [entry.kind for entry in StarEntry.objects.order_by("pk")] == ["adjust", "expire"]
    assert balance(mei) == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"points": "0"}, "__all__"),
        ({"points": "5", "kind": "expire"}, "__all__"),
        ({"points": "10000000"}, "points"),
        ({"points": "1.5"}, "points"),
        ({"kind": "earn"}, "kind"),
        ({"member": "1-NOBODY"}, "member"),
        ({"reason": "x" * 201}, "reason"),
    ],
)
def test_a_request_is_checked(mei: Member, anna: Client, changes: dict[str, str], field: str) -> None:
    answer = ask(anna, mei, **changes)
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not StarAdjustment.objects.exists()


def test_each_may_do_what_he_is_allowed_to(mei: Member, anna: Client, ben: Client) -> None:
    assert ask(ben, mei).status_code == 403
    assert ask(anna, mei, decided_by=User.objects.get(username="ben").pk, state="approved").status_code == 302
    asked = StarAdjustment.objects.get()
    assert (asked.state, asked.decided_by) == ("requested", None)
    looker = clerk("carl", VIEW, ASK)
    assert "another" not in decide(looker)
    assert StarAdjustment.objects.get().state == "requested"
    page = reverse("admin:orders_staradjustment_change", args=(asked.pk,))
    assert anna.get(page).status_code == 200
    assert anna.post(page, {"points": "500"}).status_code == 403
    assert anna.get(reverse("admin:orders_staradjustment_delete", args=(asked.pk,))).status_code == 403


def test_two_who_approve_at_once_enter_it_once(mei: Member, anna: Client) -> None:
    ask(anna, mei)
    asked = StarAdjustment.objects.get()
    others = [User.objects.create_user(f"staff{number}", is_staff=True) for number in range(8)]

    def approve(number: int) -> bool:
        try:
            adjustments.approve(adjustment_id=asked.pk, by=others[number])
        except adjustments.Undecidable:
            return False
        return True

    assert sum(at_once(8, approve)) == 1
    assert balance(mei) == 25


def test_the_command_asks_and_a_person_approves(mei: Member, anna: Client, ben: Client) -> None:
    call_command("adjust_stars", mei.pk, "40", reason="Moved from the old system", by="anna")
    assert balance(mei) == 0
    assert "another person" in decide(anna)
    decide(ben)
    assert balance(mei) == 40


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"by": "nobody"}, "no active member of staff"),
        ({"reason": " "}, "blank"),
        ({"customer": "1-NOBODY"}, "1-NOBODY"),
        ({"points": "0"}, "not zero"),
    ],
)
def test_the_command_checks_what_it_is_told(mei: Member, anna: Client, changes: dict[str, str], message: str) -> None:
    said = {"customer": mei.pk, "points": "5", "reason": "Goodwill", "by": "anna", **changes}
    with pytest.raises(CommandError, match=message):
        call_command("adjust_stars", said.pop("customer"), said.pop("points"), **said)
    assert not StarAdjustment.objects.exists()
