"""The one place that knows the queue.

Jobs are named by their dotted path and carry ids only. The queue is a bell, never a memory: what is to be
done stands in the database, so a bell that cannot ring (the server is down, its data lost) costs time, not work.
Called by the services of both apps; it never touches the database itself.
"""

import logging

import django_rq
from django.db import transaction
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

logger = logging.getLogger(__name__)


def enqueue(job: str, *ids: int, queue: str = "default", unique_id: str | None = None) -> None:
    """Have a worker call `job` with `ids` once the current transaction is committed.

    `unique_id` names the bell: while a job of that name waits, ringing it again does nothing. The job
    gives the name up when it starts (`start_unique`), so that a change during its work rings anew.
    """
    transaction.on_commit(lambda: _ring(job, ids, queue, unique_id))


def _ring(job: str, ids: tuple[int, ...], queue: str, unique_id: str | None) -> None:
    try:
        django_rq.get_queue(queue).enqueue_call(job, args=ids, job_id=unique_id, unique=unique_id is not None)
    except DuplicateJobError:
        pass  # it waits already
    except RedisError as error:
        logger.warning("The queue does not answer; the sweep will take this up: %s%s (%s)", job, ids, error)
