"""The roles of the staff. Whoever must not see what a role shows gets another one, or a group made in the admin."""

from django.db import migrations

from staff import roles

CUSTOMER = (
    "customers.view_member",
    "customers.view_address",
    "customers.view_consentchange",
    "cards.view_card",
    "cards.view_cardevent",
    "orders.view_order",
    "orders.view_orderitem",
    "orders.view_reward",
    "orders.view_starentry",
    "loyalty.view_store",
)
LEDGER = (
    "orders.view_staradjustment",
    "orders.view_partnertransaction",
    "orders.view_refusedtransaction",
    "orders.view_reconciliationfile",
    "orders.view_orderday",
    "orders.view_fileimport",
    "orders.view_rejectedline",
)
POOL = ("wechat.view_batch", "wechat.view_inboxfile", "wechat.view_rejectedrow", "wechat.view_poolcard")
SYSTEM = (
    "loyalty.view_apiclient",
    "loyalty.view_apikey",
    "loyalty.view_budget",
    "loyalty.view_siebelrequest",
    "loyalty.view_idempotencykey",
    "sms.view_template",
    "sms.view_line",
    "sms.view_desk",
)
TALK = ("loyalty.view_customertoken", "sms.view_message", "sms.view_pin", "customers.view_prooftoken")
ROLES = {
    "support": (
        *CUSTOMER,
        *TALK,
        "customers.view_mobilewindow",
        "customers.change_member",
        "cards.change_card",
        "orders.view_staradjustment",
        "orders.add_staradjustment",
        "sms.view_template",
        "staff.unmask_personal_data",
    ),
    "card desk": (
        "cards.view_card",
        "cards.change_card",
        "cards.view_cardevent",
        *POOL,
        "wechat.change_batch",
        "wechat.change_poolcard",
        "staff.unmask_personal_data",
    ),
    "finance": (
        "customers.view_member",
        "orders.view_order",
        "orders.view_orderitem",
        "orders.view_reward",
        "orders.view_starentry",
        *LEDGER,
        "orders.add_staradjustment",
        "orders.approve_staradjustment",
        "loyalty.view_store",
    ),
    "operations": (
        *SYSTEM,
        "loyalty.view_store",
        "loyalty.add_store",
        "loyalty.change_store",
        "loyalty.add_apiclient",
        "loyalty.change_apiclient",
        "loyalty.delete_apiclient",
        "sms.change_template",
        "sms.add_template",
        "sms.change_desk",
        "sms.view_message",
        "wechat.view_batch",
        "wechat.view_inboxfile",
        "orders.view_fileimport",
        "orders.view_rejectedline",
    ),
    "auditor": (
        *CUSTOMER,
        *LEDGER,
        *POOL,
        *SYSTEM,
        *TALK,
        "customers.view_mobilewindow",
        "customers.view_erasure",
        "auth.view_user",
        "auth.view_group",
        "staff.view_staffaction",
        "staff.unmask_personal_data",
    ),
}


def create(apps, schema_editor):
    roles.grant(apps, ROLES)


def drop(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0002_staff_actions_are_append_only"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("loyalty", "0003_idempotency_keys"),
        ("sms", "0007_desk"),
        ("cards", "0004_a_reason_may_be_erased"),
        ("customers", "0004_erasures"),
        ("orders", "0007_star_adjustments_and_reconciliation"),
        ("wechat", "0006_pace_of_an_import"),
    ]
    operations = [migrations.RunPython(create, drop)]
