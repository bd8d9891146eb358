from django.db import migrations

from staff import roles

POOL = ("wechat.view_departure", "wechat.view_poolday", "wechat.view_poollevel")
OUTCOMES = ("loyalty.view_siebelwrite",)


def grant(apps, schema_editor):
    roles.grant(apps, {"card desk": POOL, "operations": OUTCOMES, "auditor": (*POOL, *OUTCOMES)})


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0006_audit_by_object_and_request"),
        ("loyalty", "0004_outcomes_of_siebel_writes"),
        ("wechat", "0007_departures_and_the_pool_s_level"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
