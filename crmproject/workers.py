"""Who takes the jobs off the queue, and who puts the periodic ones on it.

Django-RQ finds the worker by settings.RQ["WORKER_CLASS"], and the scheduler by our own `rqcron` command. Both close
the same gap: RQ reads and writes jobs as pickles unless each of its doors is told otherwise.
"""

import os
from typing import Any

import django_rq
from django_rq.cron import DjangoCronScheduler
from rq import Worker
from rq.cron import CronJob
from rq.serializers import JSONSerializer
from rq.utils import now

from .supervision import end_with_parent


class JSONWorker(Worker):
    """Reads jobs as JSON, whatever the command line says, and leaves no job running when it is killed itself.

    A pickle in a job would run any code of whoever can write to the queue.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"serializer": JSONSerializer})
        self.parent_of_jobs = os.getpid()

    def setup_work_horse_signals(self) -> None:  # runs in the forked process, before the job
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        end_with_parent(self.parent_of_jobs)


class JSONCronScheduler(DjangoCronScheduler):
    """Rings through Django-RQ's queues; RQ's own way would write pickles, which no worker of ours reads."""

    def enqueue_jobs(self) -> list[CronJob]:
        due = [job for job in self.get_jobs() if job.should_run()]
        for job in due:
            queue = django_rq.get_queue(job.queue_name)
            queue.enqueue(job.func_name, args=job.args, kwargs=job.kwargs, **job.job_options)
            job.set_enqueue_time(now())
        return due
