"""Named reads that admin, API and commands share: what came of runs and enrollments, in few queries for many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BigIntegerField, Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from associations.models import AssociationChange, Record
from associations.querysets import association_types
from associations.types import DirectedType

from .models import ActionOutcome, ActionRun, Batch, Enrollment, Outcome, RuledOut, Run


@dataclass(frozen=True)
class OutcomeSum:
    """One outcome, summed: for how many records, and how many pairs (0 where it is about the record itself)."""

    outcome: Outcome
    records: int
    pairs: int


@dataclass
class Progress:
    """How far a run is, and what came of it so far over all its actions."""

    batches: int = 0
    done: int = 0
    failed: int = 0
    steps: int = 0  # actions done by batches that are still at it
    outcomes: list[OutcomeSum] = field(default_factory=list)

    def percent(self, actions: int) -> int:
        """How much of it is done, in whole percent: each action of each batch is a step."""
        whole = self.batches * actions
        return 100 * ((self.done + self.failed) * actions + self.steps) // whole if whole else 0


def progress_of(runs: Iterable[Run]) -> dict[int, Progress]:
    """The progress of each of these runs, by id; two queries."""
    found: dict[int, Progress] = defaultdict(Progress)
    ids = [run.pk for run in runs]
    counted = (
        Batch.objects.filter(run__in=ids)
        .values("run")
        .annotate(
            batches=Count("id"),
            done=Count("id", filter=Q(state=Batch.State.FINISHED)),
            failed=Count("id", filter=Q(state=Batch.State.FAILED)),
            steps=Sum("position", filter=Q(state=Batch.State.WAITING), default=0),
        )
        .order_by()
        .values_list("run", "batches", "done", "failed", "steps")
    )
    for run_id, batches, done, failed, steps in counted:
        found[run_id] = Progress(batches, done, failed, steps)
    sums = _sum_outcomes(ActionRun.objects.filter(batch__run__in=ids), "batch__run")
    for (run_id,), outcomes in sums.items():
        found[run_id].outcomes = outcomes
    return found


def outcomes_by_action(run: Run) -> dict[tuple[int, str], list[OutcomeSum]]:
    """What each action of a run did, summed over its batches, by its position and kind; one query."""
    sums = _sum_outcomes(ActionRun.objects.filter(batch__run=run), "position", "kind")
    return {(position, kind): outcomes for (position, kind), outcomes in sums.items()}


def _sum_outcomes(action_runs: QuerySet[ActionRun], *by: str) -> dict[tuple[Any, ...], list[OutcomeSum]]:
    """Action runs keep the sums of their own outcomes, so this reads a row per batch and action, never per record."""
    sums = {
        f"{outcome}_{what}": Sum(
            Cast(KeyTextTransform(what, KeyTransform(outcome.value, "outcomes")), BigIntegerField()), default=0
        )
        for outcome in Outcome
        for what in ("records", "pairs")
    }
    return {
        tuple(row[each] for each in by): [
            OutcomeSum(outcome, records, row[f"{outcome}_pairs"])
            for outcome in Outcome
            if (records := row[f"{outcome}_records"])
        ]
        for row in action_runs.values(*by).annotate(**sums).order_by(*by)
    }


def is_pruned(run: Run) -> bool:
    """Whether `prune_history` has forgotten what the run's actions said of each record; their sums stay."""
    told = ActionRun.objects.filter(batch__run=run).exclude(outcomes={})
    return told.exists() and not ActionOutcome.objects.filter(action_run__in=told).exists()


# Enrollments ------------------------------------------------------------------------------------


def with_outcome(enrollments: QuerySet[Enrollment], outcome: str) -> QuerySet[Enrollment]:
    """Those for which some action had this outcome. Looks only into batches whose sums say that there are any."""
    batches = ActionRun.objects.filter(outcomes__has_key=outcome).values("batch")
    own = ActionOutcome.objects.filter(action_run__batch=OuterRef("batch"), record=OuterRef("record"), outcome=outcome)
    return enrollments.filter(Exists(own), batch__in=batches)


def outcomes_of(enrollments: Iterable[Enrollment]) -> dict[int, list[ActionOutcome]]:
    """The outcomes of each of these enrollments, by its id, in the order of the actions, those under review with what a
    person said; one query, and one if there are any of those."""
    ids = {(each.batch_id, each.record_id): each.pk for each in enrollments}
    outcomes = ActionOutcome.objects.filter(
        action_run__batch__in={batch_id for batch_id, _ in ids}, record__in={record_id for _, record_id in ids}
    ).select_related("action_run")
    found: dict[int, list[ActionOutcome]] = defaultdict(list)
    for outcome in outcomes.order_by("action_run__position", "outcome"):
        if enrollment_id := ids.get((outcome.action_run.batch_id, outcome.record_id)):
            found[enrollment_id].append(outcome)
    _add_answers([each for told in found.values() for each in told if each.outcome == Outcome.AMBIGUOUS])
    return found


def _add_answers(outcomes: list[ActionOutcome]) -> None:
    """Where a person said of candidates under review that none of them is meant: the last who said so (ruled out
    pkey)."""
    if not outcomes:
        return
    said = RuledOut.objects.select_related("user").filter(
        record__in={each.record_id for each in outcomes}, action_run__in={each.action_run_id for each in outcomes}
    )
    last = {(each.action_run_id, each.record_id): each for each in said.order_by("at", "other")}
    for outcome in outcomes:
        outcome.ruled_out = last.get((outcome.action_run_id, outcome.record_id))


@dataclass(frozen=True)
class PairChange:
    """An action added or removed an association, or a label on it, as the enrolled record sees it."""

    position: int
    added: bool
    directed: DirectedType
    other: Record


def pair_changes(enrollment: Enrollment, most: int) -> list[PairChange]:
    """What the actions changed for an enrolled record, the first so many; of labels and records still there."""
    positions = dict(
        ActionRun.objects.filter(batch=enrollment.batch_id, change_set__isnull=False).values_list(
            "change_set", "position"
        )
    )
    mine = enrollment.record_id
    changes = list(
        AssociationChange.objects.filter(Q(source=mine) | Q(target=mine), change_set__in=positions).order_by(
            "change_set", "added"
        )[:most]
    )
    types = association_types().in_bulk({each.type_id for each in changes})
    others = Record.objects.select_related("object_type").in_bulk(
        {id_ for each in changes for id_ in (each.source_id, each.target_id)}
    )
    return [
        PairChange(
            positions[each.change_set_id], each.added, DirectedType(types[each.type_id], outgoing), others[other_id]
        )
        for each in changes
        for outgoing in [each.source_id == mine]
        for other_id in [each.target_id if outgoing else each.source_id]
        if each.type_id in types and other_id in others
    ]


# How many rows of the ledger are read to say with whom enrolled records were associated.
MOST_FOUND = 5_000


def found_for(enrollments: Iterable[Enrollment], most: int = MOST_FOUND) -> dict[tuple[int, int], list[Record]]:
    """The records whose associations or labels changed, by enrollment and position of the action; four queries.

    Of very many the first: what is shown of it is a few names each.
    """
    by_record = {(each.batch_id, each.record_id): each.pk for each in enrollments}
    action_runs = ActionRun.objects.filter(batch__in={batch_id for batch_id, _ in by_record}, change_set__isnull=False)
    rows = action_runs.values_list("change_set", "batch", "position")
    ran = {change_set: (batch, position) for change_set, batch, position in rows}
    records = {record_id for _, record_id in by_record}
    changes = AssociationChange.objects.filter(Q(source__in=records) | Q(target__in=records), change_set__in=ran)
    pairs: dict[tuple[int, int], dict[int, None]] = defaultdict(dict)
    for change_set, source, target in changes.values_list("change_set", "source", "target")[:most]:
        batch, position = ran[change_set]
        for own, other in ((source, target), (target, source)):
            if enrollment := by_record.get((batch, own)):
                pairs[enrollment, position][other] = None
    ids = {other for others in pairs.values() for other in others}
    named = Record.objects.select_related("object_type").in_bulk(ids)
    return {key: [named[id_] for id_ in others if id_ in named] for key, others in pairs.items()}
