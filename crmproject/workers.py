"""Who takes the jobs off the queue, and who puts the periodic ones on it.

Django-RQ finds the worker by settings.RQ["WORKER_CLASS"], and the scheduler by our own `rqcron` command. Both close
the same gap: RQ reads and writes jobs as pickles unless each of its doors is told otherwise.
"""

import gc
import logging
import os
import resource
from pathlib import Path
from typing import Any

import django_rq
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string
from django_rq.cron import DjangoCronScheduler
from rq import Queue, Worker
from rq.cron import CronJob
from rq.exceptions import InvalidJobOperation
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now

from . import queues
from .supervision import end_with_parent

# What is due at once after a change, and what comes in many small parts; each looks at a bounded number of records.
QUICK_JOBS = ("workflows.jobs.process_events", "workflows.jobs.run_action", "workflows.jobs.undo_part")
MOST_JOBS = 10_000
MOST_MEGABYTES = 180

logger = logging.getLogger(__name__)


class JSONWorker(Worker):
    """Reads jobs as JSON, whatever the command line says, and leaves no job running when it is killed itself.

    A pickle in a job would run any code of whoever can write to the queue.

    What people wait for it does itself, with a connection that is there already; to fork a process for it would take
    longer than the work. All else runs in a process of its own that takes its memory along when it ends.
    """

    done_here = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"serializer": JSONSerializer})
        self.parent_of_jobs = os.getpid()
        import_string(
            settings.RECORD_EVENTS_JOB
        )  # and all that it needs, so that no process reads it anew for each job
        gc.freeze()  # it stays for ever: to look through all of it for garbage holds a job up for tens of milliseconds

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Look at what happened first: one that died at it has left the bell hanging, which nobody can ring then."""
        queues.answer(settings.RECORD_EVENTS_JOB)
        queues.ring(settings.RECORD_EVENTS_JOB)
        return bool(super().work(*args, **kwargs))

    def execute_job(self, job: Job, queue: Queue) -> None:
        if not _is_quick(job):
            connections.close_all()  # two processes on one connection would read each other's answers
            super().execute_job(job, queue)
            return
        try:
            execution = self.prepare_execution(job)
            self.perform_job(job, queue, execution)
        except InvalidJobOperation:  # the queue was wiped; the work is done, or waits for the sweep
            logger.warning("The queue no longer knows the job %s.", job.id)
        self.set_state("idle")
        self.done_here += 1
        if self.done_here >= MOST_JOBS or _megabytes() > MOST_MEGABYTES:
            self._stop_requested = True  # whoever supervises starts a fresh one

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Nobody beats for a job that the worker does itself; it has as long as its time-out."""
        if _is_quick(job):
            return int(job.timeout or 0) + 60
        return int(super().get_heartbeat_ttl(job, working_time))

    def setup_work_horse_signals(self) -> None:  # runs in the forked process, before the job
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        end_with_parent(self.parent_of_jobs)


def _is_quick(job: Job) -> bool:
    return job.func_name in QUICK_JOBS


def _megabytes() -> float:
    """The memory of this process; 0 where the system does not say (getrusage counts what started it, too)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * resource.getpagesize() / 1024**2


class JSONCronScheduler(DjangoCronScheduler):
    """Rings through Django-RQ's queues; RQ's own way would write pickles, which no worker of ours reads."""

    def enqueue_jobs(self) -> list[CronJob]:
        due = [job for job in self.get_jobs() if job.should_run()]
        for job in due:
            queue = django_rq.get_queue(job.queue_name)
            queue.enqueue(job.func_name, args=job.args, kwargs=job.kwargs, **job.job_options)
            job.set_enqueue_time(now())
        return due
