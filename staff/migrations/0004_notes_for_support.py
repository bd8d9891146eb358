from django.db import migrations

from staff import roles


def grant(apps, schema_editor):
    roles.grant(
        apps,
        {
            "support": ("customers.view_note", "customers.add_note"),
            "auditor": ("customers.view_note",),
        },
    )


class Migration(migrations.Migration):
    dependencies = [("staff", "0003_roles"), ("customers", "0006_notes_and_searches")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
