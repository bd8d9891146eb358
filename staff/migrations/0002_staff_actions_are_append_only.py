"""The database keeps what staff did: no line changes or goes."""

from django.db import migrations

FINAL = "what staff did is append-only"
SQLITE = (
    f"""CREATE TRIGGER staff_action_is_not_changed BEFORE UPDATE ON staff_staffaction
    BEGIN SELECT RAISE(ABORT, '{FINAL}'); END""",
    f"""CREATE TRIGGER staff_action_is_not_deleted BEFORE DELETE ON staff_staffaction
    BEGIN SELECT RAISE(ABORT, '{FINAL}'); END""",
)
POSTGRESQL = (
    f"""CREATE FUNCTION staff_action_is_final() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION '{FINAL}' USING ERRCODE = 'check_violation'; END $$""",
    """CREATE TRIGGER staff_action_is_final BEFORE UPDATE OR DELETE ON staff_staffaction FOR EACH ROW
    EXECUTE FUNCTION staff_action_is_final()""",
)
UNDO = {
    "sqlite": ("DROP TRIGGER staff_action_is_not_changed", "DROP TRIGGER staff_action_is_not_deleted"),
    "postgresql": (
        "DROP TRIGGER staff_action_is_final ON staff_staffaction",
        "DROP FUNCTION staff_action_is_final",
    ),
}


def create(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("staff", "0001_staff_actions")]
    operations = [migrations.RunPython(create, drop)]
