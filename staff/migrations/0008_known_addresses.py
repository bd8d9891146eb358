from django.db import migrations

from staff import roles


def grant(apps, schema_editor):
    roles.grant(apps, {"auditor": ("customers.view_knownaddress",)})


class Migration(migrations.Migration):
    dependencies = [("staff", "0007_outcomes_and_departures"), ("customers", "0007_known_addresses")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
