"""What a save of records asks and writes, in few messages: to a single record they are more than what is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import connection

from associations.models import ChangeSet, Record

from .base import FEW, in_ids, lock_of_object_type, marks
from .messages import Row, Statement, is_postgresql, together

# Up to so many rows are written out.
AS_VALUES = 10
_UNIQUE, _KEYS = "associations_uniquevalue", "associations_matchkey"


def hold_schema(object_type_id: int) -> tuple[Row, list[Row]]:
    """Keep what the records of a type must be like until the transaction ends; everybody who saves shares it. In which
    version it is: another one after every change of the type or of one of its properties; and which match keys follow
    from the values: (index id, property id, comparison).

    Asked together with the lock but after it, so that it is what the last one to change it has left (property by object
    type and name).
    """
    version = (
        "SELECT (SELECT updated_at FROM associations_objecttype WHERE id = %s), count(*), max(updated_at)"
        " FROM associations_property WHERE object_type_id = %s"
    )
    indexes = (  # few, in any case: so the planner has the least to think about
        "SELECT id, property_id, comparison FROM associations_matchindex"
        " WHERE built_at IS NOT NULL"
        " AND (SELECT object_type_id FROM associations_property p WHERE p.id = property_id) = %s"
    )
    *_, [found], kept = together(
        *lock_of_object_type(object_type_id, exclusive=False),
        (version, [object_type_id, object_type_id]),
        (indexes, [object_type_id]),
    )
    return found, kept


def holders_of(property_id: int, keys: Sequence[bytes]) -> dict[bytes, int]:
    """Which record holds each of some values of a unique property (unique_value_belongs_to_one_record)."""
    select = f"SELECT key, record_id FROM {_UNIQUE} WHERE property_id = %s AND key"
    if is_postgresql():
        statements: list[Statement] = [(f"{select} = ANY(%s)", [property_id, list(keys)])] if keys else []
    else:
        chunks = _chunks(keys, FEW)
        statements = [(f"{select} IN ({marks(chunk)})", [property_id, *chunk]) for chunk in chunks]
    return {bytes(key): record_id for rows in together(*statements) for key, record_id in rows}


def insert_change_set(new: ChangeSet, records: Sequence[Record] = ()) -> tuple[int, list[int]]:
    """Begin a change, and write the records that are new in it; its id, and theirs in the same order."""
    change_set = (
        "INSERT INTO associations_changeset (at, processed_at, source, source_id, user_id, note, depth)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        [_at(new.at), _at(new.processed_at), new.source, new.source_id, new.user_id, new.note, new.depth],
    )
    columns = {
        "object_type_id": "bigint",
        "properties": "jsonb",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "name_key": "bytea",
    }
    rows = [
        (each.object_type_id, json.dumps(each.properties), _at(each.created_at), _at(each.updated_at), each.name_key)
        for each in records
    ]
    [(id_,)], *written = together(change_set, *_insert("associations_record", columns, rows, " RETURNING id"))
    return id_, sorted(record_id for ids in written for (record_id,) in ids)


def write_derived(
    changed: Sequence[int], unique_values: Sequence[Row], keys: Sequence[Row], created: Sequence[tuple[int, int]]
) -> None:
    """Write what comes with the values of records: the unique ones that they hold (property, record, key) and their
    match keys (index, record, key), of changed records in place of what there was; and that some were created (change
    set, record)."""
    of_changed, ids = in_ids("record_id", changed)
    of_property = {"property_id": "bigint", "record_id": "bigint", "key": "bytea"}
    of_index = {"index_id": "bigint", "record_id": "bigint", "key": "bytea"}
    of_event = {"change_set_id": "bigint", "record_id": "bigint", "kind": "text", "before": "jsonb"}
    together(
        *((f"DELETE FROM {name} WHERE {of_changed}", ids) for name in (_UNIQUE, _KEYS) if changed),
        *_insert(_UNIQUE, of_property, unique_values),
        *_insert(_KEYS, of_index, keys),
        *_insert("associations_recordevent", of_event, [(*each, "created", "{}") for each in created]),
    )


def _insert(table: str, columns: Mapping[str, str], rows: Sequence[Row], returning: str = "") -> list[Statement]:
    """What inserts rows, however many; the columns with their types. SQLite takes so many values in a statement, and
    PostgreSQL thinks less about a few values than about an array of each column."""
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    if is_postgresql() and len(rows) > AS_VALUES:
        arrays = ", ".join(f"%s::{type_}[]" for type_ in columns.values())
        values = [list(column) for column in zip(*rows, strict=True)]
        return [(f"{into} SELECT * FROM unnest({arrays}){returning}", values)]
    row = f"({marks(list(columns))})"
    return [
        (f"{into} VALUES {', '.join([row] * len(chunk))}{returning}", list(chain.from_iterable(chunk)))
        for chunk in _chunks(rows, FEW // len(columns))
    ]


def _at(moment: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _chunks(values: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [values[place : place + size] for place in range(0, len(values), size)]
