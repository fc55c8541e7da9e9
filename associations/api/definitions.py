"""Properties as HubSpot defines them, to and from the ones here.

HubSpot has a few kinds that are others of the same here: a yes or no may be an enumeration of true and false, a file is
its address, a phone number a type. Which one a client meant is kept as a hint, and given back to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from associations.models import ObjectType, Property, PropertyGroup
from associations.models.schema import FIELD_TYPES
from associations.system_properties import COLUMNS, always_shown, as_property, moment
from crmproject.api.errors import ApiError, bad_request, not_found, shown

from . import property_bodies as bodies

YES_OR_NO = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
HINTS = tuple(bodies.Hints.model_fields)


def represent_property(prop: Property, group_name: str) -> dict[str, Any]:
    hints = prop.hints or {}
    system = prop.name in COLUMNS
    options = hints.get("options") or (YES_OR_NO if prop.type == Property.Type.BOOL else prop.options)
    return {
        "name": prop.name,
        "label": prop.label,
        "type": hints.get("type", prop.type),
        "fieldType": hints.get("fieldType", prop.field_type),
        "description": prop.description,
        "groupName": group_name,
        "options": [_option(option, order) for order, option in enumerate(options)],
        "displayOrder": prop.display_order,
        "calculated": False,
        "externalOptions": hints.get("externalOptions", False),
        "hasUniqueValue": prop.has_unique_value,
        "hidden": hints.get("hidden", False),
        "hubspotDefined": prop.is_builtin,
        "formField": hints.get("formField", not system),
        "archived": False,
        "dataSensitivity": "non_sensitive",
        "modificationMetadata": {
            "archivable": not prop.is_builtin,
            "readOnlyDefinition": system,
            "readOnlyOptions": system,
            "readOnlyValue": system,
        },
        "createdAt": moment(prop.created_at),
        "updatedAt": moment(prop.updated_at),
        **{key: value for key, value in hints.items() if key not in ("type", "fieldType", "options")},
    }


def _option(option: Mapping[str, Any], order: int) -> dict[str, Any]:
    description = {"description": option["description"]} if option.get("description") else {}
    place = {"displayOrder": option.get("displayOrder", order), "hidden": option.get("hidden", False)}
    return {"label": option["label"], "value": option["value"], **description, **place}


def all_properties(object_type: ObjectType) -> list[dict[str, Any]]:
    """Every property of a type, the system's too: one query."""
    own = list(object_type.properties.select_related("group"))
    first = own[0].group.name if own else ""
    system = [as_property(object_type, name) for name in always_shown(object_type)]
    return [represent_property(each, each.group.name) for each in own] + [
        represent_property(each, first) for each in system
    ]


def find_property(object_type: ObjectType, name: str) -> Property:
    """A property that can be changed. Raises ApiError (404) if there is none."""
    prop = object_type.properties.filter(name=name).select_related("group", "object_type").first()
    if prop is None:
        raise no_property(name)
    return prop


def no_property(name: str) -> ApiError:
    return not_found(f'Property "{shown(name)}" does not exist', context={"propertyName": [shown(name)]})


def find_group(object_type: ObjectType, name: str) -> PropertyGroup | None:
    return object_type.property_groups.filter(name=name).first()


# From HubSpot's definition ------------------------------------------------------------------------


def new_property(
    body: bodies.ObjectTypePropertyCreate, groups: Mapping[str, PropertyGroup] | None = None
) -> dict[str, Any]:
    """The arguments of `create_property`. `groups` are those of the object type; None for a type that is just made."""
    type_, field_type, hints = kind_of(body.type, body.field_type, body.calculation_formula)
    fields: dict[str, Any] = {
        "name": body.name,
        "label": body.label,
        "type": type_,
        "field_type": field_type,
        "description": body.description or "",
        "has_unique_value": bool(body.has_unique_value),
        "hints": hints | given_hints(body),
    }
    if type_ == Property.Type.ENUMERATION:
        fields["options"] = kept_options(body.options or [])
    elif type_ == Property.Type.BOOL and body.options:
        fields["hints"]["options"] = kept_options(body.options)
    if body.display_order is not None:
        fields["display_order"] = body.display_order
    if groups is not None and body.group_name is not None:
        if body.group_name not in groups:
            raise bad_request(f"There is no property group {shown(body.group_name)!r}; create it first.")
        fields["group"] = groups[body.group_name]
    return fields


def kind_of(type_: str, field_type: str, formula: str | None = None) -> tuple[str, str, dict[str, Any]]:
    """Type and field type here, and what to remember of those that were named. Raises ApiError for other kinds."""
    if field_type == "calculation_equation" or formula:
        raise bad_request("Calculated properties are not supported here; leave out calculationFormula.")
    meant = {"type": type_, "fieldType": field_type}
    match type_, field_type:
        case "enumeration" | "bool", "booleancheckbox":
            kind = ("bool", "booleancheckbox")
        case "bool", "select" | "radio":
            kind = ("bool", "booleancheckbox")
        case "phone_number", "phonenumber" | "text":
            kind = ("string", "phonenumber")
        case "string", "file":
            kind = ("string", "text")
        case _:
            kind = (type_, field_type)
    if kind[1] not in FIELD_TYPES.get(kind[0], ()):
        fits = ", ".join(FIELD_TYPES.get(kind[0], ("phonenumber",)))
        raise bad_request(f"The fieldType {field_type!r} does not fit the type {type_!r}; use one of: {fits}.")
    here = {"type": kind[0], "fieldType": kind[1]}
    return *kind, {name: value for name, value in meant.items() if here[name] != value}


def given_hints(body: bodies.Hints) -> dict[str, Any]:
    given = body.model_dump(by_alias=True, include=set(HINTS))
    return {name: value for name, value in given.items() if value is not None}


def kept_options(options: Sequence[bodies.OptionInput]) -> list[dict[str, Any]]:
    return [each.model_dump(by_alias=True, exclude_none=True) for each in options]


def changes_of(prop: Property, body: bodies.PropertyUpdate) -> dict[str, Any]:
    """The arguments of `update_property`: what the body names. Raises ApiError for what cannot be changed."""
    changes: dict[str, Any] = {}
    hints = dict(prop.hints)
    if body.type is not None or body.field_type is not None:
        meant = body.type or hints.get("type", prop.type), body.field_type or hints.get("fieldType", prop.field_type)
        type_, field_type, remembered = kind_of(*meant, body.calculation_formula)
        if type_ != prop.type:
            raise bad_request(f"{prop.name} is {prop.type}; the type of a property stays as it was created.")
        hints = {key: value for key, value in hints.items() if key not in ("type", "fieldType")} | remembered
        if field_type != prop.field_type:
            changes["field_type"] = field_type
    hints |= given_hints(body)
    if body.options is not None:
        if prop.type == Property.Type.BOOL:
            hints["options"] = kept_options(body.options)
        else:
            changes["options"] = kept_options(body.options)
    for name in ("label", "description", "display_order"):
        if (value := getattr(body, name)) is not None:
            changes[name] = value
    if body.group_name is not None:
        group = find_group(prop.object_type, body.group_name)
        if group is None:
            raise bad_request(f"There is no property group {shown(body.group_name)!r}; create it first.")
        changes["group"] = group
    return changes | ({"hints": hints} if hints != prop.hints else {})
