"""The groups that the product comes with, as far as this migration knows them; later ones add with `grant`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

VIEWER, OPERATOR, ADMINISTRATOR = "Viewer", "Operator", "Administrator"


def grant(apps: Any, permissions: Mapping[str, Iterable[str]]) -> None:
    """Give groups, by name, permissions such as "associations.view_record"; groups that are not there are made.

    Django makes permissions only when all migrations are done, so they are made here.
    """
    from django.contrib.auth.management import create_permissions

    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    wanted = {each for names in permissions.values() for each in names}
    for label in {each.partition(".")[0] for each in wanted}:
        app = apps.get_app_config(label)
        app.models_module = True  # as of now it has no module, and Django asks
        create_permissions(app, apps=apps, verbosity=0)
    known = {
        f"{each.content_type.app_label}.{each.codename}": each
        for each in Permission.objects.select_related("content_type")
    }
    for name, given in permissions.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*(known[each] for each in given))
