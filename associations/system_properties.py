"""What every record has besides the values that people define, under HubSpot's names: read, never set.

Called by the API and by the search.
"""

from __future__ import annotations

import datetime as dt

from .models import ObjectType, Property, Record
from .property_values import Value

ID, CREATED, CHANGED = "id", "created_at", "updated_at"
# Each name, and the column of a record that it stands for. Contacts have an older name of the same thing.
COLUMNS = {
    "hs_object_id": ID,
    "createdate": CREATED,
    "hs_createdate": CREATED,
    "lastmodifieddate": CHANGED,
    "hs_lastmodifieddate": CHANGED,
}
LABELS = {
    "hs_object_id": "Record ID",
    "createdate": "Create date",
    "hs_createdate": "Object create date/time",
    "lastmodifieddate": "Last modified date",
    "hs_lastmodifieddate": "Object last modified date/time",
}


def always_shown(object_type: ObjectType) -> tuple[str, ...]:
    """The ones that come with every record of a type."""
    if object_type.name == "contact":
        return ("createdate", "hs_object_id", "lastmodifieddate")
    created = () if object_type.is_builtin else ("hs_createdate",)
    return ("createdate", *created, "hs_lastmodifieddate", "hs_object_id")


def system_value(record: Record, name: str) -> str:
    match COLUMNS[name]:
        case "id":
            return str(record.pk)
        case "created_at":
            return moment(record.created_at)
        case _:
            return moment(record.updated_at)


def moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def text_of(value: Value | None) -> str | None:
    """A value as API clients see it: text, or null for none."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def as_property(object_type: ObjectType, name: str) -> Property:
    """A system property as if it were one of the type's own, for lists of properties and for searching by it."""
    is_id = COLUMNS[name] == ID
    return Property(
        object_type=object_type,
        name=name,
        label=LABELS[name],
        type=Property.Type.NUMBER if is_id else Property.Type.DATETIME,
        field_type=Property.FieldType.NUMBER if is_id else Property.FieldType.DATE,
        is_builtin=True,
        created_at=object_type.created_at,
        updated_at=object_type.updated_at,
    )
