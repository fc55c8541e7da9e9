"""Enroll records: make a run with its batches, and have the queue work them off.

Called by admin, API, commands and by services.events for records that come to meet the triggers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from associations import querysets
from associations import sql as all_sql
from associations.errors import Missing, Refused
from associations.models import Record
from associations.services import match_keys
from crmproject import queues
from workflows import sql
from workflows.criteria import read_criteria
from workflows.models import Batch, Enrollment, Run, Workflow, WorkflowRevision

from . import monitoring
from .lifecycle import read_definition
from .synced import PREPARE_RUN, next_position

BATCH = 10_000
# So many records one action is soon done for.
FEW = 100
MAX_DEPTH = 16
RUN_ACTION = "workflows.jobs.run_action"

logger = logging.getLogger(__name__)
Groups = Sequence[Sequence[Mapping[str, Any]]]
# Does all actions of a batch, in the transaction that wrote it.
WorkOff = Callable[[Batch], None]


def enroll_matching(
    workflow: Workflow,
    criteria: Groups | None = None,
    *,
    cause: str = Run.Cause.MANUAL,
    user_id: int | None = None,
) -> Run:
    """Enroll every live record that meets some criteria: the given groups of filters, or the workflow's own triggers;
    [[]], one group without a filter, is every record.

    Only the run is written here; a job makes its batches. Raises Refused while the workflow is off.
    """
    revision = _live_revision(workflow)
    groups = revision.definition["triggers"] if criteria is None else criteria
    read_criteria(groups, workflow.object_type)
    with transaction.atomic():
        run = Run.objects.create(
            workflow=workflow, revision=revision, cause=cause, criteria=groups, started_by_id=user_id
        )
        queues.enqueue(PREPARE_RUN, run.pk, queue="bulk")
    return run


def enroll_records(
    workflow: Workflow,
    ids: Iterable[int],
    *,
    cause: str = Run.Cause.MANUAL,
    user_id: int | None = None,
    depth: int = 0,
) -> Run:
    """Enroll named records, in one transaction with the run and its batches.

    Those that are enrolled now, or were before without re-enrollment, are left out. Where workflows trigger each
    other without end, the run is refused at MAX_DEPTH and says so. Raises Refused while the workflow is off, and for
    ids that are no live records of its type.
    """
    revision = _live_revision(workflow)
    wanted = set(ids)
    live = set(querysets.live_records(workflow.object_type, sorted(wanted)).values_list("id", flat=True))
    if missing := wanted - live:
        raise Missing(workflow.object_type.label, missing)
    with transaction.atomic():
        chosen = admitted(workflow, revision, sorted(wanted)).order_by("id").values_list("id", flat=True)
        return enroll_live(workflow, list(chosen), cause=cause, user_id=user_id, depth=depth)


def enroll_live(
    workflow: Workflow,
    ids: Sequence[int],
    *,
    cause: str,
    user_id: int | None = None,
    depth: int = 0,
    work_off: WorkOff | None = None,
) -> Run:
    """Enroll records of which the caller knows, in the same transaction, that they are of the workflow's type, that no
    suppression filter keeps them out, and that it is on.

    `ids` are in order. Few of them are worked off at once by `work_off`, if it is given. See `enroll_records`.
    """
    revision = workflow.revision
    assert revision is not None  # live_workflow_has_revision
    if depth >= MAX_DEPTH:
        return refused_for_depth(workflow, revision, len(ids), depth)
    again = revision.definition["should_re_enroll"]
    run = Run(workflow=workflow, revision=revision, cause=cause, started_by_id=user_id, depth=depth)
    for batch, chunk, finished in in_batches(run, ids, work_off):
        monitoring.count_enrolled(sql.enroll_ids(batch, chunk, again=again, finished=finished))
    return run


def in_batches(run: Run, ids: Sequence[int], work_off: WorkOff | None) -> Iterator[tuple[Batch, Sequence[int], bool]]:
    """Write a run, and the records it is over, in order, cut into batches, which the caller fills with enrollments.
    Each is then handed over: few records to `work_off`, if it is given, else to whichever worker is free.

    Yields the batch, its records, and whether all is to be written as finished, as it leaves the transaction: for all
    its actions come next.
    """
    at_once = work_off if len(ids) <= FEW else None
    waits = bool(ids) and not at_once
    run.state = Run.State.RUNNING if waits else Run.State.FINISHED
    run.finished_at = None if waits else timezone.now()
    state = Batch.State.WAITING if waits else Batch.State.FINISHED
    position = next_position(run, 0) if waits else len(run.revision.definition["actions"])
    chunks = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    batches = [
        Batch(run=run, first_record_id=chunk[0], last_record_id=chunk[-1], position=position, state=state)
        for chunk in chunks
    ]
    all_sql.insert(run, *batches[:1])
    Batch.objects.bulk_create(batches[1:])
    for batch, chunk in zip(batches, chunks, strict=True):
        yield batch, chunk, not waits
        if at_once:
            at_once(batch)
        else:
            queues.enqueue(RUN_ACTION, batch.pk, position)


def refused_for_depth(workflow: Workflow, revision: WorkflowRevision, count: int, depth: int) -> Run:
    """Tell that so many records are left out, because workflows trigger each other without end."""
    note = (
        f"{'1 record was' if count == 1 else f'{count:,} records were'} not enrolled: {depth} workflows had led to this"
        " change one after the other, as when workflows trigger each other in a circle. The runs before this one tell"
        " which ones; turn one of them off, or change what starts it."
    )
    return _told(workflow, revision, note, Run.State.REFUSED, depth)


def tell_failure(workflow: Workflow, note: str, *, depth: int) -> Run:
    """Tell in the history of a live workflow that records could not be enrolled, and why."""
    assert workflow.revision is not None  # live_workflow_has_revision
    return _told(workflow, workflow.revision, note, Run.State.FAILED, depth)


def _told(workflow: Workflow, revision: WorkflowRevision, note: str, state: str, depth: int) -> Run:
    logger.warning("%s: %s", workflow, note, extra={"workflow": workflow.pk})
    return Run.objects.create(
        workflow=workflow,
        revision=revision,
        cause=Run.Cause.TRIGGERED,
        depth=depth,
        state=state,
        note=note,
        finished_at=timezone.now(),
    )


def prepare_run(run_id: int) -> None:
    """Cut a waiting run into batches by ranges of record ids, and have them worked off. Once only."""
    run = Run.objects.select_related("workflow__object_type", "revision").get(pk=run_id)
    if run.state != Run.State.WAITING:
        return
    object_type = run.workflow.object_type
    # Here and not in the first batch: building an index must not hold a batch's transaction open.
    for references in read_definition(run.revision.definition, object_type).references:
        for prop, comparison in references.match_indexes:
            match_keys.ensure_match_index(prop, comparison)
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run_id)
        if locked.state != Run.State.WAITING:
            return
        start = next_position(run, 0)
        ids = querysets.live_records(object_type).order_by("id").values_list("id", flat=True)
        batches = [
            Batch(run=run, first_record_id=first, last_record_id=last, position=start)
            for first, last in match_keys.id_ranges(ids)
        ]
        if not batches:  # a run over nothing still shows that it ran
            batches = [Batch(run=run, first_record_id=0, last_record_id=0, position=start)]
        for batch in Batch.objects.bulk_create(batches):
            queues.enqueue(RUN_ACTION, batch.pk, start, queue="bulk")
        locked.state = Run.State.RUNNING
        locked.save(update_fields=["state"])


def give_up(run_id: int, reason: str) -> None:
    """Close a waiting run that cannot be prepared, and say why."""
    waiting = Run.objects.filter(pk=run_id, state=Run.State.WAITING)
    waiting.update(state=Run.State.FAILED, note=reason, finished_at=timezone.now())


def admitted(workflow: Workflow, revision: WorkflowRevision, ids: Iterable[int] | None = None) -> QuerySet[Record]:
    """The live records, of all or of some ids, that the suppression filters do not keep out."""
    records = querysets.live_records(workflow.object_type, ids)
    suppression = read_criteria(revision.definition["suppression"], workflow.object_type)
    return records.exclude(suppression.q()) if suppression.groups else records


def of_record(workflow: Workflow) -> QuerySet[Enrollment]:
    """The enrollments of a record, the `pk` of the outer query, in a workflow, but those by a run that is undone. Found
    by the record alone (enrolled once at a time), and then by their batches: a workflow has a run for every look."""
    of_this = all_sql.unindexed("workflow_id", workflow.pk)
    undone = Batch.objects.filter(pk=OuterRef("batch"), run__undone_at__isnull=False)
    counts = all_sql.each_asked(~Q(Exists(undone)))
    return Enrollment.objects.filter(of_this, counts, record=OuterRef("pk"), ordinal__isnull=False)


def _live_revision(workflow: Workflow) -> WorkflowRevision:
    workflow.refresh_from_db(fields=["is_enabled", "revision"])
    if not workflow.is_enabled or workflow.revision is None:
        raise Refused(f"{workflow} is off; turn it on to enroll records.")
    return workflow.revision
