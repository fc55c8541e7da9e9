"""Why two records are associated, or are not: who or what made and unmade what is between them, and what the actions
that could have associated them said last.

Reads for admin, API and the command `why`, in a number of queries that does not grow with the ledger; nothing here
writes. Records may be archived; what named a label or a run that is deleted says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q

from associations.models import Association, AssociationChange, AssociationType, ChangeSet, Record
from associations.querysets import association_types
from associations.services.provenance import change_sets_by_id, who
from associations.types import DirectedType
from workflows.models import ActionRun, Workflow
from workflows.sentences import Sentence

from .attempts import Attempt, Sentences, attempts, never_enrolled

# How many changes of a pair are told.
MOST_CHANGES = 100


@dataclass(frozen=True)
class Maker:
    """Who or what made a change. `action_run`, with its batch, run, workflow and revision, where a workflow did."""

    who: str
    at: dt.datetime | None
    change_set_id: int
    action_run: ActionRun | None = None
    sentence: Sentence | None = None


@dataclass(frozen=True)
class Change:
    """An association, or a label on it, came or went, as `record` sees it.

    `directed` is None where the label is deleted since. The values are those that matched when it came.
    """

    record: Record
    other_id: int
    directed: DirectedType | None
    added: bool
    maker: Maker
    value: str | None
    other_value: str | None

    @property
    def what(self) -> str:
        """In words: "Associated", "Label Employer put on", "No longer associated", "Label Employer taken off"."""
        if self.directed is not None and self.directed.type.is_unlabeled:
            return "Associated" if self.added else "No longer associated"
        label = self.directed.label if self.directed else "that is deleted"
        return f"Label {label} {'put on' if self.added else 'taken off'}"


@dataclass(frozen=True)
class Why:
    """`there` is what is between the two now, each with the change that made it; `earlier` is all that came and went,
    the newest first; `attempts` is what actions said, of both records; `never_enrolled` are live workflows that would
    associate them and in which the one to enroll never was."""

    record: Record
    other: Record
    there: list[Change]
    earlier: list[Change]
    attempts: list[Attempt]
    never_enrolled: list[Workflow]


def of_pair(record: Record, other: Record) -> Why:
    """All there is to say about two records (their object types loaded)."""
    changes = _changes(record, [other.pk], MOST_CHANGES)
    standing = _standing(record, [other.pk])
    there = _by_their_makers([each for each in changes if _is_standing(each, standing)], standing)
    said = attempts(record, other) + attempts(other, record)
    never = never_enrolled(record, other) + never_enrolled(other, record)
    return Why(record, other, there, changes, said, never)


def of_associations(record: Record, other_ids: Collection[int]) -> dict[tuple[int, int], Change]:
    """For each association and label between a record and others the change that made it, by (other id, the directed
    type id as the record sees it)."""
    standing = _standing(record, other_ids)
    changes = _changes(record, other_ids, None, {change_set for change_set, *_ in standing})
    there = _by_their_makers([each for each in changes if _is_standing(each, standing)], standing)
    return {(each.other_id, each.directed.type_id): each for each in there if each.directed}


# What came and went -------------------------------------------------------------------------------

_Row = tuple[int, int, int, int]  # change set, source, target, type


def _between(record: Record, other_ids: Collection[int]) -> Q:
    return Q(source=record, target__in=other_ids) | Q(target=record, source__in=other_ids)


def _standing(record: Record, other_ids: Collection[int]) -> dict[_Row, int | None]:
    """The rows that are there now, each with who had made it where an undo has put it back."""
    rows = Association.objects.filter(_between(record, other_ids))
    found = rows.values_list("change_set_id", "source_id", "target_id", "type_id", "origin_id")
    return {(change_set, source, target, type_): origin for change_set, source, target, type_, origin in found}


def _rows_of(change: Change) -> list[_Row]:
    """The row that a change was of: a symmetric type lies either way round."""
    if change.directed is None:
        return []
    pair = (change.record.pk, change.other_id)
    ends = [pair if change.directed.outgoing else pair[::-1]]
    if change.directed.type.is_symmetric:
        ends = [pair, pair[::-1]]
    return [(change.maker.change_set_id, source, target, change.directed.type.pk) for source, target in ends]


def _is_standing(change: Change, standing: Collection[_Row]) -> bool:
    return change.added and any(row in standing for row in _rows_of(change))


def _by_their_makers(changes: list[Change], standing: Mapping[_Row, int | None]) -> list[Change]:
    """What an undo has put back is told by who had made it."""
    origins = [next((origin for row in _rows_of(each) if (origin := standing.get(row))), None) for each in changes]
    makers = makers_of([origin for origin in origins if origin]) if any(origins) else {}
    return [
        replace(each, maker=makers[origin]) if origin else each for each, origin in zip(changes, origins, strict=True)
    ]


def _changes(
    record: Record, other_ids: Collection[int], most: int | None, change_sets: Collection[int] | None = None
) -> list[Change]:
    """What came and went between a record and others, the newest first."""
    ledger = AssociationChange.objects.filter(_between(record, other_ids)).order_by("-change_set_id", "-added", "type")
    if change_sets is not None:
        ledger = ledger.filter(change_set__in=change_sets, added=True)
    rows = list(
        ledger.values_list(
            "change_set_id", "source_id", "target_id", "type_id", "added", "source_value", "target_value"
        )[:most]
    )
    makers = makers_of({row[0] for row in rows})
    types: dict[int, AssociationType] = association_types().in_bulk({row[3] for row in rows})
    changes = []
    for change_set_id, source, target, type_id, added, source_value, target_value in rows:
        outgoing = source == record.pk
        values = (source_value, target_value) if outgoing else (target_value, source_value)
        type_ = types.get(type_id)
        directed = DirectedType(type_, outgoing or type_.is_symmetric) if type_ else None
        other_id = target if outgoing else source
        changes.append(Change(record, other_id, directed, added, makers[change_set_id], *values))
    return changes


def makers_of(change_set_ids: Iterable[int]) -> dict[int, Maker]:
    """Who or what made each of these change sets; four queries, and two for each object type of a workflow."""
    ids = set(change_set_ids)
    change_sets = change_sets_by_id(ids)
    runs = ActionRun.objects.select_related("batch__run__workflow__object_type", "batch__run__revision").in_bulk(
        {each.source_id for each in change_sets.values() if each.source == ChangeSet.Source.WORKFLOW and each.source_id}
    )
    sentences = Sentences()
    makers = {}
    for id_ in ids:
        change_set = change_sets.get(id_)
        action_run = runs.get(change_set.source_id or 0) if change_set else None
        makers[id_] = Maker(
            who=who(change_set),
            at=change_set.at if change_set else None,
            change_set_id=id_,
            action_run=action_run,
            sentence=sentences.of(action_run) if action_run else None,
        )
    return makers


def find_records(ids: Sequence[int]) -> list[Record]:
    """The records of these ids in their order, archived ones too; shorter where one does not exist."""
    found = Record.objects.select_related("object_type").in_bulk(ids)
    return [found[id_] for id_ in ids if id_ in found]
