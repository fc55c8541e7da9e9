"""What every test stands on: a database, a queue and a data folder of its own per pytest process.

The queue is a real Valkey. Where a test needs real workers, see processes.py; where it only wants the jobs done,
`run_jobs` does them in the test's own process, connection and transaction.
"""

import os
from collections.abc import Callable, Iterator
from subprocess import Popen

import django_rq
import pytest
from django.conf import settings
from django.db import connection
from hypothesis import settings as hypothesis_settings
from rq.job import Job

from . import processes
from .asking import Asking
from .servers import Valkey, valkey_server

# Whether a change lands is no matter of luck: there the examples are the same each time; new ones are found elsewhere.
hypothesis_settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    hypothesis_settings.load_profile("ci")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `once` would show the same on PostgreSQL as on SQLite: there it is left out."""
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        return
    once = [item for item in items if item.get_closest_marker("once")]
    items[:] = [item for item in items if item not in once]
    config.hook.pytest_deselected(items=once)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """SQLite in a file, as in production: real workers open it too."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def _data_dir(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.DATA_DIR = tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session", autouse=True)
def queue_server() -> Iterator[Valkey]:
    with valkey_server() as server:
        settings.REDIS_URL = server.url
        for queue in settings.RQ_QUEUES.values():
            queue["URL"] = server.url
        yield server


@pytest.fixture(autouse=True)
def _empty_queue(queue_server: Valkey) -> None:
    if queue_server.process is None:  # a test that ended it failed before it started it again
        queue_server.start()
    django_rq.get_connection("default").flushall()


@pytest.fixture(autouse=True)
def _initial_rows(django_db_serialized_rollback: None) -> None:
    """Transactional tests end by emptying every table; this brings back what the migrations wrote."""


@pytest.fixture
def run_jobs() -> Callable[[], None]:
    """Do all that waits in the queue, and what that brings about, here and now. A job's exception is the test's.

    In a test that never commits (`db`), what waits for the commit is done as well.
    """

    def run() -> None:
        while True:
            callbacks, connection.run_on_commit = connection.run_on_commit, []
            for waiting in callbacks:
                waiting[1]()
            job = next_job()
            if job is not None:
                job.perform()
            elif not callbacks:
                return

    return run


def next_job() -> Job | None:
    for queue in map(django_rq.get_queue, processes.QUEUES):
        if not queue.is_empty():
            return queue.fetch_job(queue.pop_job_id() or "")
    return None


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Popen[bytes]]:
    """A real worker that runs as long as the test."""
    process = processes.start_worker()
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def run_worker_until_idle(transactional_db: None) -> Callable[..., None]:
    """Have a real worker do all that waits in the queue."""
    return processes.run_worker_until_idle


@pytest.fixture
def ask(db: None) -> Asking:
    """The API as a program with every scope sees it."""
    return Asking.with_token()
