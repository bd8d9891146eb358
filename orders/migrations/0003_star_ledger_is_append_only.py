"""The database keeps the star ledger: no entry changes or goes, each follows the one before, and no total differs."""

from django.db import migrations

CHANGED = "the star ledger is append-only"
BROKEN = "a star entry does not follow the one before it"
DIFFERS = "a star balance is what the ledger adds up to"
BEFORE = "SELECT balance FROM orders_starentry WHERE member_id = NEW.member_id AND position = NEW.position - 1"
LAST = "SELECT balance FROM orders_starentry WHERE member_id = NEW.customer_id ORDER BY position DESC LIMIT 1"
FOLLOWS = f"(NEW.position = 1 AND NEW.balance = NEW.points) OR NEW.balance = ({BEFORE}) + NEW.points"

SQLITE = (
    f"""CREATE TRIGGER star_entry_is_not_changed BEFORE UPDATE ON orders_starentry
    BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END""",
    f"""CREATE TRIGGER star_entry_is_not_deleted BEFORE DELETE ON orders_starentry
    BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END""",
    f"""CREATE TRIGGER star_entry_follows BEFORE INSERT ON orders_starentry
    WHEN ({FOLLOWS}) IS NOT TRUE BEGIN SELECT RAISE(ABORT, '{BROKEN}'); END""",
    f"""CREATE TRIGGER star_balance_is_the_ledgers BEFORE UPDATE OF star_balance ON customers_member
    WHEN NEW.star_balance <> OLD.star_balance AND NEW.star_balance <> COALESCE(({LAST}), 0)
    BEGIN SELECT RAISE(ABORT, '{DIFFERS}'); END""",
)


def refusing(name, message, when="TRUE"):
    """A PostgreSQL trigger's function; a refusal is an IntegrityError, as that of a constraint is."""
    return f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF ({when}) THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"""


POSTGRESQL = (
    refusing("star_entry_is_final", CHANGED),
    """CREATE TRIGGER star_entry_is_final BEFORE UPDATE OR DELETE ON orders_starentry FOR EACH ROW
    EXECUTE FUNCTION star_entry_is_final()""",
    refusing("star_entry_follows", BROKEN, f"({FOLLOWS}) IS NOT TRUE"),
    """CREATE TRIGGER star_entry_follows BEFORE INSERT ON orders_starentry FOR EACH ROW
    EXECUTE FUNCTION star_entry_follows()""",
    refusing("star_balance_is_the_ledgers", DIFFERS, f"NEW.star_balance <> COALESCE(({LAST}), 0)"),
    """CREATE TRIGGER star_balance_is_the_ledgers BEFORE UPDATE OF star_balance ON customers_member FOR EACH ROW
    WHEN (NEW.star_balance <> OLD.star_balance) EXECUTE FUNCTION star_balance_is_the_ledgers()""",
)
TRIGGERS = {
    "postgresql": {
        "star_entry_is_final": "orders_starentry",
        "star_entry_follows": "orders_starentry",
        "star_balance_is_the_ledgers": "customers_member",
    },
    "sqlite": dict.fromkeys(
        (
            "star_entry_is_not_changed",
            "star_entry_is_not_deleted",
            "star_entry_follows",
            "star_balance_is_the_ledgers",
        ),
        "",
    ),
}


def create(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    for name, table in TRIGGERS[schema_editor.connection.vendor].items():
        if table:
            schema_editor.execute(f"DROP TRIGGER {name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION {name}")
        else:
            schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_partner_transactions_and_star_ledger"),
        ("customers", "0004_erasures"),
    ]
    operations = [migrations.RunPython(create, drop)]
