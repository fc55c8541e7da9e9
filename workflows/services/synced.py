"""Which actions of a workflow keep in sync, who they claim associations as, and the runs that look at everybody again.

A claimant is the number under which an action claims associations (associations.services.claims). It is handed down
from revision to revision, so that an action that is edited or moved takes back what it asked for before; an action
that is gone, or keeps in sync no longer, gives its claims up. Called by services.lifecycle, enrollment and execution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from associations.models import Record
from associations.services import claims
from crmproject import queues
from workflows.models import Enrollment, Run, Workflow, WorkflowRevision

PREPARE_RUN = "workflows.jobs.prepare_run"
_MOST_ACTIONS = 1_000
# Enrolled, or it was and nobody took it out.
ENROLLED = (Enrollment.State.ACTIVE, Enrollment.State.FINISHED)


def synced_actions(definition: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """The fields of the actions that keep in sync, by position."""
    return {
        position: raw["fields"]
        for position, raw in enumerate(definition["actions"])
        if raw["fields"].get("keep_in_sync") in (True, "true", "on")
    }


def name_claimants(revision: WorkflowRevision) -> list[int]:
    """Give the actions of a new revision the claimants of the one before: those with the same fields first, then those
    in the same place, then any that associate the same object. Returns the claimants that nobody is any more."""
    before = revision.workflow.revisions.filter(number__lt=revision.number).order_by("-number").first()
    had = {} if before is None else {int(position): each for position, each in before.claimants.items()}
    fields_before = {} if before is None else synced_actions(before.definition)
    wanted = synced_actions(revision.definition)
    named: dict[int, int] = {}
    for weight in (3, 2, 1):
        for position, fields in wanted.items():
            for other, claimant in list(had.items()):
                alike = _alike(fields, fields_before[other], same_place=position == other)
                if position not in named and alike >= weight:
                    named[position] = claimant
                    del had[other]
    for position in wanted:
        named.setdefault(position, revision.pk * _MOST_ACTIONS + position)
    if named:
        revision.claimants = {str(position): claimant for position, claimant in sorted(named.items())}
        revision.save(update_fields=["claimants"])
    return list(had.values())


def _alike(one: Mapping[str, Any], other: Mapping[str, Any], *, same_place: bool) -> int:
    if one == other:
        return 3
    return (1 + same_place) if one["to_object_type"] == other["to_object_type"] else 0


def give_up(workflow: Workflow) -> None:
    """A workflow is deleted: what its actions keep in sync stays as it is."""
    if workflow.revision is not None:
        claims.give_up(list(workflow.revision.claimants.values()))


def bring_in_sync(workflow: Workflow, revision: WorkflowRevision, *, user_id: int | None = None) -> None:
    """Look at everybody again who was ever enrolled: values may have changed while the workflow was off, and what its
    actions ask for is another by a new revision."""
    if to_bring_in_sync(workflow, revision.definition).exists():
        run = Run.objects.create(
            workflow=workflow, revision=revision, cause=Run.Cause.KEEP_IN_SYNC, criteria=[[]], started_by_id=user_id
        )
        queues.enqueue(PREPARE_RUN, run.pk, queue="bulk")


def to_bring_in_sync(workflow: Workflow, definition: Mapping[str, Any]) -> QuerySet[Record]:
    """Whom turning on, with this definition, is followed by a look at: nobody where no action of it keeps in sync."""
    records = Record.objects.all() if synced_actions(definition) else Record.objects.none()
    return enrolled_once(workflow, records)


def enrolled_once(workflow: Workflow, records: QuerySet[Record]) -> QuerySet[Record]:
    """Those of some records that are live, and enrolled or have been: not by a run that is undone, not taken out."""
    enrolled = Enrollment.objects.filter(
        workflow=workflow, record=OuterRef("pk"), ordinal__isnull=False, state__in=ENROLLED, batch__run__undone_at=None
    )
    return records.filter(Exists(enrolled), object_type=workflow.object_type_id, archived_at=None)


def next_position(run: Run, position: int) -> int:
    """Which action of a run comes next, from a position on: in a run that keeps in sync only those that do so."""
    actions = run.revision.definition["actions"]
    if run.cause != Run.Cause.KEEP_IN_SYNC:
        return position
    return next((each for each in synced_actions(run.revision.definition) if each >= position), len(actions))


def is_first(run: Run, position: int) -> bool:
    return position == next_position(run, 0)
