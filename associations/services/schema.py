"""Define object types and properties. Called by admin and API.

Schema changes are rare; they come one after the other by locking the object types they touch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from associations.errors import InUse, Refused
from associations.models import ObjectType, Property, PropertyGroup, Record

from .labels import create_unlabeled_types


def create_object_type(
    *, name: str, label: str, plural_label: str, primary_property: str, primary_label: str = "", description: str = ""
) -> ObjectType:
    """A custom object type with its default property group, its primary display property, and the unlabeled
    association types with every other type. Raises ValidationError by field."""
    with transaction.atomic():
        existing = list(ObjectType.objects.select_for_update().order_by("id"))
        numbers = [int(each.type_id.removeprefix("2-")) for each in existing if each.type_id.startswith("2-")]
        object_type = ObjectType(
            type_id=f"2-{max(numbers, default=0) + 1}",
            name=name,
            label=label,
            plural_label=plural_label,
            primary_property=primary_property,
            description=description,
        )
        object_type.full_clean()
        object_type.save()
        PropertyGroup.objects.create(
            object_type=object_type, name=f"{name}_information", label=f"{label} information"
        )
        create_unlabeled_types(object_type, [*existing, object_type])
        create_property(object_type, name=primary_property, label=primary_label or primary_property.capitalize())
    return object_type


def delete_object_type(object_type: ObjectType) -> None:
    """Delete a custom object type. Built-in ones stay; one with records, archived ones too, is in use."""
    if object_type.is_builtin:
        raise Refused(f"{object_type.label} is built in and cannot be deleted.")
    with transaction.atomic():
        locked = ObjectType.objects.select_for_update().get(pk=object_type.pk)
        if count := Record.objects.filter(object_type=locked).count():
            raise InUse(f"{object_type.label} cannot be deleted, for it has records", [f"{count:,} records"])
        Property.objects.filter(object_type=locked).delete()
        locked.delete()


def create_property(object_type: ObjectType, *, name: str, label: str, **more: Any) -> Property:
    """A property; `more` are the other fields of the model. Raises ValidationError by field."""
    group = more.pop("group", None) or object_type.property_groups.first()
    order = object_type.properties.aggregate(last=Max("display_order"))["last"]
    more.setdefault("display_order", (order or 0) + 1)
    prop = Property(object_type=object_type, group=group, name=name, label=label, **more)
    check_property(prop)
    prop.save()
    return prop


def check_property(prop: Property) -> None:
    """Raises ValidationError, by field, for a property that cannot be."""
    errors: dict[str, str] = {}
    if prop.type == Property.Type.ENUMERATION:
        errors |= _options_problem(prop.options)
        if prop.has_unique_value:
            errors["has_unique_value"] = "The values of an enumeration cannot be unique."
    elif prop.options:
        errors["options"] = "Only an enumeration has options."
    if errors:
        raise ValidationError(errors)
    prop.full_clean(exclude=["group"])


def _options_problem(options: Any) -> dict[str, str]:
    if not isinstance(options, Sequence) or isinstance(options, str) or not options:
        return {"options": "An enumeration needs a list of options."}
    values = []
    for option in options:
        if not isinstance(option, Mapping) or not {"value", "label"} <= option.keys():
            return {"options": f'An option is an object with "value" and "label", not {option!r:.60}.'}
        value = option["value"]
        if not isinstance(value, str) or value != value.strip() or not value or ";" in value:
            return {"options": f"An option's value is text without a semicolon, not {value!r:.60}."}
        values.append(value)
    if twice := next((value for value in values if values.count(value) > 1), None):
        return {"options": f"The option {twice!r} occurs twice."}
    return {}
