"""Groups of properties: create, rename, delete. Called by the API; the groups of the types there are from the start."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError

from associations.errors import InUse, Refused
from associations.models import ObjectType, PropertyGroup
from associations.models.schema import NAME_PATTERN


def create_group(object_type: ObjectType, *, name: str, label: str, display_order: int = -1) -> PropertyGroup:
    """A group; its name is fixed from here on. Raises ValidationError by field."""
    if not re.match(NAME_PATTERN, name):
        raise ValidationError(
            {"name": "A name is made of lower-case letters, digits and underscores, and starts with a letter."}
        )
    group = PropertyGroup(object_type=object_type, name=name, label=label, display_order=display_order)
    group.full_clean()
    group.save()
    return group


def update_group(group: PropertyGroup, *, label: str | None = None, display_order: int | None = None) -> PropertyGroup:
    """Change a group's words or place. Raises ValidationError by field."""
    group.label = group.label if label is None else label
    group.display_order = group.display_order if display_order is None else display_order
    group.full_clean()
    group.save(update_fields=["label", "display_order"])
    return group


def delete_group(group: PropertyGroup) -> None:
    """Delete a group that has no properties, and is not the last one of its type."""
    with transaction.atomic():
        list(ObjectType.objects.select_for_update().filter(pk=group.object_type_id))
        if not PropertyGroup.objects.filter(object_type=group.object_type_id).exclude(pk=group.pk).exists():
            raise Refused(f"{group} is the only group of its object type.")
        try:
            group.delete()
        except ProtectedError as error:
            uses = sorted(str(each) for each in error.protected_objects)
            raise InUse(f"{group} cannot be deleted while it has properties", uses[:20]) from None
