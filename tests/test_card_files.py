"""Card files: taken by part or by name, read line by line, each card pooled once, nothing else of the disk reached."""

import os
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from cards.members import MemberStatus
from cards.models import Card, CardStatus
from customers.models import Member
from loyalty import relay
from loyalty.scopes import Scope
from tests.conftest import Api, code_of, csv_file, ended, holding, print_card
from wechat import pool, tasks
from wechat.models import Batch, PoolCard

TWO = "msrCard,pin\n6101,1111\n6102,2222\n"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """The file server's folder, with a card file beside it that is none of its business."""
    settings.CARD_FILES_DIR, settings.CARD_SPOOL_DIR = tmp_path / "sftp", tmp_path / "spool"
    settings.CARD_FILES_DIR.mkdir()
    (tmp_path / "x.csv").write_text(TWO)
    return tmp_path / "sftp"


@pytest.fixture
def loader(api: Api, folder: Path) -> Api:
    return holding(api, Scope.WECHAT_LOAD)


@pytest.fixture
def wechat(loader: Api) -> Api:
    return holding(loader, Scope.WECHAT)


def load(loader: Api, text: str | bytes, name: str = "cards.csv") -> Batch:
    """Upload a file and wait until it has been imported."""
    reply = loader.form("Wechats/uploadCard", {"fileName": csv_file(text, name)})
    assert reply.json()["success"] is True, reply.content
    return ended(reply.json()["batchId"])


def name_file(loader: Api, name: str) -> Any:
    return loader.post("Wechats/uploadCard", {"fileName": name})


def counts(batch: Batch) -> tuple[int, int, int, int]:
    return batch.rows, batch.imported, batch.duplicates, batch.rejected


def reasons(batch: Batch) -> dict[int, str]:
    return dict(batch.rejected_rows.values_list("line", "reason"))


# Ways in


def test_an_uploaded_file_is_kept_on_the_server_and_imported(loader: Api, folder: Path) -> None:
    batch = load(loader, TWO, "june.csv")
    assert (batch.state, batch.file_name, *counts(batch)) == ("done", "june.csv", 2, 2, 0, 0)
    assert (batch.bytes_read, batch.bytes_total, batch.percent) == (len(TWO), len(TWO), 100)
    assert (folder / "june.csv").read_text() == TWO
    assert (folder / "june.csv").stat().st_mode & 0o777 == 0o600
    assert list(folder.parent.glob("spool/*")) == []


@pytest.mark.parametrize("body", [{"fileName": "june.csv"}, {}])
def test_a_file_on_the_server_is_named_or_the_default(loader: Api, folder: Path, body: dict[str, str]) -> None:
    (folder / body.get("fileName", "cards_pool_data.csv")).write_text(TWO)
    reply = loader.post("Wechats/uploadCard", body)
    assert counts(ended(reply.json()["batchId"])) == (2, 2, 0, 0)


def test_each_card_of_a_file_is_drawn_with_its_pin_and_member(loader: Api, wechat: Api) -> None:
    load(loader, "msrCard,pin,customerId,endDate\n6101,0011,1-AB,07/31/2099\n6102,0022,,\n")
    first, second = wechat.get("Wechats/getCard").json(), wechat.get("Wechats/getCard").json()
    assert first == {"msrCard": "6101", "pin": "0011", "customerId": "1-AB"}
    assert second == {"msrCard": "6102", "pin": "0022", "customerId": Card.objects.get(number="6102").member_id}
    assert str(Card.objects.get(number="6101").end_date) == "2099-07-31"
    assert set(PoolCard.objects.values_list("status", "pin")) == {("Issued", "")}


# The header


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffmsrCard,pin\n6101,1111\n",
        "msrCard,pin\r\n6101,1111\r\n",
        "msrCard,pin\n6101,1111",
        '"msrCard","pin"\n"6101","1111"\n',
        "msrCard,pin,customerId\n6101,1111,1-AB\n",
        "msrCard,pin,endDate\n6101,1111,12/31/2099\n",
        "msrCard,pin,customerId,endDate\n6101,1111,1-AB,12/31/2099\n",
    ],
)
def test_a_header_is_good(loader: Api, text: str) -> None:
    assert counts(load(loader, text)) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "6101,1111\n",
        "msrCard\n",
        "pin,msrCard\n",
        "msrCard, pin\n",
        " msrCard,pin\n",
        "MSRCARD,PIN\n",
        "msrCard;pin\n",
        "msrCard,pin,\n",
        "msrCard,pin,endDate,customerId\n",
        "msrCard,customerId,pin\n",
        "msrCard,pin,customerId,endDate,more\n",
        '"msrCard,pin\n',
        "msrCard,pin" + " " * 5000,
        "msrCard,pin\n".encode("utf-16"),
        "msrCard,pin\n".encode("utf-16-be"),
        b"PK\x03\x04\xff",
    ],
    ids=repr,
)
def test_another_header_is_refused_at_once(loader: Api, folder: Path, text: str | bytes) -> None:
    raw = text.encode() if isinstance(text, str) else text
    (folder / "named.csv").write_bytes(raw)
    assert code_of(name_file(loader, "named.csv")) == 4002
    if raw:  # a form can't carry an empty file
        assert code_of(loader.form("Wechats/uploadCard", {"fileName": csv_file(raw)})) == 4002
    assert Batch.objects.count() == 0
    assert sorted(path.name for path in folder.iterdir()) == ["named.csv"]


# The name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../x.csv", 4007),
        ("../sftp/good.csv", 4007),
        ("./good.csv", 4007),
        ("%2e%2e/x.csv", 4007),
        ("%2e%2e%2fx.csv", 4007),
        ("/etc/x.csv", 4007),
        ("a\\..\\b.csv", 4007),
        ("．．／x.csv", 4007),
        (".hidden.csv", 4007),
        (".csv", 4007),
        ("missing.csv", 4007),
        ("a" * 297 + ".csv", 4007),
        ("a" * 5000 + ".csv", 4007),
        ("good.csv\0.csv", 4007),
        ("\ud800.csv", 4007),
        ("link.csv", 4007),
        ("directory.csv", 4007),
        ("pipe.csv", 4007),
        ("good.CSV", 4003),
        ("good", 4003),
        ("good.csv.exe", 4003),
        ("../x", 4003),
        ("good.csv\n", 4003),
        ("good.csv\0", 4003),
        ("good.csv ", 4003),
        (" good.csv", 4007),
        ("a" * 301, 4003),
        ("", 422),
    ],
)
def test_a_name_reaches_nothing_but_a_file_of_the_folder(loader: Api, folder: Path, name: str, code: int) -> None:
    (folder / "good.csv").write_text(TWO)
    (folder / "link.csv").symlink_to(folder / "good.csv")
    (folder / "directory.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    assert code_of(name_file(loader, name)) == code
    assert Batch.objects.count() == 0


def test_without_its_folder_nothing_is_found(loader: Api, settings: Settings, folder: Path) -> None:
    settings.CARD_FILES_DIR = folder / "none"
    assert code_of(name_file(loader, "good.csv")) == 4007
    settings.CARD_FILES_DIR = folder.parent / "x.csv"
    batch = load(loader, TWO)
    assert (batch.state, batch.problem) == ("failed", "Directory or file not found.")
    assert PoolCard.objects.count() == 0


def sent(loader: Api, part: str = 'name="fileName"; filename="up.csv"', end: str = "--b--\r\n") -> Any:
    head = f"Content-Disposition: form-data; {part}\r\nContent-Type: text/csv"
    body = f"--b\r\n{head}\r\n\r\n{TWO}\r\n{end}".encode()
    return loader.post("Wechats/uploadCard", body, content_type="multipart/form-data; boundary=b")


@pytest.mark.parametrize("name", ["../../up.csv", "/etc/up.csv", "C:\\\\cards\\\\up.csv"])
def test_an_upload_whose_name_is_a_path_is_refused(loader: Api, folder: Path, name: str) -> None:
    assert code_of(sent(loader, f'name="fileName"; filename="{name}"')) == 4007
    assert not Batch.objects.exists()


def test_a_file_in_another_part_is_not_passed_over(loader: Api, folder: Path) -> None:
    assert code_of(sent(loader, 'name="file"; filename="up.csv"')) == 422
    assert not Batch.objects.exists()


def test_an_upload_that_breaks_off_is_no_file(loader: Api, folder: Path) -> None:
    for end in ("", "--b", "--b-"):
        assert code_of(sent(loader, end=end)) == 422
    assert not Batch.objects.exists()
    assert sent(loader).status_code == 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("cards (1).csv", "cards-1-4d8f3542.csv"),
        ("卡片.csv", "cards-6b97f916.csv"),
        ("卡片 6月.csv", "6-721ef230.csv"),
        ("=1+1.csv", "1-1-a4a90631.csv"),
        ("-rf.csv", "rf-809b65c5.csv"),
        (".csv", "cards-b9ce43c2.csv"),
        ("a" * 150 + ".csv", "a" * 60 + "-9707d50a.csv"),
    ],
)
def test_an_upload_s_name_is_a_label_and_kept_under_a_plain_one(
    loader: Api, folder: Path, sent: str, kept: str
) -> None:
    batch = load(loader, TWO, sent)
    assert (batch.state, batch.sent_as, batch.file_name) == ("done", sent, kept)
    assert [path.name for path in folder.iterdir()] == [kept]


def test_two_labels_are_never_kept_under_one_name(loader: Api) -> None:
    names = {
        load(loader, TWO, sent).file_name for sent in ("卡片.csv", "会员.csv", "cards.csv", "cards-.csv", "cards .csv")
    }
    assert len(names) == 5


def test_an_upload_replaces_a_link_and_not_what_it_leads_to(loader: Api, folder: Path) -> None:
    (folder / "link.csv").symlink_to(folder.parent / "x.csv")
    load(loader, "msrCard,pin\n6109,9999\n", "link.csv")
    assert (folder.parent / "x.csv").read_text() == TWO
    assert not (folder / "link.csv").is_symlink()


def test_a_file_that_went_away_fails_its_batch_with_a_reason(database: None, folder: Path) -> None:
    (folder / "gone.csv").write_text(TWO)
    batch_id = name_file(holding(Api(), Scope.WECHAT_LOAD), "gone.csv").json()["batchId"]
    (folder / "gone.csv").unlink()
    relay.sweep()
    assert ended(batch_id).problem == "Directory or file not found."


# The lines

BAD_LINES: list[tuple[str | bytes, str]] = [
    ("6100000000000001", "1 cells"),
    ("6100000000000001,777001,more", "3 cells"),
    (",777002", "msrCard"),
    ("610,777003", "msrCard"),
    ("6" * 31 + ",777004", "msrCard"),
    ("６１０１０１,777005", "msrCard"),
    ("6100 0001,777006", "msrCard"),
    (" 61000001,777007", "msrCard"),
    ("6100-0001,777008", "msrCard"),
    ("=cmd()|'/C calc'!A0,777009", "msrCard"),
    ("+61000001,777010", "msrCard"),
    ("@61000001,777011", "msrCard"),
    ("61000001\0,777012", "msrCard"),
    ("61000001,", "pin"),
    ("61000001,777", "pin"),
    ("61000001,77701377701377701", "pin"),
    ("61000001,７７７０１４", "pin"),
    ("61000001,=777015", "pin"),
    ("61000001, 777016", "pin"),
    ('"61000001,777017', "quotes"),
    ('61000001,"777018', "quotes"),
    ('61000001,"7770"19', "quotes"),
    ("61000001,777020\r61000002,777021", "quotes"),
    (b"6100\xff01,777022", "UTF-8"),
    ("61000001,777023".encode("utf-16"), "UTF-8"),
    ("61000001,777024" + "x" * 5000, "too long"),
    ("61000001,777025" + "y" * 4081, "too long"),
]


def test_bad_lines_are_reported_by_number_and_break_nothing_behind_them(loader: Api) -> None:
    lines = [line.encode() if isinstance(line, str) else line for line, _ in BAD_LINES]
    mixed = [part for number, line in enumerate(lines) for part in (line, f"7100{number:04},1234".encode())]
    batch = load(loader, b"\n".join([b"msrCard,pin", *mixed]))
    found = reasons(batch)
    assert list(found) == [2 * number + 2 for number in range(len(lines))]
    for (line, reason), text in zip(BAD_LINES, found.values(), strict=True):
        assert reason in text, line
        assert "777" not in text
    assert counts(batch) == (2 * len(lines), len(lines), 0, len(lines))


def test_cells_of_the_other_columns_are_checked_too(loader: Api) -> None:
    header = "msrCard,pin,customerId,endDate"
    rows = ["6101,1111,ab,", "6102,1111,1-ab,", "6103,1111,,2099-12-31", "6104,1111,,02/30/2099", "6105,1111,,"]
    batch = load(loader, "\n".join([header, *rows]))
    assert [text.split()[0] for text in reasons(batch).values()] == ["customerId"] * 2 + ["endDate"] * 2
    assert counts(batch) == (5, 1, 0, 4)


def test_blank_lines_are_no_rows_but_are_numbered(loader: Api) -> None:
    batch = load(loader, "msrCard,pin\n\n6101,1111\n \n\r\n610\n\n6102,2222\n\n")
    assert counts(batch) == (3, 2, 0, 1)
    assert list(reasons(batch)) == [6]


def test_one_bad_line_of_five_thousand_is_the_only_one_missing(loader: Api) -> None:
    rows = [f"61{number:06},{number:06}" for number in range(5000)]
    rows[3210] = "61003210;003210"
    batch = load(loader, "\n".join(["msrCard,pin", *rows]))
    assert counts(batch) == (5000, 4999, 0, 1)
    assert reasons(batch) == {3212: "It has 1 cells instead of 2."}
    assert PoolCard.objects.count() == Card.objects.count() == Member.objects.count() == 4999
    matching = Card.objects.filter(number__in=["61000000", "61004999"]).values_list("number", "member_id")
    assert set(matching) == set(
        PoolCard.objects.filter(number__in=["61000000", "61004999"]).values_list("number", "customer_id")
    )


# Cards that are there already


def test_the_same_file_again_adds_nothing(loader: Api, wechat: Api) -> None:
    load(loader, TWO)
    drawn = wechat.get("Wechats/getCard").json()
    before = list(PoolCard.objects.order_by("pk").values())
    assert counts(load(loader, TWO)) == (2, 0, 2, 0)
    assert list(PoolCard.objects.order_by("pk").values()) == before
    assert wechat.get("Wechats/getCard").json()["msrCard"] != drawn["msrCard"]
    assert code_of(wechat.get("Wechats/getCard")) == 4001


def test_of_a_card_twice_in_a_file_the_first_line_counts(loader: Api, wechat: Api) -> None:
    assert counts(load(loader, "msrCard,pin\n6101,1111\n6101,2222\n6101,1111\n")) == (3, 1, 2, 0)
    assert wechat.get("Wechats/getCard").json()["pin"] == "1111"


@pytest.mark.parametrize("status", [status for status in CardStatus if status != CardStatus.ACTIVE])
def test_a_card_that_is_not_free_stays_out_of_the_pool(loader: Api, status: str) -> None:
    customer = Member.objects.create() if status in ("Registered", "Dormant", "InTransit") else None
    card = print_card(status=status, customer=customer)
    batch = load(loader, f"msrCard,pin\n{card.number},{card.pin}\n6101,1111\n")
    assert reasons(batch) == {2: f"The card is {status}."}
    assert list(PoolCard.objects.values_list("number", flat=True)) == ["6101"]
    assert Card.objects.get(number=card.number).status == status


def test_a_free_card_that_is_known_keeps_its_member(loader: Api, wechat: Api) -> None:
    card = print_card()
    assert counts(load(loader, f"msrCard,pin\n{card.number},{card.pin}\n")) == (1, 1, 0, 0)
    drawn = wechat.get("Wechats/getCard").json()
    assert drawn == {"msrCard": card.number, "pin": card.pin, "customerId": card.customer_id}
    assert Member.objects.count() == 1


def test_what_the_file_says_of_a_known_card_must_be_true(loader: Api) -> None:
    plain, named, blocked = print_card(), print_card(), print_card(member_status=MemberStatus.INACTIVE)
    lone = print_card(member=None)
    rows = [
        f"{plain.number},999999,",
        f"{named.number},{named.pin},1-OTHER",
        f"{blocked.number},{blocked.pin},",
        f"{lone.number},{lone.pin},",
        f"6101,1111,{plain.customer_id}",
        "6102,1111,1-SAME",
        "6103,1111,1-SAME",
    ]
    batch = load(loader, "\n".join(["msrCard,pin,customerId", *rows]))
    assert reasons(batch) == {
        2: "The card is known with another PIN.",
        3: "The card is known with another customerId.",
        4: "The card's member is not Open.",
        5: "The card's member is not Open.",
        6: "customerId belongs to another card.",
        8: "customerId belongs to another card.",
    }
    assert list(PoolCard.objects.values_list("number", "customer_id")) == [("6102", "1-SAME")]


# PINs at rest


def test_a_pin_moved_to_another_card_is_not_handed_out(loader: Api, wechat: Api) -> None:
    load(loader, "msrCard,pin\n6101,1111\n6102,2222\n6103,3333\n")
    first, second, _ = PoolCard.objects.order_by("pk")
    PoolCard.objects.filter(pk=first.pk).update(pin=second.pin)
    PoolCard.objects.filter(pk=second.pk).update(number="6109")
    assert wechat.get("Wechats/getCard").json()["msrCard"] == "6103"
    assert code_of(wechat.get("Wechats/getCard")) == 4001
    pool.refill()
    assert code_of(wechat.get("Wechats/getCard")) == 4001
    kept_back = PoolCard.objects.exclude(status="Issued").values_list("number", "status")
    assert dict(kept_back) == {"6101": "Unreadable", "6109": "SetAside"}


def test_an_upload_that_outlived_its_batch_is_swept(loader: Api, settings: Settings) -> None:
    batch = load(loader, TWO)
    left, waiting = (settings.CARD_SPOOL_DIR / f"{number}.csv" for number in (batch.pk, batch.pk + 1))
    Batch.objects.create(pk=batch.pk + 1, file_name="next.csv", spooled=True, state=Batch.State.IMPORTING)
    for path in (left, waiting):
        path.write_text(TWO)
    tasks.sweep_spool()
    assert not left.exists()
    assert waiting.exists()


# Wechats/upload, of the first days


def old(loader: Api, part: str = 'name="wechatFile"; filename="old.csv"', text: str = TWO) -> Any:
    body = f"--b\r\nContent-Disposition: form-data; {part}\r\n\r\n{text}\r\n--b--\r\n".encode()
    return loader.post("Wechats/upload", body, content_type="multipart/form-data; boundary=b")


def test_the_old_upload_imports_too(loader: Api, folder: Path, settings: Settings) -> None:
    reply = old(loader)
    assert reply.json()["success"] is True
    assert reply.headers["Deprecation"].startswith("@")
    assert ended(reply.json()["batchId"]).imported == 2
    settings.LEGACY_UPLOAD = False
    assert code_of(old(loader), 404) == 404


@pytest.mark.parametrize(
    ("part", "text", "code"),
    [
        ('name="wechatFile"; filename="old.csv"', "card,pin\n1,2\n", 4002),
        ('name="wechatFile"; filename="old.xlsx"', TWO, 4003),
        ('name="wechatFile"; filename="old.csv"', "", 4004),
        ('name="wechatFile"', TWO, 4004),
        ('name="fileName"; filename="old.csv"', TWO, 4004),
        ('name="wechatFile"; filename="../old.csv"', TWO, 403),
    ],
)
def test_the_old_upload_has_codes_of_its_own(loader: Api, folder: Path, part: str, text: str, code: int) -> None:
    assert code_of(old(loader, part, text)) == code
    assert not Batch.objects.exists()
