"""Forget the history that is older than it is kept for: what actions said of each record, and old changes.

And the match keys of values that no action matches on any more, which every save would go on writing.

Called by the command `prune_history`. Runs stay with their sums, and so do enrollments: who was enrolled before is not
enrolled again without re-enrollment, however long ago it was.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import chain
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from associations.models import ChangeSet
from associations.querysets import Surroundings
from associations.services import match_keys, pruning
from workflows.actions import ACTIONS
from workflows.actions.base import References
from workflows.models import ActionOutcome, ActionRun, Run, Workflow, WorkflowRevision

from .lifecycle import definition_json


def prune_history(days: int) -> Counter[str]:
    """Forget what is older than so many days; how many rows of what went. Doing it again finds nothing."""
    before = timezone.now() - dt.timedelta(days=days)
    gone: Counter[str] = Counter()
    done = ActionRun.objects.filter(finished_at__lt=before, batch__run__finished_at__lt=before).order_by("id")
    for action_run_id in done.values_list("id", flat=True).iterator():
        with transaction.atomic():  # a batch at a time
            outcomes = ActionOutcome.objects.filter(action_run=action_run_id)
            gone["outcomes"] += outcomes._raw_delete(using=outcomes.db)
    gone["match keys"] = match_keys.forget_unused(used_match_indexes)
    named = ChangeSet.objects.filter(pk__in=ActionRun.objects.filter(change_set__isnull=False).values("change_set"))
    return gone + pruning.prune_changes(before, keep=named)


def used_match_indexes() -> set[tuple[int, str]]:
    """The values that some action matches on, as people have edited it, as it is on, or as a run that is not finished
    has it: (property id, comparison)."""
    used = set()
    revisions: dict[int, list[WorkflowRevision]] = defaultdict(list)
    for run in Run.objects.filter(finished_at=None).select_related("revision"):
        revisions[run.workflow_id].append(run.revision)
    for workflow in Workflow.with_deleted.select_related("object_type", "revision"):
        around = Surroundings(workflow.object_type)
        definitions = [revision.definition for revision in revisions[workflow.pk]]
        if workflow.deleted_at is None:
            definitions.append(definition_json(workflow))
            definitions += [workflow.revision.definition] if workflow.revision else []
        for raw in chain.from_iterable(definition["actions"] for definition in definitions):
            used |= _match_indexes_of(raw, around)
    return used


def _match_indexes_of(raw: Mapping[str, Any], around: Surroundings) -> set[tuple[int, str]]:
    action = ACTIONS.get(raw["kind"])
    try:
        read = action.references(action.read(raw["fields"], around.object_type, around)) if action else References()
    except ValidationError:  # it cannot run as it is; when it can, the keys are built
        return set()
    return {(prop.pk, comparison) for prop, comparison in read.match_indexes}
