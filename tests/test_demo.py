"""What a newcomer is given: demo data in a fresh folder, and that each thing in demo.json is what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

ELSEWHERE = "http://127.0.0.1:8123"
# Run in the demonstration's own process: tries everything in demo.json at the front door.
TRY = """
import json, sys
import django
django.setup()
from django.test import Client
from cards.models import Card
from customers.models import Member
from orders.models import StarEntry
from wechat.models import Batch, PoolCard

made = json.loads(sys.stdin.read())
client = Client()

def post(path, body):
    return client.post(f"/api/{path}", json.dumps(body), "application/json").json()

def log_in(person):
    answers = [post("Customers/login", {"user": person[name], "password": person["password"]})
               for name in ("userName", "email")]
    return [answer.get("customerId") or answer["error"]["code"] for answer in answers]

people = {"customer": made["customer"], **made["customers"]}
token = post("Customers/login", {"user": made["customer"]["email"], "password": made["customer"]["password"]})["token"]
mine = {"authorization": f"Bearer {token}"}
cards = client.get("/api/Customers/cards/list", headers=mine).json()
orders = client.get("/api/Customers/orders/list", {"pageNum": 1}, headers=mine).json()
rewards = client.get("/api/Customers/rewards", {"pageNum": 1}, headers=mine).json()
items = [client.get(f"/api/Orders/{order['orderId']}/items", headers=mine).json() for order in orders]
detail = client.get("/api/Customers/detail", headers=mine).json()
drawn = [client.get("/api/Wechats/getCard", headers={"x-api-key": made["api_key"]}) for _ in range(51)]
print(json.dumps({
    "staff": client.post("/admin/login/", {**made["staff"], "next": "/admin/"}).status_code == 302,
    "cards": {name: post("Cards/validate", card) for name, card in made["cards"].items()},
    "logins": {name: log_in(person) for name, person in people.items() if name != "TwoOnOnePhone"},
    "two": [log_in(person) for person in people["TwoOnOnePhone"]],
    "list": {card["cardNumber"]: card["status"] for card in cards},
    "orders": [(order["itemCount"], order["stars"]) for order in orders],
    "items": [len(listed) for listed in items],
    "rewards": [reward["status"] for reward in rewards],
    "stars": [detail["starBalance"], sum(StarEntry.objects.values_list("points", flat=True))],
    "drawn": [answer.status_code for answer in drawn],
    "counts": [Card.objects.count(), Member.objects.count(), PoolCard.objects.count(), Batch.objects.count()],
}))
"""


class Demonstration:
    """A folder of its own, with a database of its own and no Redis."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "demo.json"

    def run(self, *arguments: str, typed: str = "", **environment: str) -> str:
        mine = {"PATH": os.environ["PATH"], "VAR_DIR": str(self.folder), "PASSWORD_COST": "test"}
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env={**mine, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr[-2000:]
        return ended.stdout

    def made(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())
        return found


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    fresh = Demonstration(tmp_path_factory.mktemp("var"))
    fresh.run("manage.py", "migrate", "--verbosity=0")
    fresh.run("manage.py", "demo_data")
    return fresh


@pytest.fixture(scope="module")
def first(demonstration: Demonstration) -> dict[str, Any]:
    """What the first run wrote."""
    return demonstration.made()


@pytest.fixture(scope="module")
def second(demonstration: Demonstration, first: dict[str, Any]) -> dict[str, Any]:
    """What a second run at another address wrote."""
    demonstration.run("manage.py", "demo_data", BASE_URL=ELSEWHERE)
    return demonstration.made()


@pytest.fixture(scope="module")
def tried(demonstration: Demonstration, second: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(demonstration.run("-c", TRY, typed=json.dumps(second)))
    return answers


def test_the_file_has_everything_that_is_promised(demonstration: Demonstration, first: dict[str, Any]) -> None:
    assert list(first) == [
        *("base_url", "staff", "api_key", "sms_outbox", "mail_outbox", "card_files"),
        *("stores", "cards", "customer", "customers"),
    ]
    assert first["base_url"] == "http://127.0.0.1:8000"
    assert first["stores"].keys() == {"open", "closed"}
    assert first["staff"].keys() == {"username", "password"}
    people = first["customers"]
    assert people.keys() == {"EmailInactive", "PhoneUnverified", "PhoneUnverified2", "TwoOnOnePhone"}
    for person in (first["customer"], people["EmailInactive"], *people["TwoOnOnePhone"]):
        assert person.keys() == {"customerId", "userName", "email", "password", "cellPhone"}
    assert len({person["cellPhone"] for person in people["TwoOnOnePhone"]}) == 1
    assert (Path(first["card_files"]) / "cards_pool_data.csv").read_bytes() == (
        Path(settings.BASE_DIR) / "demo/data/cards_pool_data.csv"
    ).read_bytes()
    for name in ("sms_outbox", "mail_outbox", "card_files"):
        assert Path(first[name]).is_relative_to(demonstration.folder)


def test_the_file_is_its_owners_alone(demonstration: Demonstration, second: dict[str, Any]) -> None:
    assert demonstration.file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in demonstration.folder.glob("*.part")] == []


def test_a_second_run_keeps_everything_but_the_address(
    first: dict[str, Any], second: dict[str, Any], tried: dict[str, Any]
) -> None:
    assert second == {**first, "base_url": ELSEWHERE}
    assert tried["counts"] == [63, 68, 50, 1]


def test_each_card_is_in_the_state_it_is_named_after(tried: dict[str, Any]) -> None:
    over, taken = "CardExpiredOrCancelled", "CardAlreadyRegistered"
    assert {name: (card["state"], card["stateCode"]) for name, card in tried["cards"].items()} == {
        "Inactive": ("Inactive", "CardInactive"),
        "Active": ("Active", "CardActive"),
        "Registered": ("Registered", taken),
        "Dormant": ("Dormant", taken),
        "InTransit": ("InTransit", taken),
        "Obsolete": ("Obsolete", over),
        "Expired": ("Expired", over),
        "Cancelled": ("Cancelled", over),
        "Returned": ("Returned", over),
        "Abolished": ("Abolished", over),
        "ActiveExpired": ("Active", over),
        "MemberBlocked": ("Active", "CardActive"),
        "MemberClosed": ("Active", "CardActive"),
    }


def test_each_customer_can_log_in_or_cannot_as_named(second: dict[str, Any], tried: dict[str, Any]) -> None:
    assert tried["staff"] is True
    assert tried["logins"] == {
        "customer": [second["customer"]["customerId"]] * 2,
        "EmailInactive": [3016] * 2,
        "PhoneUnverified": [3099] * 2,
        "PhoneUnverified2": [3099] * 2,
    }
    two = [person["customerId"] for person in second["customers"]["TwoOnOnePhone"]]
    assert tried["two"] == [[customer_id] * 2 for customer_id in two]


def test_the_customer_has_cards_orders_and_rewards(second: dict[str, Any], tried: dict[str, Any]) -> None:
    own = {second["cards"][name]["cardNumber"]: name for name in ("Registered", "Dormant", "InTransit", "Obsolete")}
    assert tried["list"] == own
    assert [count for count, _ in tried["orders"]] == tried["items"]
    assert len(tried["orders"]) == 3
    earned = sum(stars for _, stars in tried["orders"])
    assert tried["stars"] == [earned - 5] * 2
    assert sorted(tried["rewards"]) == ["Expired", "Unused", "Used"]


def test_fifty_cards_can_be_drawn(tried: dict[str, Any]) -> None:
    assert tried["drawn"] == [200] * 50 + [400]


def test_a_database_in_use_is_left_alone(demonstration: Demonstration, tried: dict[str, Any]) -> None:
    demonstration.file.unlink()
    assert "no demo data was made" in demonstration.run("manage.py", "demo_data")
    assert not demonstration.file.exists()
