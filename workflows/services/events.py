"""Read the outbox: enroll the records that came to meet the triggers of a live workflow, unenroll those that ceased to.

Called by jobs (when the bell rings, and by the sweep) and by the command `process_events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from associations import sql as all_sql
from associations.models import ChangeSet, Record, RecordEvent
from associations.services import figures
from workflows import sql
from workflows.before import claimed_events
from workflows.models import Batch, Enrollment, Run, Workflow
from workflows.triggers import Triggers

from . import execution, remembered, syncing
from .coming_in import ids_coming_in
from .enrollment import WorkOff, enroll_live, tell_failure
from .faults import passes, reason
from .live import Live, live_workflows, without_candidates
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
        all_sql.go_by_indexes()
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
        if not self.batches:
            return []
        all_sql.go_as_planned()
        done = [
            change_set
            for batch, version in self.batches
            for change_set in execution.work_off(batch, version, is_processed=not is_asked)
        ]
        all_sql.go_by_indexes()
        return done


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
    if not nobody and (ids := ids_coming_in(live, all_new=live.finds_new_ones_only(happened))):
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


def unenroll(workflow: Workflow, triggers: Triggers) -> None:
    """Take out records whose actions are not done yet and that stopped matching, or that are to be kept out."""
    gone = Q()
    record = Record.objects.filter(pk=OuterRef("record"))
    if triggers.unenroll:
        gone |= ~Q(Exists(record.filter(triggers.criteria.q())))
    if triggers.suppression.groups:
        gone |= Q(Exists(record.filter(triggers.suppression.q())))
    if gone:
        active = Enrollment.objects.filter(workflow=workflow, state=Enrollment.State.ACTIVE, ordinal__isnull=False)
        _end(active.filter(all_sql.each_asked(gone)))


def _unenroll_merged() -> None:
    """[H] merging two records unenrolls both."""
    merged = claimed_events().filter(kind=RecordEvent.Kind.MERGED)
    active = Enrollment.objects.filter(state=Enrollment.State.ACTIVE, ordinal__isnull=False)
    _end(active.filter(record__in=merged.values("record")))


def _end(enrollments: QuerySet[Enrollment]) -> None:
    enrollments.update(state=Enrollment.State.UNENROLLED, ended_at=timezone.now())
