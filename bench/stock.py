"""A pool with so many cards, and a client's key: `python -m bench.stock COUNT [crm]`. Prints the key.

The first MOST_DRAWN cards have PINs that open, which takes its time; the others are never reached.
"""

import sys

import django

MOST_DRAWN = 60_000


def main(count: int, with_crm: bool) -> None:
    django.setup()
    from django.db import connection

    from loyalty import authentication, bulk, encryption
    from loyalty.models import ApiClient
    from wechat import pool
    from wechat.models import Batch, PoolCard

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE wechat_departure, wechat_poolcard, wechat_batch CASCADE")
        if with_crm:
            cursor.execute("TRUNCATE cards_card, customers_member CASCADE")
        batch = Batch.objects.create(file_name="stock.csv", state=Batch.State.DONE, imported=count)
        numbers = [f"6100{number:012}" for number in range(min(count, MOST_DRAWN))]
        if with_crm:
            _tell_crm(numbers)
        bulk.insert(
            PoolCard,
            ["number", "pin", "customer_id", "batch_id"],
            ((number, encryption.seal("123456", owner=number), f"1-{number[-10:]}", batch.pk) for number in numbers),
        )
        if count > MOST_DRAWN:
            others = [
                str(field.column) for field in PoolCard._meta.concrete_fields if field.name not in ("id", "number")
            ]
            cursor.execute(
                f"INSERT INTO wechat_poolcard (number, {', '.join(others)})"
                f" SELECT '6100' || lpad(serial::text, 12, '0'), {', '.join(f'one.{name}' for name in others)}"
                " FROM generate_series(%s, %s) AS serial, (SELECT * FROM wechat_poolcard LIMIT 1) AS one",
                [MOST_DRAWN, count - 1],
            )
        cursor.execute("VACUUM ANALYZE wechat_poolcard, cards_card, customers_member")
    pool.refill()
    client, _ = ApiClient.objects.get_or_create(name="bench", defaults={"scopes": ["wechat"]})
    client.keys.all().delete()
    print(authentication.issue_key(client)[1])


def _tell_crm(numbers: list[str]) -> None:
    from django.db import transaction

    from cards import lifecycle
    from cards.lifecycle import NewCard
    from customers import members

    with transaction.atomic():
        members.pre_create([f"1-{number[-10:]}" for number in numbers])
        lifecycle.take_into_stock(NewCard(number, "123456", f"1-{number[-10:]}") for number in numbers)


if __name__ == "__main__":
    main(int(sys.argv[1]), "crm" in sys.argv)
