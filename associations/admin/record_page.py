"""What a record's page shows of its associations, read in a number of queries that depends on nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from associations import querysets, sql
from associations.models import AssociationEnd, ObjectType, Record
from associations.services.provenance import change_sets_by_id, who
from associations.types import DirectedType

# How many associated records of one object type the record's page shows; all of them have a page of their own.
SHOWN = 10
# To which number they are counted on it.
MOST_COUNTED = 1_000


@dataclass
class Put:
    """The unlabeled type or a label on a pair: who or what put it there, and when, as far as that is still kept.

    `story` is what workflows know of it (a workflows.services.why.Change); set by whoever knows workflows.
    """

    directed: DirectedType
    who: str
    at: dt.datetime | None
    story: Any = None


@dataclass
class Associated:
    record: Record
    association: Put | None = None
    labels: list[Put] = field(default_factory=list)
    addable: list[DirectedType] = field(default_factory=list)

    @property
    def puts(self) -> list[Put]:
        return [*([self.association] if self.association else []), *self.labels]

    @property
    def is_primary(self) -> bool:
        return any(put.directed.type.is_primary for put in self.labels)


@dataclass
class Group:
    """The associated records of one object type: how many there are (MOST_COUNTED or more), and the first of them."""

    object_type: ObjectType
    count: int
    shown: list[Associated] = field(default_factory=list)

    @property
    def count_in_words(self) -> str:
        return querysets.counted(self.count, MOST_COUNTED)

    @property
    def has_more(self) -> bool:
        return self.count > len(self.shown)


def associations_of(record: Record, types: Sequence[DirectedType]) -> list[Group]:
    """The live records that a record is associated with; `types` are those seen from its object type."""
    unlabeled = {directed.type_id: directed for directed in types if directed.type.is_unlabeled}
    counts = sql.count_associated(record.pk, list(unlabeled), MOST_COUNTED + 1)
    groups = {
        type_id: Group(unlabeled[type_id].other_type, count)
        for type_id, count in sorted(counts.items(), key=lambda each: unlabeled[each[0]].other_type.place)
    }
    first = sql.first_associated(record.pk, list(groups), SHOWN)
    shown = _associated(record, {other_id: groups[type_id].object_type for type_id, other_id in first}, types)
    for type_id, other_id in first:
        if other_id in shown:
            groups[type_id].shown.append(shown[other_id])
    for group in groups.values():
        group.shown.sort(key=lambda each: not each.is_primary)  # the rest stays in order
    return list(groups.values())


def associated_ends(
    record: Record, unlabeled: DirectedType, *, label: DirectedType | None = None, search: str = ""
) -> QuerySet[AssociationEnd]:
    """The ends of a record's associations with one object type, of all or of those that are searched for."""
    mine = AssociationEnd.objects.filter(record=record)
    ends = mine.filter(type_id=unlabeled.type_id, other__archived_at=None)
    if label:
        ends = ends.filter(Exists(mine.filter(type_id=label.type_id, other=OuterRef("other"))))
    if search:
        found = querysets.search(querysets.live_records(unlabeled.other_type), unlabeled.other_type, search)
        ends = ends.filter(other__in=found.values("id"))
    return ends.order_by("other_id")


def read_ends(record: Record, ends: Iterable[AssociationEnd], types: Sequence[DirectedType]) -> list[Associated]:
    """The other records of some ends of one object type, with their labels."""
    by_id = {directed.type_id: directed for directed in types}
    return list(_associated(record, {end.other_id: by_id[end.type_id].other_type for end in ends}, types).values())


def _associated(
    record: Record, object_types: Mapping[int, ObjectType], types: Sequence[DirectedType]
) -> dict[int, Associated]:
    """By id, in the order of ids."""
    associated = {}
    for other in Record.objects.filter(pk__in=object_types).order_by("id"):
        other.object_type = object_types[other.pk]
        associated[other.pk] = Associated(other)
    ends = AssociationEnd.objects.filter(record=record, other__in=list(associated)).order_by("other_id", "type_id")
    rows = list(ends.values_list("other_id", "type_id", "change_set_id"))
    change_sets = change_sets_by_id({change_set_id for _, _, change_set_id in rows})
    by_id = {directed.type_id: directed for directed in types}
    for other_id, type_id, change_set_id in rows:
        change_set = change_sets.get(change_set_id)
        put = Put(by_id[type_id], who(change_set), change_set.at if change_set else None)
        if put.directed.type.is_unlabeled:
            associated[other_id].association = put
        else:
            associated[other_id].labels.append(put)
    for each in associated.values():
        there = {put.directed.type_id for put in each.labels}
        each.addable = [
            directed
            for directed in types
            if directed.other_type == each.record.object_type
            and not directed.type.is_unlabeled
            and directed.type_id not in there
        ]
    return associated
