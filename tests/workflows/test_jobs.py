"""Jobs as workers do them: however often and in whatever order they come, with two real workers at it."""

from __future__ import annotations

from collections.abc import Iterator
from subprocess import Popen

import django_rq
import psycopg
import pytest
from django.conf import settings
from django.db import Error, OperationalError, connection

from associations.models import Association, AssociationChange, ChangeSet
from crmproject import queues
from tests.concurrency import at_once
from tests.factories import make_label, make_records
from tests.processes import database_url, start_worker, wait_until
from tests.workflows.making import apply, create, make_workflow, sums
from workflows import jobs
from workflows.models import ActionRun, Batch, Enrollment, Run
from workflows.services import enrollment
from workflows.services.enrollment import RUN_ACTION
from workflows.services.faults import passes
from workflows.services.sweeping import sweep
from workflows.services.synced import PREPARE_RUN

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
COUNT = 60


@pytest.fixture
def workers(transactional_db: None) -> Iterator[list[Popen[bytes]]]:
    """Two that wait for jobs; a test may end them and start others in their place."""
    two = [start_worker() for _ in range(2)]
    yield two
    kill(two)


def kill(workers: list[Popen[bytes]]) -> None:
    for each in workers:
        each.kill()
        each.wait()


def finished() -> bool:
    return not Run.objects.exclude(state=Run.State.FINISHED).exists() and not any(
        len(django_rq.get_queue(name)) for name in settings.RQ_QUEUES
    )


@pytest.mark.slow
def test_jobs_delivered_often_and_out_of_order_and_two_sweeps_at_once_have_one_effect_with_two_workers(
    monkeypatch: pytest.MonkeyPatch, workers: list[Popen[bytes]]
) -> None:
    monkeypatch.setattr(enrollment, "BATCH", 10)
    partner = make_label("contact", "company", "Partner")
    contacts = make_records("contact", [{"city": f"City {number}"} for number in range(COUNT)])
    make_records("company", [{"city": f"City {number}"} for number in range(COUNT)])
    workflow = make_workflow("contact", create("company", "city", "city"), apply(partner), should_re_enroll=True)

    by_name = enrollment.enroll_records(workflow, [each.pk for each in contacts])
    batches = list(by_name.batches.values_list("id", flat=True))
    for position in (1, 0, 1, 0):
        for batch in reversed(batches):
            queues.enqueue(RUN_ACTION, batch, position)
    wait_until(finished, seconds=180)
    assert sums(by_name) == {"created": {"records": COUNT, "pairs": COUNT}}
    assert sums(by_name, 1) == {"label_added": {"records": COUNT, "pairs": COUNT}}
    assert ActionRun.objects.count() == 2 * len(batches) == 12
    # The unlabeled row, Primary and the label of each pair, each told once.
    assert Association.objects.count() == AssociationChange.objects.count() == 3 * COUNT

    by_range = enrollment.enroll_matching(workflow, [[]])
    for _ in range(3):
        queues.enqueue(PREPARE_RUN, by_range.pk, queue="bulk")
    wait_until(finished, seconds=180)
    assert by_range.batches.count() == 1
    assert sums(by_range) == sums(by_range, 1) == {"already_there": {"records": COUNT, "pairs": COUNT}}
    assert AssociationChange.objects.count() == 3 * COUNT
    assert Enrollment.objects.filter(state=Enrollment.State.FINISHED).count() == 2 * COUNT

    kill(workers)  # or they take the jobs before they can be lost
    lost = [enrollment.enroll_records(workflow, [each.pk for each in contacts]), enrollment.enroll_matching(workflow)]
    make_records("contact", 1)
    django_rq.get_connection("default").flushall()
    rung = at_once(*[lambda: sweep(seconds=-1)] * 2)
    assert min(rung) >= len(lost)
    workers[:] = [start_worker() for _ in range(2)]

    def done() -> bool:
        if finished() and not ChangeSet.objects.filter(processed_at=None).exists():
            return True
        if not any(len(django_rq.get_queue(name)) for name in settings.RQ_QUEUES):
            sweep(seconds=-1)  # as the clock does: what a wiped queue took along may take a second look to be missed
        return False

    wait_until(done, seconds=180)
    assert Enrollment.objects.filter(state=Enrollment.State.FINISHED).count() == 3 * COUNT, "once by one of the two"
    assert AssociationChange.objects.count() == 3 * COUNT


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite is a file: there is no connection to be cut off.")
def test_a_job_whose_connection_was_cut_off_makes_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PAUSES", (0.0, 0.0))
    workflow = make_workflow("contact", create("company", "city", "city"))
    run = enrollment.enroll_records(workflow, [each.pk for each in make_records("contact", 2)])
    batch = run.batches.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        own = cursor.fetchone()[0]
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [own])
    jobs.run_action(batch.pk, 0)
    batch.refresh_from_db()
    assert batch.state == Batch.State.FINISHED
    assert sums(run) == {"no_value": {"records": 2, "pairs": 0}}


def test_a_job_for_a_batch_that_is_gone_is_no_ones_fault() -> None:
    """A workflow's history may be pruned while a job for it still waits in the queue."""
    jobs.run_action(10**9, 0)
    jobs.prepare_run(10**9)
    assert not Batch.objects.exists()


def test_a_statement_that_the_database_will_never_accept_does_not_pass_by_itself() -> None:
    with pytest.raises(Error) as too_much, connection.cursor() as cursor:
        cursor.execute("SELECT " + "(" * 50_000 + "1" + ")" * 50_000)
    assert not passes(too_much.value)
    assert passes(OperationalError("the connection is closed"))
