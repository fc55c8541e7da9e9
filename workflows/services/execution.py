"""Work off a batch: one action at a time for all its records, effects and their record in one transaction.

Called by jobs (a worker), by commands (in the foreground), and by services.events for few records. Doing the same step
twice does nothing the second time: the batch's position has moved on.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from associations import sql as all_sql
from associations.models import ChangeSet, Record
from associations.services.origin import Origin, open_change_set
from crmproject import queues
from workflows import sql
from workflows.actions.base import ActionContext
from workflows.criteria import read_criteria
from workflows.models import ActionRun, Batch, Enrollment, Outcome, Run

from . import monitoring, remembered
from .enrollment import FEW, RUN_ACTION, admitted
from .synced import enrolled_once, is_first, next_position

logger = logging.getLogger(__name__)


def run_action(batch_id: int, position: int) -> bool:
    """Do the action at `position` for a batch, if it is the one due and nobody else is at it.

    Returns whether a further action is due; its job is enqueued with the commit.
    """
    with transaction.atomic():
        batch = _claim(batch_id, position)
        if batch is None:
            return False
        # Lost, it leaves the batch waiting, and none of what it did.
        sql.begin_action(is_large=batch.last_record_id - batch.first_record_id >= FEW)
        run = batch.run
        if run.revision.claimants:  # before anything else is held
            sql.share_sync(run.workflow_id)
        actions = len(run.revision.definition["actions"])
        is_range = run.criteria is not None and is_first(run, position)
        if is_range and run.workflow.is_enabled:
            enroll_range(batch, finished=actions == 1)
        _run_action(batch, remembered.schema_version(), just_enrolled=is_range)
        more = batch.position < actions
        if more:
            queue = "default" if run.criteria is None else "bulk"
            queues.enqueue(RUN_ACTION, batch.pk, batch.position, queue=queue)
        else:
            batch.state = Batch.State.FINISHED
            active(batch).update(state=Enrollment.State.FINISHED, ended_at=timezone.now())
        batch.save(update_fields=["position", "state", "updated_at"])
    if not more:
        finish_run(run)
    if run.criteria is not None:
        sql.know_young_tables()
    return more


def work_off(batch: Batch, version: remembered.Version, *, is_processed: bool) -> list[ChangeSet]:
    """Do all actions of a batch that this very transaction has written, as finished like its run, in a workflow that is
    on: nobody else can be at it. `version`: of the schema that holds in this transaction; `is_processed`: whether what
    they change is looked at already (see open_change_set). Returns their change sets."""
    end, batch.position = batch.position, next_position(batch.run, 0)
    done = []
    while batch.position < end:
        action_run = _run_action(batch, version, just_enrolled=True, is_processed=is_processed)
        assert action_run.change_set is not None  # the workflow is on
        done.append(action_run.change_set)
    return done


def finish_run(run: Run) -> None:
    """Close the run when its last batch is done. Asked after the batch's commit: of two last ones one sees both."""
    sql.close_run(run.pk)


def _claim(batch_id: int, position: int) -> Batch | None:
    """The batch, locked, if this action is due: a second delivery or a second worker finds nothing."""
    return (
        Batch.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("run__workflow__object_type", "run__revision")
        .filter(pk=batch_id, position=position, state=Batch.State.WAITING)
        .first()
    )


def enroll_range(batch: Batch, *, finished: bool = False) -> None:
    """Enroll whom a batch's range of record ids and its run's criteria name, `finished` as in the statement. A run
    that keeps in sync goes through those again who are enrolled, and enrolls nobody."""
    run = batch.run
    if run.cause == Run.Cause.KEEP_IN_SYNC:
        in_range = Record.objects.filter(id__range=(batch.first_record_id, batch.last_record_id))
        sql.look_again(batch, enrolled_once(run.workflow, in_range))
        return
    criteria = read_criteria(run.criteria or [], run.workflow.object_type)
    records = admitted(run.workflow, run.revision).filter(
        criteria.q(), id__range=(batch.first_record_id, batch.last_record_id)
    )
    again = run.revision.definition["should_re_enroll"]
    monitoring.count_enrolled(sql.enroll_range(batch, records, again=again, finished=finished))


def _run_action(
    batch: Batch, version: remembered.Version, *, just_enrolled: bool, is_processed: bool = False
) -> ActionRun:
    """Do the action that is due, for what is live of the batch."""
    run = batch.run
    definition = run.revision.definition["actions"][batch.position]
    action_run = ActionRun(batch=batch, position=batch.position, kind=definition["kind"], started_at=timezone.now())
    all_sql.insert(action_run)
    enrolled = sql.taking_part(batch)
    if not just_enrolled:
        _unenroll_archived(batch, action_run)
    if run.workflow.is_enabled:
        read = remembered.definition_of(run.revision, run.workflow.object_type, version)
        action, config = read.actions[batch.position]
        origin = Origin(ChangeSet.Source.WORKFLOW, source_id=action_run.pk, note=run.workflow.name, depth=run.depth + 1)
        action_run.change_set = open_change_set(origin, is_processed=is_processed)
        action.run(config, ActionContext(action_run, action_run.change_set, enrolled))
    else:
        sql.write_reasons(action_run, enrolled, Outcome.WORKFLOW_OFF)
    action_run.outcomes = sql.sum_outcomes(action_run)
    action_run.finished_at = timezone.now()
    sql.finish_action_run(action_run)
    monitoring.count_action(action_run)
    ids = {"workflow": run.workflow_id, "run": run.pk, "batch": batch.pk, "action": batch.position}
    logger.info("%s: %s %s", run, definition["kind"], action_run.outcomes, extra=ids)
    batch.position = next_position(run, batch.position + 1)
    return action_run


def _unenroll_archived(batch: Batch, action_run: ActionRun) -> None:
    """Records archived since they were enrolled take part in nothing."""
    archived = active(batch).filter(record__archived_at__isnull=False)
    if not archived.exists():
        return
    sql.write_reasons(action_run, all_sql.compiled(archived.values("record_id")), Outcome.RECORD_ARCHIVED)
    archived.update(state=Enrollment.State.UNENROLLED, ended_at=timezone.now())


def active(batch: Batch) -> QuerySet[Enrollment]:
    return Enrollment.objects.filter(batch=batch, state=Enrollment.State.ACTIVE)
