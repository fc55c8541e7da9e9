"""What a record's page shows of its associations, read in a number of queries that depends on nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Count, Window
from django.db.models.functions import RowNumber

from associations.models import AssociationEnd, ObjectType, Record
from associations.services.provenance import change_sets_by_id, who
from associations.types import DirectedType

# How many associated records of one object type a page shows; the comfort of paging comes with its own page.
SHOWN = 50


@dataclass(frozen=True)
class Put:
    """The unlabeled type or a label on a pair: who or what put it there, and when, as far as that is still kept."""

    directed: DirectedType
    who: str
    at: dt.datetime | None


@dataclass
class Associated:
    record: Record
    association: Put | None = None
    labels: list[Put] = field(default_factory=list)


@dataclass
class Group:
    """The associated records of one object type: how many there are, and the first of them."""

    object_type: ObjectType
    count: int
    shown: list[Associated] = field(default_factory=list)


def associations_of(record: Record, types: Iterable[DirectedType]) -> list[Group]:
    """The live records that a record is associated with; `types` are those seen from its object type."""
    by_id = {directed.type_id: directed for directed in types}
    unlabeled = [type_id for type_id, directed in by_id.items() if directed.type.is_unlabeled]
    pairs = AssociationEnd.objects.filter(record=record, type_id__in=unlabeled, other__archived_at=None)
    counts = dict(pairs.values_list("type_id").annotate(Count("other_id")).order_by())
    groups = {
        type_id: Group(by_id[type_id].other_type, count)
        for type_id, count in sorted(counts.items(), key=lambda each: by_id[each[0]].other_type.pk)
    }
    number = Window(RowNumber(), partition_by="type_id", order_by="other_id")
    first = pairs.annotate(number=number).filter(number__lte=SHOWN).values_list("type_id", "other_id")
    group_of = {other_id: groups[type_id] for type_id, other_id in first}
    associated = {other.pk: Associated(other) for other in Record.objects.filter(pk__in=group_of).order_by("id")}
    for other_id, each in associated.items():
        each.record.object_type = group_of[other_id].object_type
        group_of[other_id].shown.append(each)
    _add_what_was_put(record, associated, by_id)
    return list(groups.values())


def _add_what_was_put(record: Record, associated: Mapping[int, Associated], by_id: Mapping[int, DirectedType]) -> None:
    ends = AssociationEnd.objects.filter(record=record, other__in=list(associated)).order_by("other_id", "type_id")
    rows = list(ends.values_list("other_id", "type_id", "change_set_id"))
    change_sets = change_sets_by_id({change_set_id for _, _, change_set_id in rows})
    for other_id, type_id, change_set_id in rows:
        change_set = change_sets.get(change_set_id)
        put = Put(by_id[type_id], who(change_set), change_set.at if change_set else None)
        if put.directed.type.is_unlabeled:
            associated[other_id].association = put
        else:
            associated[other_id].labels.append(put)
