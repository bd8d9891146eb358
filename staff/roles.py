"""Roles are groups. Migrations make them and add to them, by `grant`."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.management import create_permissions


def grant(apps: Any, roles: Mapping[str, Iterable[str]]) -> None:
    """Give roles permissions such as `cards.view_card`; for migrations, with their own `apps`.

    Django makes permissions only once all migrations have run, so those that the migration knows of are made here.
    """
    for config in apps.get_app_configs():
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    group_of, permission_of = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    made = {
        f"{app}.{codename}": pk
        for pk, app, codename in permission_of.objects.values_list("pk", "content_type__app_label", "codename")
    }
    for name, permissions in roles.items():
        role, _ = group_of.objects.get_or_create(name=name)
        role.permissions.add(*(made[permission] for permission in permissions))
