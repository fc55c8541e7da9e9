"""What a rehearsed run came to: its figures, a few rows as examples, and all rows for a CSV.

Reads a run as any reader of runs does, and must be called before the rehearsal is taken back.
Called by services.preview and services.trial.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, TypedDict

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform

from associations.models import AssociationChange, ObjectType, Record
from associations.querysets import association_types
from associations.services.formulas import shielded
from associations.types import DirectedType
from workflows.models import ActionOutcome, ActionRun, Enrollment, Outcome, Run
from workflows.querysets import OutcomeSum, outcomes_by_action

from .lifecycle import read_definition

ROWS_PER_OUTCOME = 5
CHANGES_PER_ROW = 10
CHUNK = 2_000
# Outcomes whose pairs stand in the ledger, one by one.
_TOLD = (Outcome.CREATED, Outcome.LABEL_ADDED, Outcome.LABEL_REMOVED, Outcome.ASSOCIATION_REMOVED)
COLUMNS = ["action", "record_id", "record", "outcome", "other_id", "other", "label", "value", "other_value"]


class Named(TypedDict):
    id: int
    name: str


class Change(TypedDict):
    """An association or label that was added or removed. `label` is empty for the association itself."""

    added: bool
    label: str
    other: Named
    other_value: str | None


class Row(TypedDict):
    """What an action did for one record; `value` is what was looked for."""

    record: Named
    outcome: str
    pairs: int
    value: str | None
    changes: list[Change]


class OutcomeFigure(TypedDict):
    outcome: str
    records: int
    pairs: int


class ChangeFigure(TypedDict):
    """How many associations under a type were added and removed; `label` is empty for the associations themselves."""

    label: str
    added: int
    removed: int


class ActionFigures(TypedDict):
    kind: str
    outcomes: list[OutcomeFigure]
    changes: list[ChangeFigure]
    rows: list[Row]


class Figures(TypedDict):
    """Of `looked_at` records out of `of`: where these differ, the figures are those of a sample."""

    looked_at: int
    of: int
    enrolled: int
    actions: list[ActionFigures]


def figures_of(run: Run, *, looked_at: int | None = None, of: int | None = None) -> Figures:
    """The figures of a run that was worked off; over all records of its type unless told."""
    outcomes = outcomes_by_action(run)
    facing = _facing(run)
    changes = _changes(run, facing)
    every = (
        of
        if of is not None
        else Record.objects.filter(object_type=run.workflow.object_type_id, archived_at=None).count()
    )
    return Figures(
        looked_at=every if looked_at is None else looked_at,
        of=every,
        enrolled=Enrollment.objects.filter(batch__run=run).count(),
        actions=[
            _action_figures(run, position, facing[position], outcomes.get((position, action["kind"]), []), changes)
            for position, action in enumerate(run.revision.definition["actions"])
        ],
    )


def _action_figures(
    run: Run,
    position: int,
    facing: DirectedType,
    outcomes: list[OutcomeSum],
    changes: dict[int, list[ChangeFigure]],
) -> ActionFigures:
    return ActionFigures(
        kind=run.revision.definition["actions"][position]["kind"],
        outcomes=[
            OutcomeFigure(outcome=each.outcome.value, records=each.records, pairs=each.pairs) for each in outcomes
        ],
        changes=changes[position],
        rows=example_rows(run, position, facing, [each.outcome.value for each in outcomes]),
    )


def _facing(run: Run) -> list[DirectedType]:
    """The unlabeled type of each action, as the enrolled record sees it."""
    read = read_definition(run.revision.definition, run.workflow.object_type)
    return [references.association_types[0] for references in read.references]


def _changes(run: Run, facing: list[DirectedType]) -> dict[int, list[ChangeFigure]]:
    """Counted by the ledger, so that Primary, which comes along by itself, is there, too."""
    of_position = dict(ActionRun.objects.filter(batch__run=run).values_list("change_set", "position"))
    counted: dict[tuple[int, int], dict[bool, int]] = defaultdict(lambda: {True: 0, False: 0})
    for change_set, type_id, added, count in (
        AssociationChange.objects.filter(change_set__in=_change_sets(run))
        .values_list("change_set", "type", "added")
        .annotate(count=Count("*"))
        .order_by()
    ):
        counted[of_position[change_set], type_id][added] += count
    types = association_types().in_bulk({type_id for _, type_id in counted})
    changes: dict[int, list[ChangeFigure]] = defaultdict(list)
    for (position, type_id), count in sorted(counted.items()):
        label = DirectedType(types[type_id], facing[position].outgoing).label
        changes[position].append(ChangeFigure(label=label, added=count[True], removed=count[False]))
    for each in changes.values():
        each.sort(key=lambda figure: figure["label"])
    return changes


def _change_sets(run: Run, position: int | None = None) -> QuerySet[Any, Any]:
    of_run = ActionRun.objects.filter(batch__run=run, change_set__isnull=False)
    return (of_run if position is None else of_run.filter(position=position)).values("change_set")


# Examples ---------------------------------------------------------------------------------------


def example_rows(run: Run, position: int, facing: DirectedType, outcomes: Iterable[str]) -> list[Row]:
    """A few rows of each outcome that an action had."""
    of_action = ActionOutcome.objects.filter(action_run__batch__run=run, action_run__position=position)
    found: list[ActionOutcome] = []
    for outcome in outcomes:
        found += of_action.filter(outcome=outcome).order_by("record_id")[:ROWS_PER_OUTCOME]
    changes = _changes_of(run, position, facing, {each.record_id for each in found if each.outcome in _TOLD})
    names = _names({each.record_id for each in found} | {other for each in changes.values() for _, other in each})
    return [
        Row(
            record=names[each.record_id],
            outcome=each.outcome,
            pairs=each.count,
            value=each.value,
            changes=[
                Change(
                    added=change.added,
                    label=DirectedType(change.type, facing.outgoing).label,
                    other=names[other],
                    other_value=change.target_value if other == change.target_id else change.source_value,
                )
                for change, other in changes[each.record_id]
                if each.outcome in _TOLD
            ][:CHANGES_PER_ROW],
        )
        for each in found
    ]


def _changes_of(
    run: Run, position: int, facing: DirectedType, record_ids: set[int]
) -> dict[int, list[tuple[AssociationChange, int]]]:
    """What the ledger says of some enrolled records, each change with the other record's id."""
    found: dict[int, list[tuple[AssociationChange, int]]] = defaultdict(list)
    own = [end for end, _ in facing.orientations]
    touched = Q()
    for end in own:
        touched |= Q(**{f"{end}__in": record_ids})
    changes = AssociationChange.objects.filter(touched, change_set__in=_change_sets(run, position))
    for change in changes.select_related("type").order_by("source", "target", "type", "added")[
        : len(record_ids) * CHANGES_PER_ROW
    ]:
        for mine, other in ((change.source_id, change.target_id), (change.target_id, change.source_id)):
            if mine in record_ids and (len(own) == 2 or mine == getattr(change, f"{own[0]}_id")):
                found[mine].append((change, other))
    return found


def _names(ids: Iterable[int]) -> dict[int, Named]:
    """Records by id, as they are shown."""
    records = Record.objects.select_related("object_type").in_bulk(list(ids))
    return {id_: Named(id=id_, name=str(record)) for id_, record in records.items()}


# All rows ---------------------------------------------------------------------------------------


def csv_rows(run: Run) -> Iterator[list[str]]:
    """What was done for every record, a row of text each after that of the COLUMNS: one for each association or label
    added or removed, and one for each reason why nothing was done. Text that a spreadsheet would run is shielded."""
    yield COLUMNS
    for position, facing in enumerate(_facing(run)):
        yield from _changed_rows(run, position, facing)
        yield from _reason_rows(run, position, facing)


def _changed_rows(run: Run, position: int, facing: DirectedType) -> Iterator[list[str]]:
    own, other = facing.orientations[0]
    types = association_types().in_bulk()
    changes = (
        AssociationChange.objects.filter(change_set__in=_change_sets(run, position))
        .annotate(
            own_name=_name_of(f"{own}_id", facing.record_type), other_name=_name_of(f"{other}_id", facing.other_type)
        )
        .order_by("change_set", "source", "target", "type")
        .values_list(
            f"{own}_id", "own_name", f"{other}_id", "other_name", "type", "added", f"{own}_value", f"{other}_value"
        )
    )
    for record, name, other_id, other_name, type_id, added, value, other_value in changes.iterator(chunk_size=CHUNK):
        label = DirectedType(types[type_id], facing.outgoing).label
        what = "label" if label else "association"
        outcome = f"{what}_added" if added else f"{what}_removed"
        yield _row(position, record, name, outcome, other_id, other_name, label, value, other_value)


def _reason_rows(run: Run, position: int, facing: DirectedType) -> Iterator[list[str]]:
    outcomes = (
        ActionOutcome.objects.filter(action_run__batch__run=run, action_run__position=position)
        .exclude(outcome__in=_TOLD)
        .annotate(name=_name_of("record_id", facing.record_type))
        .order_by("record_id", "outcome")
        .values_list("record_id", "name", "outcome", "value")
    )
    for record, name, outcome, value in outcomes.iterator(chunk_size=CHUNK):
        yield _row(position, record, name, outcome, None, None, "", value, None)


def _name_of(reference: str, object_type: ObjectType) -> Subquery:
    """The text of a record's primary display property, by the column that names the record."""
    records = Record.objects.filter(pk=OuterRef(reference))
    return Subquery(records.values_list(KeyTextTransform(object_type.primary_property, F("properties")))[:1])


def _row(position: int, *values: int | str | None) -> list[str]:
    texts = ("" if value is None else shielded(str(value)) for value in values)
    return [str(position + 1), *texts]
