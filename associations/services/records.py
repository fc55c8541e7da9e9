"""Save records: the one entry for whoever creates or changes a record.

Admin, API, import and merging call these with a set of records; each is one transaction that writes the records,
what is derived from them (unique values, match keys) and their events, in a number of statements that does not
depend on how many records there are (SQLite: per 999 values).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from associations import sql
from associations.comparison import name_key
from associations.errors import InvalidRecords, Missing, Refused, ValueProblem
from associations.models import ObjectType, Property, Record
from associations.property_values import Value, read_value

from .derived import (
    Schema,
    again_if_overtaken,
    constraint_first,
    derive,
    holders_of,
    lock_schema,
    refuse_taken_values,
    unique_key,
)
from .origin import Origin, open_change_set

# HubSpot's words for what can be wrong with a value, by the property's type.
CODES = {
    Property.Type.STRING: "INVALID_TEXT",
    Property.Type.NUMBER: "INVALID_INTEGER",
    Property.Type.DATE: "INVALID_DATE",
    Property.Type.DATETIME: "INVALID_DATE",
    Property.Type.ENUMERATION: "INVALID_OPTION",
    Property.Type.BOOL: "INVALID_BOOLEAN",
}


@dataclass(frozen=True)
class RecordInput:
    """The properties to set on a new record or, with an id, on an existing one. None or "" means no value."""

    properties: Mapping[str, object]
    id: int | None = None


@dataclass
class Saved:
    """The records in the order of the inputs, and the ids of those that are new or changed."""

    records: list[Record]
    created: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)


def read_properties(
    properties: Mapping[str, Property], raw: Mapping[str, object], index: int = 0
) -> tuple[dict[str, Value | None], list[ValueProblem]]:
    """The typed values of one record's raw ones, and what is wrong with the others."""
    values: dict[str, Value | None] = {}
    problems = []
    for name, raw_value in raw.items():
        prop = properties.get(name)
        if prop is None:
            problems.append(ValueProblem(index, name, "does not exist", code="PROPERTY_DOESNT_EXIST"))
            continue
        try:
            values[name] = read_value(prop, raw_value)
        except ValueError as error:
            problems.append(ValueProblem(index, name, str(error), code=_code(prop)))
    return values, problems


def _code(prop: Property) -> str:
    return "INVALID_EMAIL" if prop.name == "email" and prop.is_builtin else CODES[Property.Type(prop.type)]


def save_records(
    object_type: ObjectType,
    inputs: Sequence[RecordInput],
    *,
    origin: Origin,
    upsert_by: str | None = None,
) -> Saved:
    """Create and update records of one type, all or none.

    With `upsert_by` (a unique property) an input without id updates the record that holds its value, if one does.
    Raises InvalidRecords with every value that cannot be kept, Refused for a record that does not exist.
    """

    def change(look: bool = True) -> Saved:
        schema = lock_schema(object_type, 0 if upsert_by else sum(each.id is None for each in inputs))
        values, problems = [], []
        for index, each in enumerate(inputs):
            read, wrong = read_properties(schema.properties, each.properties, index)
            values.append(read)
            problems += wrong
        if problems:
            raise InvalidRecords(problems)
        ids = [each.id for each in inputs]
        return save_values(schema, values, ids, origin=origin, upsert_by=upsert_by, look=look)

    return constraint_first(change) if len(inputs) == 1 else again_if_overtaken(change)


def save_values(
    schema: Schema,
    values: Sequence[Mapping[str, Value | None]],
    given_ids: Sequence[int | None],
    *,
    origin: Origin,
    upsert_by: str | None = None,
    look: bool = True,
) -> Saved:
    """What `save_records` does, with values that `read_properties` gave for the `lock_schema` of the caller's
    transaction. The caller does all of that again when it is overtaken. Without a `look` at who holds unique values the
    constraint alone refuses one that is taken.
    """
    object_type = schema.object_type
    ids = _ids_by_unique_value(schema.properties, upsert_by, given_ids, values) if upsert_by else given_ids
    existing = _lock_live(object_type, [id_ for id_ in ids if id_ is not None])

    now = timezone.now()
    records, before = [], []
    for id_, given in zip(ids, values, strict=True):
        record = existing[id_] if id_ is not None else Record(object_type=object_type, created_at=now)
        before.append(record.properties)
        merged = {**record.properties, **given}
        record.properties = {name: value for name, value in merged.items() if value is not None}
        records.append(record)

    new = [record for record in records if record.pk is None]
    _refuse_incomplete(object_type, records)
    with_former = [
        (record, was)
        for record, was in zip(records, before, strict=True)
        if record.pk is not None and record.properties != was
    ]
    changed = [record for record, _ in with_former]
    for record in new + changed:
        record.updated_at = now
        record.name_key = name_key(record.properties.get(object_type.primary_property))

    if look:
        refuse_taken_values(schema.unique, records, {record.pk for record in changed})
    if not new and not changed:
        return Saved(records)
    new_ids = schema.new_ids if len(schema.new_ids) == len(new) else sql.ids_of_new(len(new))
    for record, new_id in zip(new, new_ids, strict=True):
        record.pk = new_id
    open_change_set(origin, sql.Saving(new, with_former, *derive(schema, [*changed, *new])))
    return Saved(records, {record.pk for record in new}, {record.pk for record in changed})


def _refuse_incomplete(object_type: ObjectType, records: Sequence[Record]) -> None:
    """A new record has to have a value of every required property."""
    problems = [
        ValueProblem(index, name, "is required; give it a value", code="REQUIRED_PROPERTY")
        for index, record in enumerate(records)
        for name in object_type.required_properties
        if record.pk is None and name not in record.properties
    ]
    if problems:
        raise InvalidRecords(problems)


def _ids_by_unique_value(
    properties: Mapping[str, Property], name: str, ids: Sequence[int | None], values: Sequence[Mapping[str, Any]]
) -> list[int | None]:
    prop = properties.get(name)
    if prop is None or not prop.has_unique_value:
        raise Refused(f"{name} is not a unique property; records cannot be found by it.")
    keys = [unique_key(each.get(name)) for each in values]
    holders = holders_of(prop, [key for key in keys if key])
    return [id_ if id_ is not None or key is None else holders.get(key) for id_, key in zip(ids, keys, strict=True)]


def _lock_live(object_type: ObjectType, ids: Sequence[int]) -> dict[int, Record]:
    """The live records of these ids, locked in id order; not against those who only refer to them."""
    if not ids:
        return {}
    if len(set(ids)) < len(ids):
        twice = next(id_ for id_ in ids if ids.count(id_) > 1)
        raise Refused(f"{object_type.label} {twice} occurs twice in one request.")
    records = Record.objects.filter(object_type=object_type, archived_at=None, id__in=ids)
    found = {record.pk: record for record in records.order_by("id").select_for_update(no_key=True)}
    if missing := set(ids) - found.keys():
        raise Missing(object_type.label, missing)
    return found
