"""Define object types and properties. Called by admin and API.

Schema changes are rare; they come one after the other by locking the object types they touch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, ProtectedError
from django.utils.module_loading import import_string

from associations import querysets, sql
from associations.errors import InUse, Refused
from associations.models import ObjectType, Property, PropertyGroup, Record
from associations.models.schema import NAME_PATTERN

from .derived import rebuild_names
from .labels import create_unlabeled_types
from .numbering import give_numbers

# Properties whose records need not change when one field type becomes another of its row.
INTERCHANGEABLE_FIELD_TYPES = (
    {Property.FieldType.TEXT, Property.FieldType.TEXTAREA, Property.FieldType.PHONENUMBER},
    {Property.FieldType.SELECT, Property.FieldType.RADIO},
)
MOST_COLUMNS = 10
CHANGEABLE = {"label", "description", "group", "display_order", "field_type", "options", "hints"}
# How many properties of one object type may identify a record [H].
MOST_UNIQUE = 10
_PRIMARY_FIELDS = {"name": "primary_property", "label": "primary_label"}


def create_object_type(
    *,
    name: str,
    label: str,
    plural_label: str,
    primary_property: str,
    primary_label: str = "",
    description: str = "",
    properties: Sequence[Mapping[str, Any]] = (),
    **lists: list[str],
) -> ObjectType:
    """A custom object type with its default property group, its primary display property, and the unlabeled
    association types with every other type.

    `properties` are others to begin with (as for `create_property`), the primary one may be among them; `lists` are
    required_properties, searchable_properties and secondary_properties. Raises ValidationError by field.
    """
    with transaction.atomic():
        existing = list(ObjectType.objects.select_for_update().order_by("id"))
        numbers = [int(each.type_id.removeprefix("2-")) for each in existing if each.type_id.startswith("2-")]
        object_type = ObjectType(
            type_id=f"2-{give_numbers('object type', 1, above=max(numbers, default=0))}",
            name=name,
            label=label,
            plural_label=plural_label,
            primary_property=primary_property,
            description=description,
        )
        if problem := _name_problem(name):
            raise ValidationError({"name": problem})
        object_type.full_clean()
        object_type.save()
        PropertyGroup.objects.create(object_type=object_type, name=f"{name}_information", label=f"{label} information")
        create_unlabeled_types(object_type, [*existing, object_type])
        if not any(each["name"] == primary_property for each in properties):
            label_ = primary_label or primary_property.capitalize()
            try:
                create_property(object_type, name=primary_property, label=label_)
            except ValidationError as error:
                reasons = error.error_dict.items()
                raise ValidationError({_PRIMARY_FIELDS.get(key, key): reason for key, reason in reasons}) from None
        for each in properties:
            create_property(object_type, **each)
        if lists:
            _set_lists(object_type, lists)
    return object_type


def update_object_type(
    object_type: ObjectType,
    *,
    label: str,
    plural_label: str,
    description: str,
    primary_property: str | None = None,
    **lists: list[str],
) -> ObjectType:
    """Change the words of an object type, and which of its properties are the primary display property and those of
    the `lists` (see `create_object_type`); all else is fixed once created. Raises ValidationError by field."""
    with transaction.atomic():
        locked = ObjectType.objects.select_for_update().get(pk=object_type.pk)
        locked.label, locked.plural_label, locked.description = label, plural_label, description
        shown_by = locked.primary_property
        locked.primary_property = primary_property or shown_by
        if locked.primary_property != shown_by:
            sql.lock_object_type(locked.pk, exclusive=True)  # nobody saves a record under the old name meanwhile
        _set_lists(locked, lists | {"primary_property": [locked.primary_property]})
        if locked.primary_property != shown_by:
            rebuild_names(locked)
    return locked


def set_columns(object_type: ObjectType, names: Sequence[str]) -> None:
    """Which properties lists of its records show, in this order; none means the first few. Raises ValidationError."""
    wanted = list(dict.fromkeys(names))
    known = set(object_type.properties.values_list("name", flat=True))
    if missing := [name for name in wanted if name not in known]:
        raise ValidationError({"columns": f"{object_type.label} has no property {missing[0]!r}."})
    if len(wanted) > MOST_COLUMNS:
        raise ValidationError({"columns": f"A list has at most {MOST_COLUMNS} columns."})
    object_type.columns = wanted
    object_type.save(update_fields=["columns", "updated_at"])


def _set_lists(object_type: ObjectType, lists: Mapping[str, list[str]]) -> None:
    known = set(object_type.properties.values_list("name", flat=True))
    for field, names in lists.items():
        if missing := [name for name in names if name not in known]:
            raise ValidationError({field: f"{object_type} has no property {missing[0]!r:.120}."})
        if field != "primary_property":
            setattr(object_type, field, list(dict.fromkeys(names)))
    object_type.full_clean()
    object_type.save()


def delete_object_type(object_type: ObjectType) -> None:
    """Delete a custom object type. Built-in ones stay; one with records, archived ones too, is in use."""
    if object_type.is_builtin:
        raise Refused(f"{object_type.label} is built in and cannot be deleted.")
    with transaction.atomic():
        locked = ObjectType.objects.select_for_update().get(pk=object_type.pk)
        if count := Record.objects.filter(object_type=locked).count():
            raise InUse(f"{object_type.label} cannot be deleted, for it has records", [f"{count:,} records"])
        try:
            Property.objects.filter(object_type=locked).delete()
            locked.delete()
        except ProtectedError as error:
            raise _in_use(locked, error) from None


def create_property(object_type: ObjectType, *, name: str, label: str, **more: Any) -> Property:
    """A property; `more` are the other fields of the model. Raises ValidationError by field."""
    group = more.pop("group", None) or object_type.property_groups.first()
    order = object_type.properties.aggregate(last=Max("display_order"))["last"]
    more.setdefault("display_order", (order or 0) + 1)
    prop = Property(object_type=object_type, group=group, name=name, label=label, **more)
    check_property(prop)
    prop.save()
    return prop


def update_property(prop: Property, **changes: Any) -> Property:
    """Change label, description, group, order, options, or the field type for one that shows the same values.

    Raises ValidationError by field, also for an option that would go while a record, archived or not, holds it, or a
    live workflow names it.
    """
    if fixed := changes.keys() - CHANGEABLE:
        raise Refused(f"{', '.join(sorted(fixed))} of a property cannot be changed once it is created.")
    with transaction.atomic():
        sql.lock_object_type(prop.object_type_id, exclusive=True)  # nobody writes the option that goes
        locked = Property.objects.select_for_update(of=("self",)).select_related("object_type").get(pk=prop.pk)
        field_type = changes.get("field_type", locked.field_type)
        keeps_values = not locked.is_builtin and _shows_the_same(field_type, locked.field_type)
        if field_type != locked.field_type and not keeps_values:
            raise ValidationError({"field_type": "The values that records have would not fit this field type."})
        before = locked.option_values
        for name, value in changes.items():
            setattr(locked, name, value)
        check_property(locked)
        gone = set(before) - set(locked.option_values)
        for option in gone:
            holders = querysets.with_choice(locked.object_type.records.all(), locked, option)
            if (holder := holders.values_list("id", flat=True).first()) is not None:
                used = f"The option {option!r} is the value of records, such as {holder}; change those first."
                raise ValidationError({"options": used})
        locked.save(update_fields=[*changes, "updated_at"])
        if gone and (uses := import_string(settings.OPTION_USES)(locked)):
            used = "Live workflows name an option that would go; change them, or turn them off, first: "
            raise ValidationError({"options": f"{used}{', '.join(uses)}."})
    return locked


def delete_property(prop: Property) -> None:
    """Delete a property of one's own that no record, archived or not, has a value of."""
    if prop.is_builtin:
        raise Refused(f"{prop} is built in and cannot be deleted.")
    with transaction.atomic():
        sql.lock_object_type(prop.object_type_id, exclusive=True)  # nobody writes a value meanwhile
        locked = Property.objects.select_for_update(of=("self",)).select_related("object_type").get(pk=prop.pk)
        object_type = locked.object_type
        if locked.name == object_type.primary_property:
            raise Refused(f"{locked} cannot be deleted: {object_type.plural_label.lower()} are shown by it.")
        holders = querysets.with_value(object_type.records.all(), locked)
        if (holder := holders.values_list("id", flat=True).first()) is not None:
            raise InUse(
                f"{locked} cannot be deleted, for records have a value of it",
                [f"{object_type.label.lower()} {holder} is one of them"],
            )
        try:
            locked.delete()
        except ProtectedError as error:
            raise _in_use(locked, error) from None


def _shows_the_same(field_type: str, other: str) -> bool:
    return any({field_type, other} <= row for row in INTERCHANGEABLE_FIELD_TYPES)


def _in_use(thing: ObjectType | Property, error: ProtectedError) -> InUse:
    uses = sorted({str(each) for each in error.protected_objects})
    return InUse(f"{thing} cannot be deleted while it is used", uses[:20])


def _name_problem(name: str) -> str | None:
    if re.match(NAME_PATTERN, name):
        return None
    return "A name is made of lower-case letters, digits and underscores, and starts with a letter."


def check_property(prop: Property) -> None:
    """Raises ValidationError, by field, for a property that cannot be."""
    errors: dict[str, str] = {}
    if problem := _name_problem(prop.name):
        errors["name"] = problem
    elif Property.objects.filter(object_type=prop.object_type, name=prop.name).exclude(pk=prop.pk).exists():
        errors["name"] = f"{prop.object_type} has a property {prop.name} already."
    if prop.type == Property.Type.ENUMERATION:
        errors |= _options_problem(prop.options)
        if prop.has_unique_value:
            errors["has_unique_value"] = "The values of an enumeration cannot be unique."
    elif prop.options:
        errors["options"] = "Only an enumeration has options."
    if prop.has_unique_value and prop.pk is None:
        unique = Property.objects.filter(object_type=prop.object_type, has_unique_value=True)
        if unique.count() >= MOST_UNIQUE:
            errors["has_unique_value"] = f"{prop.object_type} has {MOST_UNIQUE} unique properties, which is the most."
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
        if not isinstance(value, str) or value != value.strip() or not value or not set(value).isdisjoint(";\x00"):
            return {"options": f"An option's value is text without a semicolon, not {value!r:.60}."}
        values.append(value)
    if twice := next((value for value in values if values.count(value) > 1), None):
        return {"options": f"The option {twice!r} occurs twice."}
    return {}
