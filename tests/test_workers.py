"""Jobs go through the queue as JSON, and a real worker does them."""

import json
import sys

import django_rq
import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from associations.models import ChangeSet
from crmproject import queues
from crmproject.management.commands.serve import worker_command
from crmproject.workers import JSONCronScheduler

from .factories import make_record
from .jobs import rename
from .processes import alive, manage, wait_until


@pytest.fixture
def user(transactional_db):
    return get_user_model().objects.create(username="anna")


def first_name(user) -> str:
    user.refresh_from_db()
    return user.first_name


def test_a_real_worker_reads_the_job_and_writes_to_the_database(user, run_worker_until_idle):
    queues.enqueue("tests.jobs.rename", user.pk)
    run_worker_until_idle()
    assert first_name(user) == "seen"


def test_a_job_is_json_in_the_queue(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        queues.enqueue("tests.jobs.rename", 7)
    (job,) = django_rq.get_queue("default").jobs
    assert json.loads(job.data) == ["tests.jobs.rename", None, [7], {}]


def test_jobs_can_be_done_in_the_test_itself(db, run_jobs):
    user = get_user_model().objects.create(username="anna")
    queues.enqueue("tests.jobs.rename", user.pk, queue="bulk")
    run_jobs()
    assert first_name(user) == "seen"


def test_the_scheduler_rings_in_json(user, run_worker_until_idle):
    scheduler = JSONCronScheduler(django_rq.get_connection("default"))
    scheduler.register(rename, queue_name="default", args=(user.pk,), interval=60)
    assert len(scheduler.enqueue_jobs()) == 1
    assert scheduler.enqueue_jobs() == []  # not due again
    run_worker_until_idle()
    assert first_name(user) == "seen"


def test_a_scheduler_without_its_queue_says_so_in_one_line(transactional_db):
    scheduler = manage("rqcron", "tests.cron", REDIS_URL="unix:///nowhere/valkey.sock")
    assert scheduler.returncode == 1
    assert scheduler.stderr.startswith("The queue does not answer")
    assert scheduler.stderr.count("\n") == 1


def test_a_queue_that_is_down_costs_a_warning_and_no_more(db, queue_server, django_capture_on_commit_callbacks, caplog):
    queue_server.kill()
    with django_capture_on_commit_callbacks(execute=True):
        queues.enqueue("tests.jobs.rename", 7)
    assert "The queue does not answer" in caplog.text
    queue_server.start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_no_job_outlives_a_worker_that_is_killed(user, worker):
    with transaction.atomic():
        queues.enqueue("tests.jobs.sleep_as", user.pk)
    wait_until(lambda: first_name(user))
    job = int(first_name(user))
    assert alive(job)
    worker.kill()
    wait_until(lambda: not alive(job))  # the job would take ten minutes


def test_a_worker_that_starts_looks_at_what_one_that_died_has_left(transactional_db, run_worker_until_idle):
    make_record("contact")
    queue = django_rq.get_queue("default")
    assert queue.pop_job_id() is not None  # by one that dies now; the bell hangs, and nobody else can ring it
    make_record("contact")
    assert queue.is_empty()
    run_worker_until_idle()
    assert not ChangeSet.objects.filter(processed_at=None).exists()


def test_with_sqlite_only_one_worker_takes_what_comes_in_many_parts():
    both, other = ["default", "bulk"], ["default"] if connection.vendor == "sqlite" else ["default", "bulk"]
    assert [worker_command(number)[3:-1] for number in (1, 2, 3)] == [both, other, other]
