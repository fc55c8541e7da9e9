"""Match keys: the derived table that lets an action match property values by one index join.

Kept only for the properties and comparisons that some action matches on (a MatchIndex each); written with the
record, rebuilt by the command `rebuild_match_keys`, checked by `check_associations`.
Called by services.records and by the workflows that need an index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils import timezone

from associations import querysets, sql
from associations.comparison import match_key
from associations.models import MatchIndex, MatchKey, Property, Record

CHUNK = 10_000
# So many keys one statement names.
SOME = 500


def ensure_match_index(prop: Property, comparison: str) -> MatchIndex:
    """The index of a property's values, built over all records if nothing matched on it before.

    Writers are held up only for the moment in which the index is announced: whoever saves after that writes the
    keys too, and what was saved before is read chunk by chunk.
    """
    index = MatchIndex.objects.filter(property=prop, comparison=comparison).select_related("property").first()
    if index is None:
        with transaction.atomic():
            sql.lock_object_type(prop.object_type_id, exclusive=True)
            index, _ = MatchIndex.objects.get_or_create(property=prop, comparison=comparison)
    if index.built_at is None:
        rebuild(index)
    return index


def ensure_match_indexes(props: Sequence[Property], comparison: str) -> list[MatchIndex]:
    """The indexes of several properties, by one query where they are built."""
    indexes = MatchIndex.objects.filter(property__in=props, comparison=comparison, built_at__isnull=False)
    built = {index.property_id: index for index in indexes}
    for prop in props:
        if prop.pk in built:
            built[prop.pk].property = prop
    return [built.get(prop.pk) or ensure_match_index(prop, comparison) for prop in props]


def rebuild(index: MatchIndex) -> int:
    """Read the keys of every live record anew; how many keys there are now."""
    records = Record.objects.filter(object_type_id=index.property.object_type_id)
    count = 0
    for first, last in id_ranges(records.order_by("id").values_list("id", flat=True)):
        with transaction.atomic():
            # Locked before all else, so that a save of one of these records comes either before the read or after
            # the write. A record that is new since then has written its own key, which stays.
            chunk = records.filter(id__range=(first, last)).order_by("id").select_for_update(no_key=True)
            values = _values(chunk, index.property.name)
            MatchKey.objects.filter(index=index, record__in=sql.these(id_ for id_, _, _ in values)).delete()
            live = ((id_, match_key(value, index.comparison)) for id_, value, archived in values if archived is None)
            count += sql.insert_match_keys(index.pk, [(id_, key) for id_, key in live if key is not None])
    index.built_at = timezone.now()
    index.save(update_fields=["built_at"])
    sql.look_at(MatchKey._meta.db_table)
    return count


def forget_unused(used: Callable[[], Collection[tuple[int, str]]]) -> int:
    """Keep the values no longer that nothing matches on; how many keys went. `used` tells, when it is asked, which ones
    something matches on: (property id, comparison). Matching on them again builds the keys anew.
    """
    for object_type_id in sorted(set(MatchIndex.objects.values_list("property__object_type", flat=True))):
        with transaction.atomic():
            # Whoever is to match on a value says so before or after this, and whoever saves one knows its indexes.
            sql.lock_object_type(object_type_id, exclusive=True)
            kept = used()
            indexes = MatchIndex.objects.filter(property__object_type=object_type_id)
            unused = [each.pk for each in indexes if (each.property_id, each.comparison) not in kept]
            indexes.filter(pk__in=unused)._raw_delete(using=indexes.db)
    return sum(_forget_keys(index_id) for index_id in _gone())


def _gone() -> list[int]:
    """The ids of indexes that there were. Their keys may still be there, too, where somebody died while they went."""
    there = set(MatchIndex.objects.values_list("id", flat=True))
    last = MatchKey.objects.order_by("-index").values_list("index_id", flat=True).first() or 0
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
    name, records = prop.name, querysets.live_records(prop.object_type, ids).order_by()
    rows: Iterable[tuple[int, Any]]
    if prop.type == Property.Type.STRING:
        rows = records.values_list("id", KeyTextTransform(name, "properties")).iterator(CHUNK)
    elif sql.is_postgresql():
        rows = records.values_list("id", KeyTransform(name, "properties")).iterator(CHUNK)
    else:
        whole = records.values_list("id", "properties").iterator(CHUNK)
        rows = ((id_, properties.get(name)) for id_, properties in whole)
    return ((id_, key) for id_, value in rows if (key := match_key(value, comparison)) is not None)


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
        sql.insert_match_keys(index.pk, list(of_records.items()))
    sql.analyze(MatchKey._meta.db_table)


def _values(records: QuerySet[Record], name: str) -> list[tuple[int, Any, Any]]:
    """(record id, value, archived at). From the whole document where the database reads a number in it less exactly."""
    if sql.is_postgresql():
        return list(records.values_list("id", KeyTransform(name, "properties"), "archived_at"))
    whole = records.values_list("id", "properties", "archived_at")
    return [(id_, properties.get(name), archived) for id_, properties, archived in whole]


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
