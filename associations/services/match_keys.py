"""Match keys: the derived table that lets an action match property values by one index join.

Kept only for the properties and comparisons that some action matches on (a MatchIndex each); written with the
record, rebuilt by the command `rebuild_match_keys`, checked by `check_associations`.
Called by services.records and by the workflows that need an index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils import timezone

from associations import querysets, sql
from associations.comparison import match_key
from associations.models import MatchIndex, MatchKey, Property, Record, RecordEvent

CHUNK = 10_000
# So many keys one statement names.
SOME = 500


def ensure_match_index(prop: Property, comparison: str) -> MatchIndex:
    """The index of a property's values, built over all records if nothing matched on it before."""
    while True:
        index, _ = MatchIndex.objects.select_related("property").get_or_create(property=prop, comparison=comparison)
        if index.built_at is not None:
            return index
        _build(index)


def ensure_match_indexes(props: Sequence[Property], comparison: str) -> list[MatchIndex]:
    """The indexes of several properties, by one query where they are built."""
    built = sql.built_match_indexes([prop.pk for prop in props], comparison)
    return [
        MatchIndex(pk=built[prop.pk], property=prop, comparison=comparison)
        if prop.pk in built
        else ensure_match_index(prop, comparison)
        for prop in props
    ]


def rebuild(index: MatchIndex) -> int:
    """Read the keys of every live record anew; how many keys there are now."""
    if index.built_at is None:
        return MatchKey.objects.filter(index=ensure_match_index(index.property, index.comparison)).count()
    records = Record.objects.filter(object_type_id=index.property.object_type_id)
    count = 0
    for first, last in id_ranges(records.order_by("id").values_list("id", flat=True)):
        with transaction.atomic():
            # Locked before all else, so that a save of one of these records comes either before the read or after
            # the write. A record that is new since then has written its own key, which stays.
            chunk = records.filter(id__range=(first, last)).order_by("id").select_for_update(no_key=True)
            count += _write_anew(index, list(chunk.values_list("id", flat=True)))
    MatchIndex.objects.filter(pk=index.pk).update(built_at=timezone.now())
    sql.look_at(MatchKey._meta.db_table)
    return count


def _build(index: MatchIndex) -> None:
    """Write the keys of all live records. Until all are there nobody else writes any: whoever saves a record meanwhile
    leaves an event, by which it is read again. Savers are held up only for the moments in which that is counted, and
    for the reading of what happened in the last of them. Whoever finds an index half built, for others are at it
    or died, goes on from there.
    """
    object_type_id = index.property.object_type_id
    if index.last_event is None:
        index.last_event = _last_event(object_type_id)
        MatchIndex.objects.filter(pk=index.pk, last_event=None).update(last_event=index.last_event)
    while _read_on(index):
        pass
    last_event = _last_event(object_type_id)
    changed = sorted(_changed_since(index))
    for start in range(0, len(changed), CHUNK):
        with _turn(index) as is_ours:
            if is_ours:
                _write_anew(index, changed[start : start + CHUNK])
    MatchIndex.objects.filter(pk=index.pk).update(last_event=last_event)
    with transaction.atomic():
        sql.lock_object_type(object_type_id, exclusive=True)
        with _turn(index) as is_ours:
            if is_ours:
                _write_anew(index, _changed_since(index))
                MatchIndex.objects.filter(pk=index.pk).update(built_at=timezone.now())
    sql.look_at(MatchKey._meta.db_table)


def _last_event(object_type_id: int) -> int:
    """The last of what has happened to records. Whoever was just saving one of this type is done: what those do who
    begin now comes after it."""
    with transaction.atomic():
        sql.lock_object_type(object_type_id, exclusive=True)
        return RecordEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0


@contextmanager
def _turn(index: MatchIndex) -> Iterator[bool]:
    """A step of a build, of which there is one at a time; whether the index is still there and to be built. Nobody
    archives, merges or deletes a record between its being read and the writing of its key."""
    with transaction.atomic():
        sql.hold_ends([index.property.object_type_id])
        now = MatchIndex.objects.select_for_update().filter(pk=index.pk, built_at=None).first()
        if now:
            index.last_record, index.last_event = now.last_record, now.last_event
        yield now is not None


def _read_on(index: MatchIndex) -> bool:
    """Write the keys of the next records; whether there were any."""
    with _turn(index) as is_ours:
        records = querysets.live_records(index.property.object_type).filter(id__gt=index.last_record).order_by("id")
        values = list(_values(index.property, records[:CHUNK])) if is_ours else []
        sql.insert_match_keys(index.pk, _keys(values, index.comparison))
        if values:
            MatchIndex.objects.filter(pk=index.pk).update(last_record=values[-1][0])
    return bool(values)


def _changed_since(index: MatchIndex) -> set[int]:
    """The records to which something has happened since the last event that the build knows of."""
    events = RecordEvent.objects.filter(id__gt=index.last_event, record__object_type=index.property.object_type_id)
    return set(events.values_list("record_id", flat=True))


def _write_anew(index: MatchIndex, ids: Collection[int]) -> int:
    """Write the keys of some records in place of what there is; how many."""
    MatchKey.objects.filter(index=index, record__in=sql.these(ids)).delete()
    values = _values(index.property, querysets.live_records(index.property.object_type, ids).order_by("id"))
    return sql.insert_match_keys(index.pk, _keys(values, index.comparison))


def forget_unused(used: Callable[[], Collection[tuple[int, str]]]) -> int:
    """Keep the values no longer that nothing matches on; how many keys went. `used` tells, when it is asked, which ones
    something matches on: (property id, comparison). Matching on them again builds the keys anew. Nor does an index stay
    that is half built: what it would have to catch up with may be forgotten next.
    """
    for object_type_id in sorted(set(MatchIndex.objects.values_list("property__object_type", flat=True))):
        with transaction.atomic():
            # Whoever is to match on a value says so before or after this, whoever saves one knows its indexes, and
            # whoever builds one begins again.
            sql.lock_object_type(object_type_id, exclusive=True)
            kept = used()
            indexes = MatchIndex.objects.filter(property__object_type=object_type_id)
            unused = [
                each.pk for each in indexes if not each.built_at or (each.property_id, each.comparison) not in kept
            ]
            indexes.filter(pk__in=unused)._raw_delete(using=indexes.db)
    return sum(_forget_keys(index_id) for index_id in _gone())


def _gone() -> list[int]:
    """The ids of indexes that there were. Their keys may still be there, too, where somebody died while they went."""
    last = MatchKey.objects.order_by("-index").values_list("index_id", flat=True).first() or 0
    there = set(MatchIndex.objects.values_list("id", flat=True))  # after the keys: one that comes now is no such index
    return [id_ for id_ in range(1, last + 1) if id_ not in there]


def _forget_keys(index_id: int) -> int:
    """A chunk at a time, so that nobody waits for it."""
    keys, count = MatchKey.objects.filter(index_id=index_id).order_by("record_id"), 0
    while records := list(keys.values_list("record_id", flat=True)[:CHUNK]):
        with transaction.atomic():
            chunk = MatchKey.objects.filter(index_id=index_id, record_id__lte=records[-1])
            count += chunk._raw_delete(using=chunk.db)
    return count


def live_keys(prop: Property, comparison: str, ids: Iterable[int] | None = None) -> Iterator[tuple[int, bytes]]:
    """(record id, key) of live records, of all or of some ids, read from their values as they are now; none is kept."""
    return _keys(_values(prop, querysets.live_records(prop.object_type, ids).order_by()), comparison)


def _keys(values: Iterable[tuple[int, Any]], comparison: str) -> Iterator[tuple[int, bytes]]:
    """Of each record that has one. The same value is read once, for names of companies come a hundred times."""
    key_of = lru_cache(CHUNK, typed=True)(partial(match_key, comparison=comparison))
    return ((id_, key) for id_, value in values if (key := key_of(value)) is not None)


def _values(prop: Property, records: QuerySet[Record]) -> Iterable[tuple[int, Any]]:
    """(record id, value). From the whole document where the database reads a number in it less exactly."""
    if prop.type == Property.Type.STRING:
        return records.values_list("id", KeyTextTransform(prop.name, "properties")).iterator(CHUNK)
    if sql.is_postgresql():
        return records.values_list("id", KeyTransform(prop.name, "properties")).iterator(CHUNK)
    whole = records.values_list("id", "properties").iterator(CHUNK)
    return ((id_, properties.get(prop.name)) for id_, properties in whole)


def records_of_values(prop: Property, comparison: str, values: Iterable[object]) -> set[int]:
    """The ids of the records that hold one of some values, by their keys (match key lookup)."""
    wanted = sorted({key for value in values if (key := match_key(value, comparison)) is not None})
    keys = MatchKey.objects.filter(index__property=prop, index__comparison=comparison)
    return {
        id_
        for start in range(0, len(wanted), SOME)
        for id_ in keys.filter(key__in=wanted[start : start + SOME]).values_list("record_id", flat=True)
    }


def pretend(keys: Mapping[tuple[Property, str], Mapping[int, bytes]]) -> None:
    """Have these keys only (of a property and a comparison, by record id), in a transaction that is rolled back: behind
    shadows, so that nobody waits for it and the planner knows how few they are."""
    sql.stand_before(MatchIndex, "true")
    sql.stand_before(MatchKey)
    for (prop, comparison), of_records in keys.items():
        now = {"built_at": timezone.now()}
        index, _ = MatchIndex.objects.update_or_create(property=prop, comparison=comparison, defaults=now)
        sql.insert_match_keys(index.pk, of_records.items())
    sql.analyze(MatchKey._meta.db_table)


def id_ranges(ids) -> Iterator[tuple[int, int]]:  # type: ignore[no-untyped-def]
    """(first, last) id of each CHUNK of an ordered queryset of ids, one small query each."""
    first = ids.first()
    while first is not None:
        chunk = ids.filter(id__gte=first)
        last = chunk[CHUNK - 1 : CHUNK].first()
        if last is None:
            yield first, chunk.last()
            return
        yield first, last
        first = ids.filter(id__gt=last).first()


class Kept(NamedTuple):
    """Of which property keys are kept in an index, and how its values are compared."""

    index_id: int
    property: str
    comparison: str


def keys_of(records: Iterable[Record], kept: Iterable[Kept]) -> list[tuple[int, int, bytes]]:
    """(index id, record id, key) of records' values."""
    return [
        (each.index_id, record.pk, key)
        for record in records
        for each in kept
        if (key := match_key(record.properties.get(each.property), each.comparison)) is not None
    ]
