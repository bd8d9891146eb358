"""One import, or its floor, timed in a process of its own: `python -m bench.pool_import CASE ROWS`.

Prints seconds and the most memory that the process ever had, in MiB.
"""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import django

PIN = "0123abcd:gAAAAABn" + "x" * 111


def floor(rows: int) -> None:
    """COPY of the same rows into a table like the pool's, its foreign keys included, and their ids into Redis."""
    from django.db import connection

    from wechat.models import PoolCard

    with connection.cursor() as cursor:
        _twin(cursor, "wechat_poolcard", {"batch_id": "wechat_batch", "issued_to_id": "loyalty_apiclient"})
        pool_card = _template(PoolCard, ("number", "customer_id"))
        _copy(cursor, "wechat_poolcard", rows, pool_card, lambda number: f"6100{number:012}\t1-{number:010}")
    _load_ids(rows)


def floor_with_crm(rows: int) -> None:
    """The same, and COPY of the members and cards that the embedded CRM keeps."""
    from django.db import connection

    from cards.models import Card
    from customers.models import Member

    member = _template(Member, ("customer_id",))
    card = _template(Card, ("number", "member_id"))
    with connection.cursor() as cursor:
        _twin(cursor, "customers_member", {})
        _twin(cursor, "cards_card", {"member_id": "customers_member_twin"})
        _copy(cursor, "customers_member", rows, member, lambda number: f"1-{number:010}")
        _copy(cursor, "cards_card", rows, card, lambda number: f"6100{number:012}\t1-{number:010}")
    floor(rows)


def _twin(cursor: Any, table: str, keys: Mapping[str, str]) -> None:
    cursor.execute(f"CREATE TABLE {table}_twin (LIKE {table} INCLUDING ALL)")
    for column, other in keys.items():
        cursor.execute(
            f"ALTER TABLE {table}_twin ADD FOREIGN KEY ({column}) REFERENCES {other} DEFERRABLE INITIALLY DEFERRED"
        )


def _template(model: Any, own: tuple[str, ...]) -> tuple[str, str]:
    """The columns of a COPY, those that differ from row to row first; and the text of all the others."""
    known = {"pin": PIN, "pin_digest": "0" * 64, "batch_id": "1"}
    others = [field for field in model._meta.concrete_fields if field.name != "id" and field.attname not in own]
    values = [known.get(field.attname, field.get_default()) for field in others]
    rest = "\t".join("\\N" if value is None else str(value) for value in values)
    return ", ".join([*own, *(field.column for field in others)]), rest


def _copy(cursor: Any, table: str, rows: int, template: tuple[str, str], own: Callable[[int], str]) -> None:
    columns, rest = template
    with cursor.copy(f"COPY {table}_twin ({columns}) FROM STDIN") as copy:
        for first in range(0, rows, 10_000):
            numbers = range(first, min(first + 10_000, rows))
            copy.write("".join(f"{own(number)}\t{rest}\n" for number in numbers))


def _load_ids(rows: int) -> None:
    from django_redis import get_redis_connection

    redis = get_redis_connection("default")
    for first in range(0, rows, 10_000):
        redis.rpush("bench:ids", *range(first, min(first + 10_000, rows)))
    redis.delete("bench:ids")


def imported(rows: int, *, crm: bool, encryption: bool) -> None:
    from django.conf import settings

    from loyalty.callers import Caller
    from wechat import batches, imports
    from wechat.models import Batch, PoolCard

    if not crm:
        settings.SIEBEL_TRANSPORTS = {"embedded": "bench.obliging.crm"}
    if not encryption:
        imports.encryption.seal = lambda text, *, owner: PIN  # type: ignore[attr-defined]
    batch = batches.take(batches.check_named("bench.csv"), caller=Caller(address="", request_id="bench"))
    imports.run(batch.pk)
    batch = Batch.objects.get(pk=batch.pk)
    assert (batch.state, batch.imported) == ("done", rows), (batch.state, batch.problem)
    assert PoolCard.objects.filter(status="Pooled").exists()


CASES: dict[str, Callable[[int], None]] = {
    "floor": floor,
    "floor-crm": floor_with_crm,
    "plain": lambda rows: imported(rows, crm=False, encryption=False),
    "encrypted": lambda rows: imported(rows, crm=False, encryption=True),
    "plain-crm": lambda rows: imported(rows, crm=True, encryption=False),
    "encrypted-crm": lambda rows: imported(rows, crm=True, encryption=True),
}


def write_file(path: Any, rows: int) -> None:
    with open(path, "w") as file:
        file.write("msrCard,pin\n")
        file.writelines(f"6100{number:012},{number % 10**6:06}\n" for number in range(rows))


def main(case: str, rows: int) -> None:
    django.setup()
    from django.conf import settings

    from wechat.models import Batch

    write_file(settings.CARD_FILES_DIR / "bench.csv", rows)
    if "floor" in case:
        Batch.objects.create(pk=1, file_name="floor.csv", state=Batch.State.DONE)
    started = time.monotonic()
    CASES[case](rows)
    seconds = time.monotonic() - started
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
