"""Take up what a dead worker or a lost queue left behind: ring again for all that waits in the database.

Called by RQ's cron. Ringing too often does no harm: a step that is done finds nothing to do.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from associations.models import ChangeSet
from associations.services import bulk, bulk_records
from crmproject import queues
from workflows.models import Batch, Run

from . import preview, undo
from .enrollment import RUN_ACTION
from .execution import finish_run
from .synced import PREPARE_RUN

MOST_RUNG = 1_000


def sweep(seconds: float | None = None) -> int:
    """Ring for what has waited for more seconds (SWEEP_SECONDS unless told); how many bells rang."""
    seconds = settings.SWEEP_SECONDS if seconds is None else seconds
    before = timezone.now() - timedelta(seconds=seconds)
    queued, rung = queues.length(), 0
    if ChangeSet.objects.filter(processed_at=None, at__lt=before).exists():
        queues.enqueue(settings.RECORD_EVENTS_JOB)  # not by the bell: it may hang ringing for a job that was lost
        rung += 1
    for run_id in Run.objects.filter(state=Run.State.WAITING, created_at__lt=before).values_list("id", flat=True):
        queues.enqueue(PREPARE_RUN, run_id, queue="bulk")
        rung += 1
    waiting = Batch.objects.filter(state=Batch.State.WAITING, updated_at__lt=before).order_by("id")
    # A long backfill waits in the queue, too: only what is more than the queue holds was lost, the oldest first.
    lost = max(waiting.count() - queued, 0)
    for batch_id, position in waiting.values_list("id", "position")[: min(lost, MOST_RUNG)]:
        queues.enqueue(RUN_ACTION, batch_id, position, queue="bulk")
        rung += 1
    for run in Run.objects.filter(state=Run.State.RUNNING, created_at__lt=before):
        finish_run(run)
    bulk_records.forget_files()
    return rung + sum(each.ring_for_waiting(seconds) for each in (bulk, undo, preview))
