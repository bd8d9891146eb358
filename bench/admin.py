"""How long the admin's pages take beside a million rows of each kind: `python -m bench.admin [ROWS]`, on PostgreSQL.

Prints the slowest of five answers of each page in milliseconds; fails where one takes more than 300.
"""

import os
import subprocess
import sys
import time
from typing import Any

import django

from bench import database

MOST_MS = 300
SEED = {
    "customers_member": (
        """customer_id, status, user_name, user_name_key, email, email_key, password, first_name, last_name, gender,
        language, cell_phone, home_phone, work_phone, fax, hobbies, notes, favourite_product,
        favourite_product_alternate, source_code, email_verified, email_activation_due, cell_phone_verified,
        star_balance, created_at, registered_at, closed_reason""",
        """'1-' || lpad(n::text, 10, '0'), 'Active', 'user' || n, 'user' || n, 'u' || n || '@example.com',
        'u' || n || '@example.com', '', 'Mei', 'L' || n, '', 'CHS', '138' || lpad(n::text, 8, '0'), '', '', '', '',
        '', '', '', '', true, false, true, 0, now() - n * interval '40 seconds', now() - n * interval '40 seconds',
        ''""",
    ),
    "cards_card": (
        "number, pin_digest, status, customer_id, registered_at, reason",
        """'6200' || lpad(n::text, 12, '0'), '', 'Registered', '1-' || lpad(n::text, 10, '0'),
        now() - n * interval '40 seconds', ''""",
    ),
    "cards_cardevent": (
        "card_id, event, source, target, customer_id, actor, reason, request_id, at",
        """(SELECT min(id) FROM cards_card) + n - 1, 'register', 'Active', 'Registered',
        '1-' || lpad(n::text, 10, '0'), 'customer', '', '', now() - n * interval '40 seconds'""",
    ),
    "loyalty_customertoken": (
        "customer_id, digest, created_at, expires_at",
        "'1-' || lpad(n::text, 10, '0'), md5(n::text), now(), now()",
    ),
    "sms_message": (
        """reference, channel, recipient, customer_id, template, subject, text, variables, state, attempts, reason,
        provider_id, request_id, created_at, due_at, ended_at""",
        """gen_random_uuid(), 'sms', '138' || lpad(n::text, 8, '0'), '1-' || lpad(n::text, 10, '0'), 'create-en', '',
        '', '', CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'sent' END, 1, '', '', '', now() - n * interval '40 seconds',
        now(), now()""",
    ),
    "wechat_poolcard": (
        "number, pin, customer_id, status, issued_at, request_id, problem, batch_id",
        """'6100' || lpad(n::text, 12, '0'), CASE WHEN n % 2 = 0 THEN 'x' ELSE '' END, '',
        CASE WHEN n % 2 = 0 THEN 'Pooled' ELSE 'Issued' END,
        CASE WHEN n % 2 = 0 THEN NULL ELSE now() - n * interval '40 seconds' END, '', '', 1""",
    ),
    "staff_staffaction": (
        "at, staff, kind, subject, object_id, object_text, message, changes, reason, request_id",
        """now(), 'ann', 'look', 'customers.member', '1-' || lpad(n::text, 10, '0'), '', '', '{}', 'case', ''""",
    ),
}


def seed(rows: int) -> None:
    from django.db import connection

    from wechat.models import Batch

    Batch.objects.create(pk=1, file_name="cards.csv", state=Batch.State.DONE, imported=rows)
    with connection.cursor() as cursor:
        for table, (columns, values) in SEED.items():
            cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series(1, {rows}) n")
        cursor.execute("VACUUM ANALYZE")


def pages() -> dict[str, str]:
    from django.contrib import admin
    from django.urls import reverse

    lists = {
        f"list of {model._meta.verbose_name_plural}": reverse(
            f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        )
        for model in admin.site._registry
    }
    searches = {
        f"find {term}": f"{reverse('admin:customers_member_changelist')}?q={term}"
        for term in (
            "1-0000500000",
            "13800500000",
            "u500000@example.com",
            "6200000000500000",
            "L5000",
            "Mei L5000",
            "x",
        )
    }
    return {
        "home": reverse("admin:index"),
        **lists,
        **searches,
        "last page": reverse("admin:customers_member_changelist") + "?p=99",
        "blocked": reverse("admin:customers_member_changelist") + "?status__exact=Inactive",
        "card": f"{reverse('admin:cards_card_changelist')}?q=6200000000500000",
        "message": f"{reverse('admin:sms_message_changelist')}?q=13800500000",
        "failed messages": reverse("admin:sms_message_changelist") + "?state__exact=failed",
        "audit of a customer": f"{reverse('admin:staff_staffaction_changelist')}?q=1-0000500000",
        "customer": reverse("admin:customers_member_change", args=["1-0000500000"]),
    }


def slowest(client: Any, url: str) -> float:
    taken = []
    for _ in range(5):
        started = time.monotonic()
        answer = client.get(url)
        taken.append((time.monotonic() - started) * 1000)
        assert answer.status_code == 200, (url, answer.status_code)
    return max(taken)


def measure(rows: int) -> None:
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    started = time.monotonic()
    seed(rows)
    print(f"{rows:,} rows of each kind, in {time.monotonic() - started:.0f} s", flush=True)
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    started = time.monotonic()
    client.get("/admin/")
    print(f"{(time.monotonic() - started) * 1000:7.0f} ms  home, the first time of a day", flush=True)
    found = {name: slowest(client, url) for name, url in pages().items()}
    for name, milliseconds in found.items():
        print(f"{milliseconds:7.0f} ms  {name}")
    sys.exit(max(found.values()) > MOST_MS)


def main(rows: int) -> None:
    with database.migrated("admin", redis=13) as environment:
        command = [sys.executable, "-m", "bench.admin", str(rows)]
        sys.exit(subprocess.run(command, env={**environment, "BENCH_ADMIN": "1"}, check=False).returncode)


if __name__ == "__main__":
    (measure if os.environ.get("BENCH_ADMIN") else main)(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
