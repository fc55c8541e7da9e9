"""Bulk jobs: what is done to many records at once is done by a worker, chunk by chunk, and says how far it is.

Each chunk is one transaction with the job's own row, which is locked meanwhile: a worker that dies leaves nothing
half done, a second one finds the row locked, and the sweep rings again for what was left. Called by the admin (start),
by the job `run_bulk`, and by the sweep. What a job does is a BulkKind, named in settings.BULK_KINDS, because some
of them are the workflows' business.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from associations.errors import Refused
from associations.models import BulkJob, ObjectType
from crmproject import queues

from .origin import Origin
from .selecting import Selection

RUN_BULK = "associations.jobs.run_bulk"

logger = logging.getLogger(__name__)


class BulkKind(ABC):
    """One kind of job, for one job. `permission` is what the person needs, when it starts and when it is done."""

    permission: ClassVar[str]
    chunk: ClassVar[int] = 2_000

    def __init__(self, job: BulkJob) -> None:
        self.job = job

    def selection(self) -> Selection:
        assert self.job.object_type is not None
        return Selection.from_json(self.job.object_type, self.job.fields["selection"])

    def origin(self) -> Origin:
        return Origin.user(self.job.started_by_id)

    @abstractmethod
    def count(self) -> int:
        """Of how many things there are to do."""

    @abstractmethod
    def do(self) -> int | None:
        """Do the next chunk after `job.position` and move that on; how many were done, None when there are no more."""

    def finish(self) -> str:
        """What came of it, in words."""
        return ""


class RecordsKind(BulkKind):
    """A kind that goes through the records of a selection in id order."""

    def count(self) -> int:
        return self.selection().records().count()

    def do(self) -> int | None:
        records = self.selection().records().filter(id__gt=self.job.position).order_by("id")
        ids = list(records.values_list("id", flat=True)[: self.chunk])
        if not ids:
            return None
        self.do_with(ids)
        self.job.position = ids[-1]
        return len(ids)

    @abstractmethod
    def do_with(self, ids: list[int]) -> None: ...


def kind_of(name: str) -> type[BulkKind]:
    found: type[BulkKind] = import_string(settings.BULK_KINDS[name])
    return found


def start(kind: str, title: str, *, user: Any, object_type: ObjectType | None = None, **fields: Any) -> BulkJob:
    """Have a worker do it. Raises PermissionDenied for a person who may not."""
    _check_permission(kind_of(kind), user)
    with transaction.atomic():
        job = BulkJob.objects.create(
            kind=kind, title=title[:200], object_type=object_type, fields=fields, started_by_id=user.pk
        )
        queues.enqueue(RUN_BULK, job.pk, queue="bulk")
    return job


def run(job_id: int) -> None:
    """Do a chunk of a job; if there is more, another job for the worker does that."""
    try:
        with transaction.atomic():
            if job := _claim(job_id):
                _run(job)
    except (OperationalError, InterfaceError):
        raise  # it still waits, and the sweep rings for it
    except (Refused, ValidationError, PermissionDenied) as error:
        _give_up(job_id, " ".join(error.messages) if isinstance(error, ValidationError) else str(error))
    except Exception as error:
        logger.exception("Failed", extra={"bulk_job": job_id})
        _give_up(job_id, f"{type(error).__name__}: {error}")


def _claim(job_id: int) -> BulkJob | None:
    """The job, locked, if there is something left to do and nobody else is at it."""
    jobs = BulkJob.objects.select_for_update(skip_locked=True, of=("self",)).select_related("object_type", "started_by")
    return jobs.filter(pk=job_id, finished_at=None).first()


def _run(job: BulkJob) -> None:
    kind = kind_of(job.kind)(job)
    _check_permission(type(kind), job.started_by)
    if job.total is None:
        job.total, job.state = kind.count(), BulkJob.State.RUNNING
    done = kind.do()
    if done is None:
        job.result = kind.finish()
        job.state, job.finished_at = BulkJob.State.FINISHED, timezone.now()
    else:
        job.done += done
        queues.enqueue(RUN_BULK, job.pk, queue="bulk")
    job.save()


def _give_up(job_id: int, reason: str) -> None:
    BulkJob.objects.filter(pk=job_id, finished_at=None).update(
        state=BulkJob.State.FAILED, result=reason, finished_at=timezone.now()
    )


def _check_permission(kind: type[BulkKind], user: Any) -> None:
    if user is None or not user.is_active or not user.has_perm(kind.permission):
        raise PermissionDenied(f"This takes the permission {kind.permission}.")


def ring_for_waiting(seconds: float) -> int:
    """Ring again for jobs that nobody has moved on for more seconds; how many."""
    before = timezone.now() - timedelta(seconds=seconds)
    waiting = BulkJob.objects.filter(finished_at=None, updated_at__lt=before).values_list("id", flat=True)
    for job_id in waiting:
        queues.enqueue(RUN_BULK, job_id, queue="bulk")
    return len(waiting)
