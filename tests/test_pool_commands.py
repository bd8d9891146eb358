"""What staff run on the server: an import with a progress bar, a rehearsal, the rotation of PIN keys."""

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from cards.models import Card
from loyalty import encryption
from loyalty.scopes import Scope
from tests.conftest import Api, at_once, new_client
from tests.test_killed import killed
from wechat import pin_keys
from wechat.models import Batch, PoolCard

MIXED = "msrCard,pin\n6101,1111\n=6102,2222\n6103,3333\n6101,1111\n"


@pytest.fixture
def file(database: None, settings: Settings, tmp_path: Path) -> Path:
    settings.CARD_FILES_DIR, settings.CARD_SPOOL_DIR = tmp_path / "files", tmp_path / "spool"
    (tmp_path / "june.csv").write_text(MIXED)
    return tmp_path / "june.csv"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(*command: Any) -> str:
    out = Terminal()
    call_command(*map(str, command), stdout=out)
    return out.getvalue()


def test_a_file_is_imported_with_a_bar_and_verdicts(file: Path, tmp_path: Path) -> None:
    said = run("import_cards", file, "--verdicts", tmp_path / "verdicts.csv")
    assert "[##############################] 100%" in said
    assert "is done: 4 rows, 2 imported, 1 known, 1 rejected." in said
    assert (tmp_path / "verdicts.csv").read_text().splitlines() == [
        "line,reason",
        "3,msrCard is not 4 to 30 ASCII letters or digits.",
    ]
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_rehearsal_tells_and_changes_nothing(file: Path) -> None:
    assert "4 rows, 2 new, 1 known, 1 rejected. Nothing was changed." in run("import_cards", file, "--dry-run")
    assert (Batch.objects.count(), PoolCard.objects.count(), Card.objects.count()) == (0, 0, 0)
    run("import_cards", file)
    assert "4 rows, 0 new, 3 known, 1 rejected." in run("import_cards", file, "--dry-run")


@pytest.mark.parametrize(("name", "text"), [("none.csv", None), ("a.csv", "pin\n"), ("a.xls", MIXED)])
def test_what_is_no_card_file_is_an_error(file: Path, name: str, text: str | None) -> None:
    if text is not None:
        file.with_name(name).write_text(text)
    with pytest.raises(CommandError, match=name):
        run("import_cards", file.with_name(name))
    assert Batch.objects.count() == 0


# Keys


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@pytest.fixture
def two_keys(database: None, settings: Settings) -> list[str]:
    """A key that has sealed 1,200 PINs, and a new one in front of it."""
    batch = Batch.objects.create(file_name="x.csv", state=Batch.State.DONE)
    numbers = [f"61{number:010}" for number in range(1200)]
    PoolCard.objects.bulk_create(
        PoolCard(number=n, pin=encryption.seal(n[-4:], owner=n), customer_id="1-A", batch=batch) for n in numbers
    )
    settings.PIN_KEYS = [new_key(), *settings.PIN_KEYS]
    keys: list[str] = settings.PIN_KEYS
    return keys


def all_open() -> bool:
    return all(encryption.unseal(card.pin, owner=card.number) == card.number[-4:] for card in PoolCard.objects.all())


def test_pins_are_sealed_under_the_first_key_and_the_others_may_go(
    database: None, two_keys: list[str], settings: Settings
) -> None:
    assert "1200 PINs sealed again, 0 can't be read." in run("rotate_pin_keys")
    settings.PIN_KEYS = two_keys[:1]
    assert all_open()
    assert "0 PINs sealed again" in run("rotate_pin_keys")


def test_a_rotation_that_was_killed_is_gone_on_with(
    database: None, two_keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIN_KEYS", ",".join(two_keys))
    killed("wechat.models:PoolCard.objects.bulk_update:after:2", "rotate_pin_keys")
    assert PoolCard.objects.filter(pin__startswith=encryption.prefix()).count() == 500
    assert all_open()
    assert "700 PINs sealed again" in run("rotate_pin_keys")


def test_a_missing_key_stops_it_and_a_damaged_pin_does_not(
    database: None, two_keys: list[str], settings: Settings
) -> None:
    first = PoolCard.objects.order_by("pk")[0]
    PoolCard.objects.filter(pk=first.pk).update(pin=first.pin[:-4] + "AAA=")
    with pytest.raises(CommandError, match="run it again"):
        run("rotate_pin_keys")
    PoolCard.objects.filter(pk=first.pk).update(status="Unreadable")
    assert "0 PINs sealed again, 1 can't be read." in run("rotate_pin_keys")
    settings.PIN_KEYS = [new_key()]
    with pytest.raises(CommandError, match="not in PIN_KEYS"):
        run("rotate_pin_keys")


def draw(wechat: Api) -> Any:
    return wechat.get("Wechats/getCard").json()


def test_cards_are_drawn_with_their_pins_while_keys_rotate(database: None, settings: Settings) -> None:
    numbers = [f"61{number:010}" for number in range(600)]
    path = settings.VAR_DIR / "traffic.csv"
    path.write_text("\n".join(["msrCard,pin", *(f"{number},{number[-4:]}" for number in numbers)]))
    run("import_cards", path)
    settings.PIN_KEYS = [new_key(), *settings.PIN_KEYS]
    wechat = Api({"X-API-Key": new_client(Scope.WECHAT)[1]})
    work: list[Callable[[], Any]] = [
        lambda: pin_keys.rotate(lambda changed: None),
        lambda: [draw(wechat) for _ in range(50)],
    ]
    replies = at_once(2, lambda n: work[n]())[1]
    assert [reply["pin"] for reply in replies] == [reply["msrCard"][-4:] for reply in replies]
    settings.PIN_KEYS = settings.PIN_KEYS[:1]
    assert all(encryption.unseal(card.pin, owner=card.number) for card in PoolCard.objects.exclude(pin=""))
