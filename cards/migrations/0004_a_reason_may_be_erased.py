"""Of a card's history the reason alone may be emptied, when a person is erased."""

from django.db import migrations

KEPT = ("id", "card_id", "event", "source", "target", "customer_id", "actor", "request_id", "at")
SQLITE = (
    "DROP TRIGGER card_event_is_final",
    f"""CREATE TRIGGER card_event_is_final BEFORE UPDATE ON cards_cardevent
    WHEN NEW.reason <> '' OR {" OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in KEPT)}
    BEGIN SELECT RAISE(ABORT, 'history is not changed'); END""",
)
POSTGRESQL = (
    "DROP TRIGGER card_event_is_final ON cards_cardevent",
    f"""CREATE TRIGGER card_event_is_final BEFORE UPDATE ON cards_cardevent FOR EACH ROW
    WHEN (NEW.reason <> '' OR {" OR ".join(f'NEW."{name}" IS DISTINCT FROM OLD."{name}"' for name in KEPT)})
    EXECUTE FUNCTION card_event_is_final()""",
)


def create(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER card_event_is_final ON cards_cardevent")
        schema_editor.execute(
            """CREATE TRIGGER card_event_is_final BEFORE UPDATE ON cards_cardevent FOR EACH ROW
            EXECUTE FUNCTION card_event_is_final()"""
        )
    else:
        schema_editor.execute("DROP TRIGGER card_event_is_final")
        schema_editor.execute(
            """CREATE TRIGGER card_event_is_final BEFORE UPDATE ON cards_cardevent
            BEGIN SELECT RAISE(ABORT, 'history is not changed'); END"""
        )


class Migration(migrations.Migration):
    dependencies = [("cards", "0003_obsolete_is_final")]
    operations = [migrations.RunPython(create, drop)]
