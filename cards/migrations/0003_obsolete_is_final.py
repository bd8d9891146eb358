"""The database refuses to bring an obsolete card back, and to change a card's history."""

from django.db import migrations

SQLITE = (
    """CREATE TRIGGER card_obsolete_is_final BEFORE UPDATE OF status ON cards_card
    WHEN OLD.status = 'Obsolete' AND NEW.status <> 'Obsolete'
    BEGIN SELECT RAISE(ABORT, 'an obsolete card stays obsolete'); END""",
    """CREATE TRIGGER card_event_is_final BEFORE UPDATE ON cards_cardevent
    BEGIN SELECT RAISE(ABORT, 'history is not changed'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION card_obsolete_is_final() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'an obsolete card stays obsolete' USING ERRCODE = 'check_violation'; END $$""",
    """CREATE TRIGGER card_obsolete_is_final BEFORE UPDATE OF status ON cards_card FOR EACH ROW
    WHEN (OLD.status = 'Obsolete' AND NEW.status <> 'Obsolete') EXECUTE FUNCTION card_obsolete_is_final()""",
    """CREATE FUNCTION card_event_is_final() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'history is not changed' USING ERRCODE = 'check_violation'; END $$""",
    """CREATE TRIGGER card_event_is_final BEFORE UPDATE ON cards_cardevent FOR EACH ROW
    EXECUTE FUNCTION card_event_is_final()""",
)


def create(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    for name, table in (("card_obsolete_is_final", "cards_card"), ("card_event_is_final", "cards_cardevent")):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION {name}")
        else:
            schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("cards", "0002_card_history")]
    operations = [migrations.RunPython(create, drop)]
