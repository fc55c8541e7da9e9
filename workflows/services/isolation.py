"""What cannot be done: find the record that is in the way, put it aside with the reason, and let it be tried again.

A batch whose action fails is halved until the bad record stands alone; all the others finish. Called by jobs when an
action raises, and by admin, API and command for the retry.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from crmproject import queues
from workflows.models import Batch, Enrollment, Run

from .enrollment import RUN_ACTION
from .execution import active, enroll_range, finish_run
from .synced import is_first

logger = logging.getLogger(__name__)


def isolate(batch_id: int, position: int, reason: str) -> None:
    """Halve a batch whose action at `position` failed, and have both halves tried; one record alone is put aside."""
    with transaction.atomic():
        batch = _locked(batch_id)
        if batch.state != Batch.State.WAITING or batch.position != position:
            return
        middle = _middle(batch)
        if middle is None:
            if _is_unenrolled(batch):
                enroll_range(batch)
            _put_aside(batch, reason)
        else:
            other = Batch.objects.create(
                run=batch.run, first_record_id=middle + 1, last_record_id=batch.last_record_id, position=position
            )
            Enrollment.objects.filter(batch=batch, record__gt=middle).update(batch=other)
            batch.last_record_id = middle
            batch.save(update_fields=["last_record_id", "updated_at"])
            for half in (batch, other):
                queues.enqueue(RUN_ACTION, half.pk, position, queue="bulk")
    finish_run(batch.run)


def put_aside(batch_id: int, position: int, reason: str) -> None:
    """Put a whole batch aside where no record is at fault: what its revision refers to is gone."""
    with transaction.atomic():
        batch = _locked(batch_id)
        if batch.state != Batch.State.WAITING or batch.position != position:
            return
        _put_aside(batch, reason)
    finish_run(batch.run)


def _locked(batch_id: int) -> Batch:
    related = ("run__workflow", "run__revision")
    return Batch.objects.select_for_update(of=("self",)).select_related(*related).get(pk=batch_id)


def _is_unenrolled(batch: Batch) -> bool:
    """Whether its enrollments were rolled back with its first action."""
    return batch.run.criteria is not None and is_first(batch.run, batch.position)


def _middle(batch: Batch) -> int | None:
    """The record id after which a batch is cut; None where it has one record, or none."""
    if _is_unenrolled(batch):
        first, last = batch.first_record_id, batch.last_record_id
        return (first + last) // 2 if first < last else None
    records = list(active(batch).order_by("record_id").values_list("record_id", flat=True))
    return records[len(records) // 2 - 1] if len(records) > 1 else None


def _put_aside(batch: Batch, reason: str) -> None:
    logger.error(
        "Put aside: %s",
        reason,
        extra={"run": batch.run_id, "batch": batch.pk, "record": batch.first_record_id, "action": batch.position},
    )
    active(batch).update(state=Enrollment.State.FAILED, ended_at=timezone.now())
    batch.state = Batch.State.FAILED
    batch.error = reason
    batch.save(update_fields=["state", "error", "updated_at"])


def retry(batches: Iterable[Batch]) -> int:
    """Try failed batches again, from the action that failed; how many."""
    ids = [batch.pk for batch in batches]
    with transaction.atomic():
        failed = list(
            Batch.objects.select_for_update(of=("self",))
            .select_related("run__revision")
            .filter(pk__in=ids, state=Batch.State.FAILED)
            .order_by("id")
        )
        for batch in failed:
            put_aside = Enrollment.objects.filter(batch=batch, state=Enrollment.State.FAILED)
            if batch.run.cause == Run.Cause.KEEP_IN_SYNC and _is_unenrolled(batch):
                put_aside.delete()  # its first action names them anew, and no ordinal keeps them from being twice
            else:
                put_aside.update(state=Enrollment.State.ACTIVE, ended_at=None)
            queues.enqueue(RUN_ACTION, batch.pk, batch.position, queue="bulk")
        Batch.objects.filter(pk__in=[batch.pk for batch in failed]).update(
            state=Batch.State.WAITING, error="", updated_at=timezone.now()
        )
        Run.objects.filter(batches__in=failed).update(state=Run.State.RUNNING, finished_at=None)
    return len(failed)
