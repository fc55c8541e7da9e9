"""Read the outbox: enroll the records that came to meet the triggers of a live workflow.

Called by jobs (when the bell rings, and by the sweep) and by the command `process_events`.
"""

from __future__ import annotations

from itertools import groupby

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from associations.models import AssociationChange, ChangeSet, Record, RecordEvent
from workflows.criteria import Criteria
from workflows.models import Run, Workflow

from .enrollment import enroll_records, enrollable
from .lifecycle import read_definition

CHANGE_SETS = 500
# Restoring a record does not re-enroll it [H]; archiving takes it out.
_KINDS = (RecordEvent.Kind.CREATED, RecordEvent.Kind.CHANGED, RecordEvent.Kind.MERGED)


def process_events() -> bool:
    """Take the oldest change sets and enroll whom they made meet the triggers; whether there may be more.

    Whoever dies in the middle leaves them unprocessed: taking them, enrolling and marking them is one transaction.
    """
    with transaction.atomic():
        claimed = list(
            ChangeSet.objects.filter(processed_at=None)
            .order_by("id")
            .select_for_update(skip_locked=True)
            .values_list("id", "depth")[:CHANGE_SETS]
        )
        if not claimed:
            return False
        workflows = [
            (workflow, read_definition(workflow.revision.definition, workflow.object_type).criteria)
            for workflow in Workflow.objects.filter(is_enabled=True).select_related("revision", "object_type")
            if workflow.revision and workflow.revision.definition["triggers"]
        ]
        for depth, of_depth in groupby(sorted(claimed, key=lambda each: each[1]), key=lambda each: each[1]):
            change_sets = [id_ for id_, _ in of_depth]
            for workflow, criteria in workflows:
                if ids := enrollable(workflow, _came_to_meet(workflow, criteria, change_sets)):
                    enroll_records(workflow, ids, cause=Run.Cause.TRIGGERED, depth=depth)
        ChangeSet.objects.filter(id__in=[id_ for id_, _ in claimed]).update(processed_at=timezone.now())
    return len(claimed) == CHANGE_SETS


def _came_to_meet(workflow: Workflow, criteria: Criteria, change_sets: list[int]) -> set[int]:
    """The records that meet the criteria now and did not before these change sets.

    Several events of one record are one change, from the oldest `before` to now. One query for all records.
    """
    events = RecordEvent.objects.filter(
        change_set__in=change_sets, kind__in=_KINDS, record__object_type=workflow.object_type, record__archived_at=None
    )
    oldest = events.order_by().values("record").annotate(first=Min("id")).values("first")
    before = criteria.q(record="record_id", column="before")
    came = set(
        RecordEvent.objects.filter(Q(kind=RecordEvent.Kind.CREATED) | ~before, id__in=oldest)
        .filter(criteria.q(record="record_id", column="record__properties"))
        .values_list("record_id", flat=True)
    )
    if not criteria.association_type_ids:
        return came
    # What an association filter said before is not known; who was enrolled already is not enrolled for it again.
    changes = AssociationChange.objects.filter(change_set__in=change_sets, type__in=criteria.association_type_ids)
    touched = Record.objects.filter(
        Q(id__in=changes.values("source")) | Q(id__in=changes.values("target")),
        object_type=workflow.object_type,
        archived_at=None,
    )
    return came | set(touched.filter(criteria.q()).values_list("id", flat=True))
