"""What follows from a record's values and is written with it: who holds a unique value, and the match keys.

Called by the services that change records, inside their transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from django.db import IntegrityError, connection, transaction

from associations import sql
from associations.comparison import match_key, name_key
from associations.errors import InvalidRecords, Refused, ValueProblem
from associations.models import MatchIndex, MatchKey, ObjectType, Property, Record, UniqueValue

from . import match_keys

T = TypeVar("T")
TAKEN = "UNIQUE_VALUE_TAKEN"


@dataclass(frozen=True)
class Schema:
    """What the records of a type must be like: the type, its properties by name, those whose values are unique, and of
    which ones match keys are kept. And ids that were set aside for new ones."""

    object_type: ObjectType
    properties: Mapping[str, Property]
    unique: Sequence[Property]
    kept: Sequence[match_keys.Kept]
    new_ids: Sequence[int] = ()


# By object type: in which version it and its properties were read, and they. To read forty of them takes more time than
# to write a record; whoever changes one has the type to himself.
_known: dict[int, tuple[tuple[object, ...], ObjectType, dict[str, Property]]] = {}


def lock_schema(object_type: ObjectType, new: int = 0) -> Schema:
    """What the records of a type must be like, which stays so until the transaction ends: also where it has changed
    since the caller read the type, as it may during a long import. Everybody shares it. Who knows how many records will
    be new has their ids with it. Raises Refused where it is gone."""
    version, indexes, new_ids = sql.hold_schema(object_type.pk, new)
    known = _known.get(object_type.pk)
    if known is None or known[0] != version:
        newest = ObjectType.objects.filter(pk=object_type.pk).first()
        if newest is None:
            raise Refused(f"{object_type.label} is no longer an object type; it was deleted a moment ago.")
        known = _known[newest.pk] = version, newest, {prop.name: prop for prop in newest.properties.all()}
    _, object_type, properties = known
    names = {prop.pk: prop.name for prop in properties.values()}
    kept = [match_keys.Kept(id_, names[property_id], comparison) for id_, property_id, comparison in indexes]
    unique = [prop for prop in properties.values() if prop.has_unique_value]
    return Schema(object_type, properties, unique, kept, new_ids)


def unique_key(value: object) -> bytes | None:
    """How a unique value is compared: normalized, so that an e-mail address in capitals is the same one."""
    return match_key(value, MatchIndex.Comparison.NORMALIZED)


def derive(schema: Schema, records: Sequence[Record]) -> tuple[Sequence[sql.Row], Sequence[sql.Row]]:
    """What follows from the values of live records: the unique ones that they hold, their match keys (sql.Saving)."""
    held = [
        (prop.pk, record.pk, key)
        for prop in schema.unique
        for record in records
        if (key := unique_key(record.properties.get(prop.name))) is not None
    ]
    # In one order for everybody: two that save the same values at once meet at the first, not crosswise.
    held.sort(key=lambda each: (each[0], each[2]))
    return held, match_keys.keys_of(records, schema.kept)


def write_derived(schema: Schema, changed: Sequence[Record]) -> None:
    """Write what follows from the values of live records in place of what there was."""
    sql.write_derived([record.pk for record in changed], *derive(schema, changed))


def rebuild_names(object_type: ObjectType) -> int:
    """Read anew what the records of a type are searched and sorted by; how many were wrong."""
    records, mended = Record.objects.filter(object_type=object_type), 0
    for first, last in match_keys.id_ranges(records.order_by("id").values_list("id", flat=True)):
        with transaction.atomic():
            chunk = records.filter(id__range=(first, last)).order_by("id").select_for_update(no_key=True)
            wrong = []
            for record in chunk:
                name = name_key(record.properties.get(object_type.primary_property))
                if name != bytes(record.name_key):
                    record.name_key = name
                    wrong.append(record)
            mended += Record.objects.bulk_update(wrong, ["name_key"], batch_size=500)
    return mended


def remove_derived(records: Sequence[Record]) -> None:
    """An archived record holds no unique value and matches nothing."""
    UniqueValue.objects.filter(record__in=records).delete()
    MatchKey.objects.filter(record__in=records).delete()


def refuse_taken_values(unique: Sequence[Property], records: Sequence[Record], changed: set[int]) -> None:
    """Refuse a unique value that another record holds, saved before or earlier in the same request.

    What a changed record held before it may have given up: then it is free for the others of the request.
    A record that is refused holds nothing against a later one.
    """
    wanted = [
        {} if record.pk is not None and record.pk not in changed else _unique_keys(unique, record) for record in records
    ]
    holders = {prop.pk: holders_of(prop, [keys[prop] for keys in wanted if prop in keys]) for prop in unique}
    claims: dict[tuple[Property, bytes], int] = {}
    problems = []
    for index, (record, keys) in enumerate(zip(records, wanted, strict=True)):
        taken = []
        for prop, key in keys.items():
            holder, rival = holders[prop.pk].get(key, record.pk), claims.get((prop, key))
            if holder != record.pk and holder not in changed:
                by = f"{prop.object_type.label.lower()} {holder}"
                reason = _taken(prop, record, by)
                taken.append(ValueProblem(index, prop.name, reason, None, TAKEN, holder, prop.object_type.label))
            elif rival is not None:
                by = "another one of this request"
                taken.append(ValueProblem(index, prop.name, _taken(prop, record, by), rival, TAKEN))
        if not taken:
            claims |= dict.fromkeys(keys.items(), index)
        problems += taken
    if problems:
        raise InvalidRecords(problems)


def _unique_keys(unique: Sequence[Property], record: Record) -> dict[Property, bytes]:
    keys = {prop: unique_key(record.properties.get(prop.name)) for prop in unique}
    return {prop: key for prop, key in keys.items() if key is not None}


def holders_of(prop: Property, keys: Sequence[bytes]) -> dict[bytes, int]:
    """Which record holds each of these values."""
    return sql.holders_of(prop.pk, keys)


def _taken(prop: Property, record: Record, by: str) -> str:
    return f"must be unique, but {record.properties[prop.name]!r:.80} belongs to {by}"


def constraint_first(change: Callable[[bool], T]) -> T:
    """Run a change of few values without looking whether the unique ones are free, as they nearly always are; where the
    constraint refuses one, run it again with the look (True), which names the holder. Within a transaction of somebody
    else's, which a refusal would end, it looks at once."""
    if not connection.in_atomic_block:
        with suppress(IntegrityError), transaction.atomic():
            return change(False)
    return again_if_overtaken(partial(change, True))


def again_if_overtaken(change: Callable[[], T]) -> T:
    """Run a change once more when another one took a unique value between its look and its write.

    The constraint decides; the second look then names the holder.
    """
    try:
        with transaction.atomic():
            return change()
    except IntegrityError:
        if connection.in_atomic_block:
            raise
        with transaction.atomic():
            return change()
