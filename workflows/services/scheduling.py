"""Ring for workflows with a schedule: enroll all that meet their triggers when the time has come.

Called by RQ's cron every minute. A time that passed while nothing ran is made up for once.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from workflows.models import Run, Workflow
from workflows.schedules import read_schedule

from .enrollment import enroll_matching

EVERYBODY: list[list[dict[str, object]]] = [[]]


def ring_schedules() -> list[Run]:
    """Start a run of each workflow that is due, and say when the next one is; both or neither."""
    now = timezone.now()
    runs = []
    for workflow in Workflow.objects.filter(is_enabled=True, next_run_at__lte=now).select_related("object_type"):
        with transaction.atomic():
            locked = Workflow.objects.select_for_update(of=("self",)).select_related("revision").get(pk=workflow.pk)
            if locked.next_run_at is None or locked.next_run_at > now or locked.revision is None:
                continue  # another scheduler was faster
            definition = locked.revision.definition
            schedule = read_schedule(definition["schedule"])
            runs.append(enroll_matching(workflow, definition["triggers"] or EVERYBODY, cause=Run.Cause.SCHEDULED))
            locked.next_run_at = schedule.next_after(now)
            locked.save(update_fields=["next_run_at"])
    return runs
