"""What a save of records asks and writes, in few messages: to a single record they are more than what is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Any

from django.db import connection

from associations.models import ChangeSet, Record, RecordEvent

from .base import FEW, in_ids, lock_of_object_type, marks
from .messages import Row, Statement, fetch, is_postgresql, last_id, new_ids, together

# Up to so many rows are written out.
AS_VALUES = 10
_NONE: Mapping[str, str] = MappingProxyType({})
_UNIQUE, _KEYS = "associations_uniquevalue", "associations_matchkey"
_RECORD = "associations_record"
_RECORD_COLUMNS = {
    "id": "bigint",
    "object_type_id": "bigint",
    "properties": "jsonb",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "name_key": "bytea",
}


@dataclass(frozen=True)
class Saving:
    """What a save of records writes: those that are new, with ids that were set aside for them; those that changed,
    with their properties before; and what follows from the values of all these: the unique ones that they hold
    (property id, record id, key) and their match keys (index id, record id, key)."""

    new: Sequence[Record] = ()
    changed: Sequence[tuple[Record, dict[str, Any]]] = ()
    unique_values: Sequence[Row] = ()
    match_keys: Sequence[Row] = ()


NOTHING = Saving()


def hold_schema(object_type_id: int, new: int = 0) -> tuple[Row, list[Row], list[int]]:
    """Keep what the records of a type must be like until the transaction ends; everybody who saves shares it. In which
    version it is: another one after every change of the type or of one of its properties; which match keys follow
    from the values: (index id, property id, comparison); and the ids of so many `new` records.

    Asked together with the lock but after it, so that it is what the last one to change it has left (property by object
    type and name).
    """
    version = (
        "SELECT (SELECT CAST(updated_at AS text) FROM associations_objecttype WHERE id = %s),"
        " count(*), CAST(max(updated_at) AS text)"
        " FROM associations_property WHERE object_type_id = %s"
    )
    indexes = (  # few, in any case: so the planner has the least to think about
        "SELECT id, property_id, comparison FROM associations_matchindex"
        " WHERE built_at IS NOT NULL"
        " AND (SELECT object_type_id FROM associations_property p WHERE p.id = property_id) = %s"
    )
    aside = [new_ids(Record, new)] if new else []
    *before, [found], kept = together(
        *lock_of_object_type(object_type_id, exclusive=False),
        *aside,
        (version, [object_type_id, object_type_id]),
        (indexes, [object_type_id]),
    )
    return found, kept, [id_ for (id_,) in before[-1]] if aside else []


def ids_of_new(count: int) -> list[int]:
    """Set ids aside for so many records, which the transaction then writes."""
    return [id_ for (id_,) in fetch(*new_ids(Record, count))]


def holders_of(property_id: int, keys: Sequence[bytes]) -> dict[bytes, int]:
    """Which record holds each of some values of a unique property (unique_value_belongs_to_one_record)."""
    select = f"SELECT key, record_id FROM {_UNIQUE} WHERE property_id = %s AND key"
    if is_postgresql():
        statements: list[Statement] = [(f"{select} = ANY(%s)", [property_id, list(keys)])] if keys else []
    else:
        chunks = _chunks(keys, FEW)
        statements = [(f"{select} IN ({marks(chunk)})", [property_id, *chunk]) for chunk in chunks]
    return {bytes(key): record_id for rows in together(*statements) for key, record_id in rows}


def insert_change_set(change_set: ChangeSet, saving: Saving) -> int:
    """Begin a change, and write the records that are saved by it, all in one message; its id."""
    at = [_at(change_set.at), _at(change_set.processed_at)]
    source = [change_set.source, change_set.source_id, change_set.user_id]
    begin = (
        "INSERT INTO associations_changeset (at, processed_at, source, source_id, user_id, note, depth)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        [*at, *source, change_set.note, change_set.depth],
    )
    changed = [record for record, _ in saving.changed]
    replace = ", ".join(f"{name} = excluded.{name}" for name in ("properties", "updated_at", "name_key"))
    [(id_,)], *_ = together(
        begin,
        *_insert(_RECORD, _RECORD_COLUMNS, _rows(saving.new)),
        *_insert(_RECORD, _RECORD_COLUMNS, _rows(changed), after=f" ON CONFLICT (id) DO UPDATE SET {replace}"),
        *_derived([record.pk for record in changed], saving.unique_values, saving.match_keys),
        *_events(last_id(ChangeSet), RecordEvent.Kind.CREATED, [(record, {}) for record in saving.new]),
        *_events(last_id(ChangeSet), RecordEvent.Kind.CHANGED, saving.changed),
    )
    return int(id_)


def _rows(records: Sequence[Record]) -> list[Row]:
    return [
        (
            each.pk,
            each.object_type_id,
            json.dumps(each.properties),
            _at(each.created_at),
            _at(each.updated_at),
            each.name_key,
        )
        for each in records
    ]


def write_events(change_set_id: int, kind: str, records: Sequence[tuple[Record, dict[str, Any]]]) -> None:
    """Tell what happened to records by a change set that has been begun, each with its properties before."""
    together(*_events(str(int(change_set_id)), kind, records))


def _events(change_set: str, kind: str, records: Sequence[tuple[Record, dict[str, Any]]]) -> list[Statement]:
    """The same as statements; the change set as an expression."""
    same = {"change_set_id": change_set, "kind": f"'{kind}'"}
    rows = [(record.pk, json.dumps(before)) for record, before in records]
    return _insert("associations_recordevent", {"record_id": "bigint", "before": "jsonb"}, rows, same)


def write_derived(changed: Sequence[int], unique_values: Sequence[Row], match_keys: Sequence[Row]) -> None:
    """Write what follows from the values of changed records, as in a Saving, in place of what there was."""
    together(*_derived(changed, unique_values, match_keys))


def _derived(changed: Sequence[int], unique_values: Sequence[Row], match_keys: Sequence[Row]) -> list[Statement]:
    of_changed, ids = in_ids("record_id", changed)
    columns = {"record_id": "bigint", "key": "bytea"}
    return [
        *((f"DELETE FROM {name} WHERE {of_changed}", ids) for name in (_UNIQUE, _KEYS) if changed),
        *_insert(_UNIQUE, {"property_id": "bigint", **columns}, unique_values),
        *_insert(_KEYS, {"index_id": "bigint", **columns}, match_keys),
    ]


def _insert(
    table: str, columns: Mapping[str, str], rows: Sequence[Row], fixed: Mapping[str, str] = _NONE, after: str = ""
) -> list[Statement]:
    """What inserts rows, however many; the columns with their types, and the expressions of those that are the same in
    each. SQLite takes so many values in a statement, and PostgreSQL thinks less about a few values than about an array
    of each column."""
    into = f"INSERT INTO {table} ({', '.join([*fixed, *columns])})"
    same = "".join(f"{each}, " for each in fixed.values())
    if is_postgresql() and len(rows) > AS_VALUES:
        arrays = ", ".join(f"%s::{type_}[]" for type_ in columns.values())
        values = [list(column) for column in zip(*rows, strict=True)]
        return [(f"{into} SELECT {same}given.* FROM unnest({arrays}) AS given{after}", values)]
    row = f"({same}{marks(list(columns))})"
    return [
        (f"{into} VALUES {', '.join([row] * len(chunk))}{after}", list(chain.from_iterable(chunk)))
        for chunk in _chunks(rows, FEW // len(columns))
    ]


def _at(moment: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _chunks(values: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [values[place : place + size] for place in range(0, len(values), size)]
