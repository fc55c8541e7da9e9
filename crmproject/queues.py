"""The one place that knows the queue.

Jobs are named by their dotted path and carry ids only. The queue is a bell, never a memory: what is to be
done stands in the database, so a bell that cannot ring (the server is down, its data lost) costs time, not work.
Called by the services of both apps; it never touches the database itself.
"""

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache

import django_rq
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.job import Job
from rq.utils import as_text

logger = logging.getLogger(__name__)
BELL_SECONDS = 10
COUNTERS = "counters"
QueueError = RedisError


@dataclass
class _KeptBack:
    bell: str
    counts: dict[str, float] = field(default_factory=dict)


_kept_back: ContextVar[_KeptBack | None] = ContextVar("kept_back", default=None)
_gathered: ContextVar[deque[tuple[str, tuple[int, ...]]] | None] = ContextVar("gathered", default=None)


def enqueue(job: str, *ids: int, queue: str = "default") -> None:
    """Have a worker call `job` with `ids` once the current transaction is committed."""
    transaction.on_commit(lambda: _enqueue(job, ids, queue))


def ring(bell: str) -> None:
    """Have a worker call the job `bell` once the current transaction is committed.

    While the bell hangs ringing (its job waits, or is at work), ringing it again does nothing. The job says `answer`
    before its last look at the database, so that a change after that look rings anew and none waits for the sweep.
    """
    transaction.on_commit(lambda: _ring(bell))


def answer(bell: str) -> None:
    """Said by the bell's job before it looks for the last time: from now on the next change rings again."""
    if _gathered.get() is not None:
        return
    try:
        _connection().delete(_key(bell))
    except RedisError as error:
        logger.warning("The queue does not answer: %s", error)


@contextmanager
def foreground() -> Iterator[Iterator[str]]:
    """Within the block jobs gather here instead of in the queue; iterating over what it yields does them, one by one.

    For commands that wait for the end, and where no queue server runs.
    """
    jobs: deque[tuple[str, tuple[int, ...]]] = deque()
    token = _gathered.set(jobs)
    try:
        yield _do_all(jobs)
    finally:
        _gathered.reset(token)


@contextmanager
def kept_back(bell: str) -> Iterator[None]:
    """Within the block the bell does not ring, for its own job looks again anyway; and what is to be counted is so at
    the end."""
    kept = _KeptBack(bell)
    token = _kept_back.set(kept)
    try:
        yield
    finally:
        _kept_back.reset(token)
        _count(kept.counts)


def _do_all(jobs: deque[tuple[str, tuple[int, ...]]]) -> Iterator[str]:
    while jobs:
        job, ids = jobs.popleft()
        import_string(job)(*ids)
        yield job


def _ring(bell: str) -> None:
    if (jobs := _gathered.get()) is not None:
        if (bell, ()) not in jobs:
            jobs.append((bell, ()))
        return
    if (own := _kept_back.get()) is not None and own.bell == bell:
        return
    try:
        # The expiry is for a job that is lost, or dies; and one that takes longer than that gets help.
        if _connection().set(_key(bell), 1, nx=True, ex=BELL_SECONDS):
            _enqueue(bell, (), "default")
    except RedisError as error:
        logger.warning("The queue does not answer; the sweep will ring again: %s (%s)", bell, error)


def _enqueue(job: str, ids: tuple[int, ...], queue: str) -> None:
    if (jobs := _gathered.get()) is not None:
        jobs.append((job, ids))
        return
    try:
        _queue(queue).enqueue_call(job, args=ids)
    except RedisError as error:
        logger.warning("The queue does not answer; the sweep will take this up: %s%s (%s)", job, ids, error)


# Figures ----------------------------------------------------------------------------------------


def worker_count() -> int:
    """How many workers are registered. Raises QueueError where the queue does not answer."""
    return int(Worker.count(connection=_connection()))


def length() -> int:
    """How many jobs wait in all queues; 0 where the queue does not answer."""
    try:
        return sum(len(_queue(name)) for name in settings.RQ_QUEUES)
    except RedisError:
        return 0


def has_time() -> bool:
    """Whether a worker may wait a moment for more to come: no other job waits for one, and no command for its end."""
    return _gathered.get() is None and not length()


def note_progress(of: str, done: int, steps: int) -> None:
    """Say at once how far something is, also from within a transaction. Kept for a day; lost with the queue's data."""
    if _gathered.get() is not None:
        return
    try:
        _connection().set(f"progress:{of}", f"{done} {steps}", ex=86_400)
    except RedisError as error:
        logger.warning("The queue does not answer; nobody sees the progress: %s", error)


def progress(of: str) -> tuple[int, int] | None:
    """How many steps are done, of how many; None where nobody has said it."""
    try:
        noted = _connection().get(f"progress:{of}")
    except RedisError:
        return None
    if noted is None:
        return None
    done, steps = as_text(noted).split()
    return int(done), int(steps)


def count(amounts: Mapping[str, float]) -> None:
    """Add to counters, once the current transaction is committed. They last as long as the queue's data."""
    transaction.on_commit(lambda: _count(amounts))


def _count(amounts: Mapping[str, float]) -> None:
    if _gathered.get() is not None or not amounts:
        return
    if (own := _kept_back.get()) is not None:
        for name, amount in amounts.items():
            own.counts[name] = own.counts.get(name, 0) + amount
        return
    try:
        with _connection().pipeline() as pipeline:
            for name, amount in amounts.items():
                pipeline.hincrbyfloat(COUNTERS, name, amount)
            pipeline.execute()
    except RedisError as error:
        logger.warning("The queue does not answer; not counted: %s", error)


def counted() -> dict[str, float]:
    """All counters; none where the queue does not answer."""
    try:
        stored = _connection().hgetall(COUNTERS)
    except RedisError:
        return {}
    return {as_text(name): float(value) for name, value in stored.items()}


def holds(job: str, *ids: int, queue: str = "default") -> bool:
    """Whether the queue still has this job: waiting in it, or with a worker that lives.

    It reads all jobs of the queue, so it is for the sweep and for work that is rare and long. False where the queue
    does not answer: then nothing is lost by ringing.
    """
    try:
        jobs = _queue(queue)
        known = [*jobs.job_ids, *jobs.started_job_registry.get_job_ids()]
        found = Job.fetch_many(known, connection=jobs.connection, serializer=jobs.serializer)
    except RedisError:
        return False
    return any(each is not None and (each.func_name, tuple(each.args)) == (job, ids) for each in found)


def _queue(name: str) -> Queue:
    return _queue_at(name, settings.RQ_QUEUES[name]["URL"])


@cache
def _queue_at(name: str, url: str) -> Queue:
    """One queue a process, whose connections stay open: Django-RQ's are new for each call, which takes longer than to
    enqueue a job. Several threads may use it, and a forked process makes connections of its own."""
    return django_rq.get_queue(name)


def _connection() -> Redis:
    return _queue("default").connection


def _key(bell: str) -> str:
    return f"bell:{bell}"
