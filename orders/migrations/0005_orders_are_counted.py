"""The database counts each member's orders by the day, whoever writes them; those that are there are counted now."""

from django.db import migrations

SQLITE_DAY = "date(substr({row}ordered_at, 1, 19), '+8 hours')"  # to the second: date() rounds what is finer
POSTGRESQL_DAY = "(ordered_at AT TIME ZONE 'Asia/Shanghai')::date"
INSERT = "INSERT INTO orders_orderday (member_id, day, orders)"
ADD = "ON CONFLICT (member_id, day) DO UPDATE SET orders = orders_orderday.orders + excluded.orders"


def sqlite_change(row, sign):
    day = SQLITE_DAY.format(row=f"{row}.")
    return f"{INSERT} VALUES ({row}.member_id, {day}, {sign}1) {ADD};"


SQLITE = (
    f"CREATE TRIGGER order_counted AFTER INSERT ON orders_order BEGIN {sqlite_change('NEW', '')} END",
    f"CREATE TRIGGER order_uncounted AFTER DELETE ON orders_order BEGIN {sqlite_change('OLD', '-')} END",
    f"""CREATE TRIGGER order_recounted AFTER UPDATE OF member_id, ordered_at ON orders_order
    BEGIN {sqlite_change("OLD", "-")} {sqlite_change("NEW", "")} END""",
)


def postgresql_function(name, *changes):
    statements = "\n".join(
        f"""{INSERT} SELECT member_id, {POSTGRESQL_DAY}, {sign}count(*) FROM {rows}
        GROUP BY 1, 2 ORDER BY 1, 2 {ADD};"""
        for rows, sign in changes
    )
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statements} RETURN NULL; END $$"


def postgresql_trigger(name, event, tables):
    return f"""CREATE TRIGGER {name} AFTER {event} ON orders_order REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION {name}()"""


POSTGRESQL = (
    postgresql_function("order_counted", ("added", "")),
    postgresql_trigger("order_counted", "INSERT", "NEW TABLE AS added"),
    postgresql_function("order_uncounted", ("gone", "-")),
    postgresql_trigger("order_uncounted", "DELETE", "OLD TABLE AS gone"),
    postgresql_function("order_recounted", ("gone", "-"), ("added", "")),
    postgresql_trigger("order_recounted", "UPDATE", "OLD TABLE AS gone NEW TABLE AS added"),
)
NAMES = ("order_counted", "order_uncounted", "order_recounted")


def create(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in POSTGRESQL if postgresql else SQLITE:
        schema_editor.execute(statement)
    day = POSTGRESQL_DAY if postgresql else SQLITE_DAY.format(row="")
    schema_editor.execute(f"{INSERT} SELECT member_id, {day}, count(*) FROM orders_order GROUP BY 1, 2")


def drop(apps, schema_editor):
    for name in NAMES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {name} ON orders_order")
            schema_editor.execute(f"DROP FUNCTION {name}")
        else:
            schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_order_days")]
    operations = [migrations.RunPython(create, drop)]
