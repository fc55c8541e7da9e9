"""Two at once, for tests of what PostgreSQL does when writers meet; each thread has a connection of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

WAIT = 30.0

needs_two_writers = pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="SQLite has one writer at a time, who waits at the start of a transaction: nothing to meet",
)


def _alone(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


@contextmanager
def meanwhile(work: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Hold a transaction open around the block; then let another writer run into it, and commit.

    The result of `work` is in the future when the block is left: what it returned, or raised.
    """
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            future: Future[Any] = Future()
            yield future
            running = pool.submit(_alone, work)
            wait_until_blocked(running)
        try:
            future.set_result(running.result(WAIT))
        except Exception as error:
            future.set_exception(error)


def wait_until_blocked(running: Future[Any]) -> None:
    """Until the other writer waits for a lock of this one, or is done without."""
    deadline = time.monotonic() + WAIT
    while not running.done() and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.005)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Start all of them at the same moment; what each returned, or the exception it raised."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        barrier.wait(WAIT)
        try:
            return work()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result(WAIT) for each in [pool.submit(_alone, partial(run, work)) for work in works]]
