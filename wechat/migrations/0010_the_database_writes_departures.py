"""A card whose status is no longer Pooled leaves a departure, whoever changed it; and never becomes Pooled again."""

from django.db import migrations

PAST = """UPDATE wechat_poolcard SET way = (SELECT way FROM wechat_departure WHERE card_id = wechat_poolcard.id),
    left_at = (SELECT at FROM wechat_departure WHERE card_id = wechat_poolcard.id) WHERE status <> 'Pooled'"""
ROW = "INSERT INTO wechat_departure (card_id, way, client_id, request_id, at)"
SQLITE = (
    f"""CREATE TRIGGER pool_card_departs AFTER UPDATE OF status ON wechat_poolcard
    WHEN OLD.status = 'Pooled' AND NEW.status <> 'Pooled'
    BEGIN {ROW} VALUES (NEW.id, NEW.way, NEW.issued_to_id, NEW.request_id, COALESCE(NEW.left_at, CURRENT_TIMESTAMP)); END""",
    """CREATE TRIGGER pool_card_stays_away BEFORE UPDATE OF status ON wechat_poolcard
    WHEN OLD.status <> 'Pooled' AND NEW.status = 'Pooled'
    BEGIN SELECT RAISE(ABORT, 'a card that left the pool does not come back'); END""",
)
POSTGRESQL = (
    f"""CREATE FUNCTION pool_card_departs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {ROW} VALUES (NEW.id, NEW.way, NEW.issued_to_id, NEW.request_id, COALESCE(NEW.left_at, now())); RETURN NULL; END $$""",
    """CREATE TRIGGER pool_card_departs AFTER UPDATE OF status ON wechat_poolcard FOR EACH ROW
    WHEN (OLD.status = 'Pooled' AND NEW.status <> 'Pooled') EXECUTE FUNCTION pool_card_departs()""",
    """CREATE FUNCTION pool_card_stays_away() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a card that left the pool does not come back' USING ERRCODE = 'check_violation'; END $$""",
    """CREATE TRIGGER pool_card_stays_away BEFORE UPDATE OF status ON wechat_poolcard FOR EACH ROW
    WHEN (OLD.status <> 'Pooled' AND NEW.status = 'Pooled') EXECUTE FUNCTION pool_card_stays_away()""",
)


def create(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    for name in ("pool_card_departs", "pool_card_stays_away"):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {name} ON wechat_poolcard")
            schema_editor.execute(f"DROP FUNCTION {name}")
        else:
            schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("wechat", "0009_how_a_card_left")]
    operations = [migrations.RunSQL(PAST, migrations.RunSQL.noop), migrations.RunPython(create, drop)]
