"""Read the outbox: enroll the records that came to meet the triggers of a live workflow, unenroll those that ceased to.

Called by jobs (when the bell rings, and by the sweep) and by the command `process_events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from associations import sql as all_sql
from associations.models import AssociationChange, AssociationEnd, ChangeSet, Record, RecordEvent
from associations.services import figures
from workflows import sql
from workflows.before import claimed, claimed_events
from workflows.models import Batch, Enrollment, Run, Workflow
from workflows.triggers import Triggers, changed

from . import execution, remembered, syncing
from .enrollment import WorkOff, enroll_live, enrollable, tell_failure
from .faults import passes, reason
from .live import KINDS, Live, live_workflows, without_candidates
from .undo import own_undoing

CHANGE_SETS = 500
# How many small batches whoever looks works off itself. More than that other workers may share.
AT_ONCE = 4
# What an undo is told as; most changes come from elsewhere.
BY_PEOPLE = (ChangeSet.Source.USER, ChangeSet.Source.SYSTEM)


def process_events(*, at_once: bool = False, apart: bool = False) -> bool:
    """Take the oldest change sets and enroll whom they made meet the triggers; whether there is to be another look.

    Whoever dies in the middle leaves them unprocessed: taking them, enrolling and marking them is one transaction.
    `at_once`: the first few small batches are worked off in it, too, after all workflows have been asked; without it,
    or where it fails, the queue is there for that.
    `apart`: each workflow for itself, so that one whose triggers the database cannot answer keeps nobody else waiting.
    """
    with transaction.atomic(), all_sql.gathering():
        taken, happened, *versions = sql.begin_look(CHANGE_SETS)
        if not taken:
            return False
        all_of_them = live_workflows(*versions)
        workflows = [live for live in all_of_them if live.is_concerned(happened)]
        undoing = own_undoing(each.id for each in taken if each.source in BY_PEOPLE)
        had_alone = syncing.wait([(live.workflow, live.synced) for live in workflows if live.synced])
        due = _Due(had_alone) if at_once else None
        is_merged = happened.is_kind(RecordEvent.Kind.MERGED)
        if workflows or is_merged:
            by_depth = sorted((each.depth, each.id) for each in taken)
            for depth, of_depth in groupby(by_depth, key=itemgetter(0)):
                of_this = [id_ for _, id_ in of_depth]
                if len(of_this) < len(taken):
                    sql.claim(of_this)
                if is_merged:
                    _unenroll_merged()
                _look_for_all(of_this, depth, happened, workflows, undoing, due, apart=apart)
        is_asked = any(live.triggers.association_type_ids for live in all_of_them)
        done = due.work_off(is_asked=is_asked) if due else []
        told = [(each.id, each.at, each.source) for each in taken] if happened.to_associations else []
        if not is_asked:
            told += [(each.pk, each.at, each.source) for each in done]
        figures.add_figures(told)
    return len(taken) == CHANGE_SETS or (is_asked and bool(done))


class _Due:
    """The batches that whoever looks works off itself, each with the version of the schema that its workflow was read
    in. Only when all workflows have been asked: none of them is to see what another one does."""

    def __init__(self, had_alone: set[int]) -> None:
        self.batches: list[tuple[Batch, remembered.Version]] = []
        self.had_alone = had_alone

    def take(self, live: Live) -> WorkOff | None:
        """What takes the batches of a workflow; None where the queue is to have them. One that is kept in sync is
        worked off by whoever has it alone, or holds nothing else (see syncing.wait)."""
        if len(self.batches) >= AT_ONCE or (live.synced and live.workflow.pk not in self.had_alone):
            return None
        return lambda batch: self.batches.append((batch, live.version))

    def work_off(self, *, is_asked: bool) -> list[ChangeSet]:
        """Work them off; what that changed. `is_asked`: some workflow that is on asks for associations, and is to look
        at it, too."""
        return [
            change_set
            for batch, version in self.batches
            for change_set in execution.work_off(batch, version, is_processed=not is_asked)
        ]


def _look_for_all(
    change_sets: list[int],
    depth: int,
    happened: sql.Happened,
    workflows: list[Live],
    undoing: Mapping[int, set[int]],
    due: _Due | None,
    *,
    apart: bool,
) -> None:
    """Look at claimed change sets on behalf of all these workflows. `undoing` are those that take back runs of a
    workflow, by its id: these it does not look at."""
    in_table = change_sets
    nobody_for = set[int]() if apart else without_candidates(workflows)
    for live in workflows:
        own = undoing.get(live.workflow.pk, ())
        since = [id_ for id_ in change_sets if id_ > live.workflow.since_change_set and id_ not in own]
        if since != in_table:
            sql.claim(in_table := since)
        if apart:
            _look_apart(in_table, depth, happened, live)
        else:
            nobody = live.workflow.pk in nobody_for
            _look(live, depth, happened, due.take(live) if due else None, nobody=nobody)


def _look(
    live: Live, depth: int, happened: sql.Happened, work_off: WorkOff | None = None, *, nobody: bool = False
) -> None:
    """Enroll and unenroll whom the claimed change sets bring into a workflow or out of it, and keep in sync; `nobody`:
    it is known that they bring none in."""
    if live.synced:  # before anybody is enrolled, who is worked off with the values of today anyway
        syncing.look(live.workflow, live.synced, depth=depth, work_off=work_off)
    if not live.triggers.by_what_happens:
        return
    unenroll(live.workflow, live.triggers)
    if not nobody and (ids := _ids_to_enroll(live, all_new=live.finds_new_ones_only(happened))):
        enroll_live(live.workflow, ids, cause=Run.Cause.TRIGGERED, depth=depth, work_off=work_off)


def _look_apart(change_sets: list[int], depth: int, happened: sql.Happened, live: Live) -> None:
    """The same, halving the change sets until the one that cannot be looked at stands alone and is told as a run that
    failed. Afterwards all of them are claimed again, for the next workflow."""
    parts = [change_sets]
    while parts:
        part = parts.pop()
        try:
            with transaction.atomic():
                sql.claim(part)
                _look(live, depth, happened)
        except Exception as error:
            if passes(error):
                raise
            if len(part) > 1:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
                continue
            note = f"The records of change set {part[0]} were not looked at, enroll them by hand: {reason(error)}"
            tell_failure(live.workflow, note, depth=depth)
    sql.claim(change_sets)


def _ids_to_enroll(live: Live, *, all_new: bool) -> list[int]:
    """Whom the claimed change sets bring into a workflow, in order; one query for all of them. `all_new`: they have all
    just been created."""

    def compiled() -> remembered.Statement:
        records = _to_enroll(live.workflow, live.triggers, all_new=all_new)
        return all_sql.compiled(enrollable(live.workflow, records).order_by("id").values("id"))

    question = "enroll new" if all_new else "enroll"
    return [id_ for (id_,) in all_sql.fetch(*remembered.statement_of(question, [live.triggers], compiled))]


def _to_enroll(workflow: Workflow, triggers: Triggers, *, all_new: bool) -> QuerySet[Record]:
    """The live records that the claimed change sets bring into a workflow; one query for all of them."""
    records = Record.objects.filter(object_type=workflow.object_type, archived_at=None)
    if triggers.suppression.groups:
        records = records.exclude(triggers.suppression.q())
    if triggers.events:
        happened = Q()
        for each in triggers.events:
            happened |= each.q()
        records = records.filter(happened)
        return records.filter(triggers.criteria.q()) if triggers.criteria.groups else records
    if all_new:
        return records.filter(triggers.criteria.q(), pk__in=claimed_events().values("record"))
    return _coming_to_meet(records, triggers)


def _coming_to_meet(records: QuerySet[Record], triggers: Triggers) -> QuerySet[Record]:
    """Several events of one record are one change, from how it was before all of them to now."""
    criteria = triggers.criteria
    events = claimed_events().filter(kind__in=KINDS)
    touched = Q(pk__in=events.values("record"))
    for directed in {directed for each in criteria.filters for directed in each.directed_types}:
        changes = AssociationChange.objects.filter(change_set__in=claimed(), type=directed.type.pk)
        for own, _ in directed.orientations:
            touched |= Q(pk__in=changes.values(own))
        others = AssociationEnd.objects.filter(
            type_id=directed.reverse.type_id, record__in=claimed_events().values("record")
        )
        touched |= Q(pk__in=others.values("other"))
    new = Q(pk__in=events.filter(kind=RecordEvent.Kind.CREATED).values("record")) | ~criteria.before_q()
    for prop in triggers.re_enrollment_properties:
        new |= Q(pk__in=changed(prop).values("record"))
    return records.filter(touched).filter(criteria.q()).filter(new)


def unenroll(workflow: Workflow, triggers: Triggers) -> None:
    """Take out records whose actions are not done yet and that stopped matching, or that are to be kept out."""
    gone = Q()
    if triggers.unenroll:
        gone |= ~Q(record__in=Record.objects.filter(triggers.criteria.q()))
    if triggers.suppression.groups:
        gone |= Q(record__in=Record.objects.filter(triggers.suppression.q()))
    if gone:
        active = Enrollment.objects.filter(workflow=workflow, state=Enrollment.State.ACTIVE, ordinal__isnull=False)
        _end(active.filter(gone))


def _unenroll_merged() -> None:
    """[H] merging two records unenrolls both."""
    merged = claimed_events().filter(kind=RecordEvent.Kind.MERGED)
    active = Enrollment.objects.filter(state=Enrollment.State.ACTIVE, ordinal__isnull=False)
    _end(active.filter(record__in=merged.values("record")))


def _end(enrollments: QuerySet[Enrollment]) -> None:
    enrollments.update(state=Enrollment.State.UNENROLLED, ended_at=timezone.now())
