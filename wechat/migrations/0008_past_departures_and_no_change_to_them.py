"""Cards that left the pool before get their row, too; the database refuses to change one."""

from django.db import migrations

PAST = """INSERT INTO wechat_departure (card_id, way, client_id, request_id, at)
    SELECT id, CASE status WHEN 'SetAside' THEN 'set aside' WHEN 'Unreadable' THEN 'unreadable' ELSE 'getCard' END,
        issued_to_id, request_id, COALESCE(issued_at, CURRENT_TIMESTAMP)
    FROM wechat_poolcard WHERE status <> 'Pooled'"""
UNREGISTERED = """UPDATE wechat_poolcard SET crm_status = 'Active', asked_at = issued_at
    WHERE status = 'Issued' AND issued_to_id IS NOT NULL"""
SQLITE = (
    """CREATE TRIGGER departure_is_final BEFORE UPDATE ON wechat_departure
    BEGIN SELECT RAISE(ABORT, 'a departure is not changed'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION departure_is_final() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a departure is not changed' USING ERRCODE = 'check_violation'; END $$""",
    """CREATE TRIGGER departure_is_final BEFORE UPDATE ON wechat_departure FOR EACH ROW
    EXECUTE FUNCTION departure_is_final()""",
)


def create(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER departure_is_final ON wechat_departure")
        schema_editor.execute("DROP FUNCTION departure_is_final")
    else:
        schema_editor.execute("DROP TRIGGER departure_is_final")


class Migration(migrations.Migration):
    dependencies = [("wechat", "0007_departures_and_the_pool_s_level")]
    operations = [
        migrations.RunSQL(PAST, migrations.RunSQL.noop),
        migrations.RunSQL(UNREGISTERED, migrations.RunSQL.noop),
        migrations.RunPython(create, drop),
    ]
