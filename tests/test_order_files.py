"""Orders and rewards come in from outside: by command or inbox, each once, with a verdict for each row."""

import json
import os
import time
from datetime import date, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from customers.models import Member
from loyalty.models import Store
from orders import file_forms, file_rows, imports, inbox, tasks
from orders.models import FileImport, Order, OrderDay, OrderItem, RejectedLine, Reward
from tests.conftest import at_once

ORDER_HEADER = ",".join([*file_forms.ORDERS.columns, *file_forms.ORDERS.items])
REWARD_HEADER = "code,customerId,name,description,status,issuedDate,expiryDate,usedDate"
ITEM = {"productCode": "TEA", "productName": "茶", "quantity": 2, "unitPrice": "16.00", "amount": "32"}
MEI, TOM = "1-MEI", "1-TOM"
ORDER: dict[str, Any] = {
    "number": "N-1",
    "customerId": MEI,
    "storeNumber": "1001",
    "orderDate": "07/31/2026 18:30:00",
    "totalAmount": "32.00",
    "currency": "CNY",
    "stars": 3,
    "items": [ITEM],
}
REWARD: dict[str, Any] = {
    "code": "R-1",
    "customerId": MEI,
    "name": "Birthday drink",
    "status": "Unused",
    "issuedDate": "07/01/2026",
    "expiryDate": "08/31/2026",
}
USED = {**REWARD, "status": "Used", "usedDate": "07/15/2026"}


@pytest.fixture(autouse=True)
def _shop(database: None) -> None:
    Store.objects.create(number="1001", name="Nanjing Road", is_open=False)
    Member.objects.create(customer_id=MEI)
    Member.objects.create(customer_id=TOM)


@pytest.fixture
def box(settings: Settings, tmp_path: Path) -> Path:
    settings.ORDER_INBOX_DIR = tmp_path
    return tmp_path


def jsonl(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def take(kind: str, content: bytes, name: str = "") -> FileImport:
    """Import a file's content, whatever its name says it is."""
    file_import = FileImport.objects.create(kind=kind, file_name=name or f"{kind}.jsonl", bytes_total=len(content))
    assert imports.run(file_import, BytesIO(content))
    return file_import


def counts(file_import: FileImport) -> tuple[int, int, int, int]:
    assert file_import.rows == file_import.added + file_import.updated + file_import.known + file_import.rejected
    assert file_import.rejected_lines.count() == file_import.rejected
    return file_import.added, file_import.updated, file_import.known, file_import.rejected


def command(name: str, *paths: Path, **options: Any) -> str:
    out = StringIO()
    call_command(name, *map(str, paths), stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_an_order_comes_from_json_lines_and_from_csv_alike(tmp_path: Path) -> None:
    csv, lines = tmp_path / "orders.csv", tmp_path / "orders.jsonl"
    head = f"N-1,{MEI},1001,07/31/2026 18:30:00,32.00,CNY,3"
    csv.write_text(f'\ufeff{ORDER_HEADER}\r\n{head},TEA,茶,2,16.00,32\r\n\r\n{head},CUP,"Cup, red",1,0,0.00\r\n')
    cup = {"productCode": "CUP", "productName": "Cup, red", "quantity": 1, "unitPrice": "0", "amount": "0.00"}
    lines.write_bytes(jsonl({**ORDER, "items": [ITEM, cup]}))
    assert command("import_orders", csv) == "orders.csv: 1 added, 0 updated, 0 known, 0 rejected\n"
    order = Order.objects.get()
    assert (order.number, order.member_id, order.store.number, order.stars, order.item_count) == (
        "N-1",
        MEI,
        "1001",
        3,
        2,
    )
    assert order.ordered_at.isoformat() == "2026-07-31T10:30:00+00:00"
    assert [(item.product_name, str(item.amount)) for item in order.items.all()] == [
        ("茶", "32.00"),
        ("Cup, red", "0.00"),
    ]
    assert command("import_orders", lines) == "orders.jsonl: 0 added, 0 updated, 1 known, 0 rejected\n"
    assert OrderItem.objects.count() == 2
    assert OrderDay.objects.get().orders == 1


def test_a_reward_comes_once_and_is_used_once(tmp_path: Path) -> None:
    path = tmp_path / "rewards.csv"
    path.write_text(f"{REWARD_HEADER}\nR-1,{MEI},Birthday drink,,Unused,07/01/2026,08/31/2026,\n")
    assert "1 added" in command("import_rewards", path)
    reward = Reward.objects.get()
    assert (reward.status, reward.expiry_date, reward.used_at) == ("Unused", date(2026, 8, 31), None)
    for said, wanted, status in (
        (REWARD, (0, 0, 1, 0), "Unused"),
        ({**REWARD, "status": "Expired"}, (0, 1, 0, 0), "Expired"),
        (REWARD, (0, 0, 1, 0), "Expired"),  # older news
        (USED, (0, 1, 0, 0), "Used"),
        (USED, (0, 0, 1, 0), "Used"),
        ({**REWARD, "status": "Expired"}, (0, 0, 1, 0), "Used"),
        ({**USED, "customerId": TOM}, (0, 0, 0, 1), "Used"),
    ):
        assert counts(take("rewards", jsonl(said))) == wanted
        reward.refresh_from_db()
        assert reward.status == status
    assert timezone.localdate(reward.used_at) == date(2026, 7, 15)


def test_a_row_that_comes_twice_in_a_file_is_taken_once() -> None:
    other = {**ORDER, "stars": 4}
    assert counts(take("orders", jsonl(ORDER, ORDER, other, {**ORDER, "number": "N-2"}))) == (2, 0, 1, 1)
    assert RejectedLine.objects.get().reason == "The number is known with other content."
    assert counts(take("rewards", jsonl(REWARD, USED, REWARD))) == (1, 1, 1, 0)
    assert Reward.objects.get().status == "Used"


BAD_ORDERS: list[tuple[dict[str, Any] | bytes, str]] = [
    ({**ORDER, "customerId": "1-NOBODY"}, "The customer is unknown."),
    ({**ORDER, "storeNumber": "9"}, "The store is unknown."),
    ({**ORDER, "customerId": "mei"}, "customerId: It does not have the right form."),
    ({**ORDER, "orderDate": "2026-07-31"}, "orderDate: Not a time"),
    ({**ORDER, "totalAmount": "1E+2"}, "totalAmount: It does not have the right form."),
    ({**ORDER, "totalAmount": 32}, "totalAmount: Not a valid string."),
    ({**ORDER, "currency": "yuan"}, "currency: "),
    ({**ORDER, "stars": "x"}, "stars: "),
    ({**ORDER, "items": []}, "items.non_field_errors: This list may not be empty."),
    ({**ORDER, "items": [{**ITEM, "quantity": 0}]}, "items.0.quantity: "),
    ({**ORDER, "items": "TEA"}, "items.non_field_errors: "),
    *(({**ORDER, "number": number}, "number: ") for number in ("=1 +1", "\0", "\ud800", "x" * 61, 7, ["x"], {"x": 1})),
    ({name: value for name, value in ORDER.items() if name != "number"}, "number: This field is required."),
    (b"[1]\n", "Not an object."),
    (b"{\n", "Not JSON."),
    (b'{"number": "1", "number": "2"}\n', "A name stands in it twice."),
    (b'{"number": "\xff"}\n', "It is not UTF-8."),
    (b'{"number": "' + b"x" * 70_000 + b'"}\n', "The line is too long."),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_ORDERS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_bad_order_is_named_and_those_around_it_are_taken(bad: Any, reason: str) -> None:
    raw = bad if isinstance(bad, bytes) else jsonl(bad)
    taken = take("orders", jsonl({**ORDER, "number": "A"}) + raw + jsonl({**ORDER, "number": "B"}))
    assert counts(taken) == (2, 0, 0, 1)
    line = RejectedLine.objects.get()
    assert (line.line, line.reason[: len(reason)]) == (2, reason)
    assert list(Order.objects.order_by("number").values_list("number", flat=True)) == ["A", "B"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "Used"}, "usedDate: "),
        ({"usedDate": "07/15/2026"}, "usedDate: "),
        ({"status": "Gone"}, "status: "),
        ({"issuedDate": ""}, "issuedDate: "),
        ({"expiryDate": "13/01/2026"}, "expiryDate: "),
        ({"customerId": "1-NOBODY"}, "The customer is unknown."),
    ],
)
def test_a_bad_reward_is_rejected(changes: dict[str, str], reason: str) -> None:
    assert counts(take("rewards", jsonl({**REWARD, **changes}))) == (0, 0, 0, 1)
    assert RejectedLine.objects.get().reason.startswith(reason)


def test_the_lines_of_one_csv_order_must_agree() -> None:
    head = f"N-1,{MEI},1001,07/31/2026 18:30:00,32.00,CNY"
    rows = [f"{head},3,TEA,Tea,1,1,1", f"{head},4,CUP,Cup,1,1,1", f"N-2{head[3:]},3,TEA,Tea,1,1,1", "N-3,short"]
    taken = take("orders", "\n".join([ORDER_HEADER, *rows]).encode(), "orders.csv")
    assert counts(taken) == (1, 0, 0, 2)
    assert list(RejectedLine.objects.values_list("line", "name", "reason")) == [
        (2, "N-1", "Its lines contradict each other."),
        (5, "", "It has 2 cells instead of 12."),
    ]


def test_an_order_without_end_is_not_gathered() -> None:
    line = f"N-1,{MEI},1001,07/31/2026 18:30:00,32.00,CNY,3,TEA,Tea,1,1,1"
    lines = [ORDER_HEADER, *[line] * (file_rows.MOST_ITEMS + 3), line.replace("N-1", "N-2")]
    assert counts(take("orders", "\n".join(lines).encode(), "orders.csv")) == (1, 0, 0, 1)
    assert RejectedLine.objects.get().reason == "It has more than 1000 items."


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("orders.csv", b"number,customer\n", "The header is not number,"),
        ("orders.csv", b"", "The header is not number,"),
        ("orders.csv", b'"number\n', "The header: Its quotes don't match."),
        ("orders.csv", ORDER_HEADER.encode("utf-16"), "The header: It is not UTF-8."),
        ("orders.xls", b"", "The name ends neither in"),
    ],
)
def test_a_file_that_is_none_fails_as_a_whole(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CommandError, match=problem):
        command("import_orders", path)
    assert FileImport.objects.get().state == "failed"
    with pytest.raises(CommandError, match="can't be read"):
        command("import_orders", tmp_path / "nothing.csv")


def test_the_command_tells_each_rejected_row_or_every_one(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_bytes(jsonl(ORDER, {**ORDER, "number": "N-2", "storeNumber": "9"}))
    rejected = "line 2 N-2: rejected The store is unknown.\n"
    assert command("import_orders", path).startswith(rejected)
    assert command("import_orders", path, verbosity=2).startswith(f"line 1 N-1: known\n{rejected}")


# Long files


def many(count: int) -> bytes:
    return jsonl(*({**ORDER, "number": f"N-{number}"} for number in range(count)))


def test_an_interrupted_import_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK", 10)
    content = many(45)
    file_import = FileImport.objects.create(kind="orders", file_name="orders.jsonl", bytes_total=len(content))

    def die(verdicts: Any) -> None:
        if verdicts[-1].line == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imports.run(file_import, BytesIO(content), die)
    file_import.refresh_from_db()
    assert (file_import.state, file_import.line, Order.objects.count()) == ("importing", 20, 20)
    assert 40 <= file_import.percent <= 50
    assert imports.run(file_import, BytesIO(content)) is False  # its lease still runs
    FileImport.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert imports.run(file_import, BytesIO(content)) is True
    assert counts(file_import) == (45, 0, 0, 0)
    assert (file_import.state, file_import.percent, Order.objects.count()) == ("done", 100, 45)


def test_a_file_that_kills_its_importers_is_given_up() -> None:
    file_import = FileImport.objects.create(kind="orders", file_name="orders.jsonl", attempts=imports.MAX_ATTEMPTS)
    assert imports.run(file_import, BytesIO(many(1))) is True
    assert (file_import.state, Order.objects.count()) == ("failed", 0)


def test_one_file_imported_four_times_at_once_adds_each_order_once() -> None:
    taken = at_once(4, lambda _: counts(take("orders", many(600))))
    assert sum(added for added, _, _, _ in taken) == Order.objects.count() == 600
    assert sum(known for _, _, known, _ in taken) == 1800
    assert OrderDay.objects.get().orders == 600


def test_the_number_of_queries_a_chunk_does_not_grow(django_assert_max_num_queries: Any) -> None:
    for count in (2, 400):
        Order.objects.all().delete()
        with django_assert_max_num_queries(25):
            take("orders", many(count))


# The inbox


def leave(box: Path, name: str, content: bytes, *, seconds_ago: float = 60) -> Path:
    path = box / name
    path.write_bytes(content)
    then = time.time() - seconds_ago
    os.utime(path, (then, then))
    return path


def names(box: Path) -> list[str]:
    return sorted(str(path.relative_to(box)) for path in box.rglob("*") if not path.is_dir())


def test_files_of_the_inbox_are_imported_and_put_away(box: Path) -> None:
    leave(box, "orders-1.jsonl", jsonl(ORDER))
    leave(box, "rewards.csv", f"{REWARD_HEADER}\n".encode())
    leave(box, "orders-bad.csv", b"x\n")
    leave(box, "orders-new.jsonl", jsonl(ORDER), seconds_ago=1)
    leave(box, "notes.csv", b"")
    leave(box, "orders x.csv", b"")
    (box / "orders-link.csv").symlink_to(box / "notes.csv")
    (box / "orders-folder.csv").mkdir()
    tasks.import_files()
    numbers = {imported.file_name: imported.pk for imported in FileImport.objects.all()}
    assert names(box) == sorted(
        [
            f"done/{numbers['orders-1.jsonl']}-orders-1.jsonl",
            f"done/{numbers['rewards.csv']}-rewards.csv",
            f"failed/{numbers['orders-bad.csv']}-orders-bad.csv",
            *("notes.csv", "orders x.csv", "orders-link.csv", "orders-new.jsonl"),
        ]
    )
    assert Order.objects.count() == 1
    assert inbox.import_all() == 0


def test_a_file_whose_importer_died_is_found_again(box: Path) -> None:
    (box / "working").mkdir()
    begun, adopted = "0123abcd-orders.jsonl", "4567abcd-orders-2.jsonl"  # of the second one it left no row
    leave(box / "working", begun, many(25))
    leave(box / "working", adopted, jsonl(ORDER))
    FileImport.objects.create(
        kind="orders",
        file_name="orders.jsonl",
        working_name=begun,
        line=10,
        attempts=1,
        leased_until=timezone.now() + timedelta(seconds=60),
    )
    assert inbox.import_all() == 1
    assert Order.objects.count() == 1
    FileImport.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert inbox.import_all() == 1
    assert {imported.state for imported in FileImport.objects.all()} == {"done"}
    assert counts(FileImport.objects.get(working_name=begun)) == (15, 0, 0, 0)
    assert len(names(box)) == len(list((box / "done").iterdir())) == 2


def test_two_workers_share_one_inbox(box: Path) -> None:
    for number in range(6):
        leave(box, f"orders-{number}.jsonl", jsonl({**ORDER, "number": f"N-{number}"}))
    assert None not in at_once(3, lambda _: inbox.import_all())
    inbox.import_all()
    assert Order.objects.count() == FileImport.objects.filter(state="done").count() == 6
    assert len(names(box)) == 6


def test_a_reward_expires_behind_its_last_day() -> None:
    today = timezone.localdate()
    days = {"over": today - timedelta(1), "today": today, "never": None}
    for code, day in days.items():
        Reward.objects.create(member_id=MEI, code=code, name=code, expiry_date=day)
    used = {"status": "Used", "used_at": timezone.now()}
    Reward.objects.create(member_id=MEI, code="used", name="used", expiry_date=days["over"], **used)
    for _ in range(2):
        tasks.expire_rewards()
    statuses = dict(Reward.objects.values_list("code", "status"))
    assert statuses == {"over": "Expired", "today": "Unused", "never": "Unused", "used": "Used"}
