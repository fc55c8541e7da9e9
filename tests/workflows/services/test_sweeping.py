"""The sweep: whatever waits too long is rung for again, and a run that nobody closed is closed."""

from __future__ import annotations

from collections.abc import Callable

import django_rq
import pytest
from django.db import connection
from django.utils import timezone

from associations.models import AssociationChange, ChangeSet
from crmproject import queues
from tests.factories import make_record, make_records
from tests.workflows.making import create, is_, make_workflow, sums
from workflows.models import ActionRun, Batch, Enrollment, Preview, Run, Workflow
from workflows.services import enrollment, execution, lifecycle, preview
from workflows.services.sweeping import sweep

pytestmark = pytest.mark.django_db
AT_ONCE, AFTER_AN_HOUR = -1, 3_600


@pytest.fixture
def workflow(db: None) -> Workflow:
    make_record("company", city="Boston")
    return make_workflow("contact", create("company", "city", "city"), triggers=[[is_("city", "Boston")]])


def ring_now() -> None:
    """Do what waits for the commit, in a test that never commits."""
    callbacks, connection.run_on_commit = connection.run_on_commit, []
    for waiting in callbacks:
        waiting[1]()


def forget_the_queue() -> None:
    django_rq.get_connection("default").flushall()


def test_where_nothing_waits_it_rings_for_nothing(workflow: Workflow, run_jobs: Callable[[], None]) -> None:
    make_record("contact", city="Boston")
    run_jobs()
    assert Run.objects.get().state == Run.State.FINISHED
    assert sweep(seconds=AT_ONCE) == 0


def test_what_began_to_wait_just_now_is_left_to_its_own_bell(workflow: Workflow) -> None:
    contact = make_record("contact", city="Boston")
    enrollment.enroll_records(workflow, [contact.pk])
    enrollment.enroll_matching(workflow, [[]])
    assert sweep(seconds=AFTER_AN_HOUR) == 0
    assert sweep() == 0
    assert sweep(seconds=AT_ONCE) == 3


def test_everything_lost_with_the_queue_is_done_in_the_end(workflow: Workflow, run_jobs: Callable[[], None]) -> None:
    contacts = make_records("contact", [{"city": "Boston"}] * 3)
    enrollment.enroll_records(workflow, [contacts[0].pk])
    enrollment.enroll_matching(workflow, [[]])
    forget_the_queue()
    for _ in range(2):  # nor do two sweeps do anything twice
        sweep(seconds=AT_ONCE)
    run_jobs()
    assert sorted(Enrollment.objects.values_list("record", flat=True)) == [each.pk for each in contacts]
    assert not Run.objects.exclude(state=Run.State.FINISHED).exists()
    assert AssociationChange.objects.filter(type=279).count() == 3


def test_a_preview_that_the_queue_has_lost_is_counted_in_the_end(
    workflow: Workflow, run_jobs: Callable[[], None]
) -> None:
    make_record("contact", city="Boston")
    ChangeSet.objects.update(processed_at=timezone.now())
    asked = preview.request(workflow)
    ring_now()
    assert sweep(seconds=AT_ONCE) == 0, "it still waits in the queue"
    forget_the_queue()
    assert sweep(seconds=AFTER_AN_HOUR) == 0
    assert sweep(seconds=AT_ONCE) == 1
    ring_now()
    assert sweep(seconds=AT_ONCE) == 0, "and is not rung for twice"
    run_jobs()
    asked.refresh_from_db()
    assert asked.state == Preview.State.FINISHED
    assert sweep(seconds=AT_ONCE) == 0


def test_what_still_waits_in_the_queue_is_not_rung_for_again(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrollment, "BATCH", 1)
    enrollment.enroll_records(workflow, [each.pk for each in make_records("contact", 6)])
    oldest, *others = Batch.objects.order_by("id").values_list("id", flat=True)
    ring_now()
    forget_the_queue()
    for batch in others:
        queues.enqueue(enrollment.RUN_ACTION, batch, 0)
    ring_now()
    ChangeSet.objects.update(processed_at=timezone.now())
    assert sweep(seconds=AT_ONCE) == 1
    ring_now()
    assert len(django_rq.get_queue("bulk")) == 1
    job = django_rq.get_queue("bulk").jobs[0]
    assert tuple(job.args) == (oldest, 0)
    assert sweep(seconds=AT_ONCE) == 0


def test_a_run_whose_worker_died_before_closing_it_is_closed(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrollment, "BATCH", 1)
    run = enrollment.enroll_records(workflow, [each.pk for each in make_records("contact", 2)])
    first, second = run.batches.values_list("id", flat=True)
    Batch.objects.filter(pk=first).update(state=Batch.State.FINISHED)
    sweep(seconds=AT_ONCE)
    assert Run.objects.get().state == Run.State.RUNNING
    Batch.objects.filter(pk=second).update(state=Batch.State.FINISHED)
    sweep(seconds=AT_ONCE)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert run.finished_at is not None


def test_a_run_with_a_failed_batch_is_closed_as_failed_when_the_others_are_done(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrollment, "BATCH", 1)
    run = enrollment.enroll_records(workflow, [each.pk for each in make_records("contact", 2)])
    first, second = run.batches.values_list("id", flat=True)
    Batch.objects.filter(pk=first).update(state=Batch.State.FAILED, error="broken")
    sweep(seconds=AT_ONCE)
    assert Run.objects.get().state == Run.State.RUNNING
    execution.run_action(second, 0)
    run.refresh_from_db()
    assert run.state == Run.State.FAILED


def test_it_rings_for_the_action_that_is_due(workflow: Workflow, run_jobs: Callable[[], None]) -> None:
    steps = [create("company", "city", "city"), create("company", "state", "state")]
    two_steps = make_workflow("contact", *steps)
    run = enrollment.enroll_records(two_steps, [make_record("contact", city="Boston").pk])
    execution.run_action(run.batches.get().pk, 0)
    forget_the_queue()
    sweep(seconds=AT_ONCE)
    run_jobs()
    assert list(ActionRun.objects.filter(batch__run=run).values_list("position", flat=True)) == [0, 1]
    assert sums(run, 1) == {"no_value": {"records": 1, "pairs": 0}}


def test_what_waits_for_a_workflow_that_was_turned_off_is_finished_and_says_so(
    workflow: Workflow, run_jobs: Callable[[], None]
) -> None:
    run = enrollment.enroll_records(workflow, [make_record("contact", city="Boston").pk])
    lifecycle.turn_off(workflow)
    forget_the_queue()
    sweep(seconds=AT_ONCE)
    run_jobs()
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert sums(run) == {"workflow_off": {"records": 1, "pairs": 0}}
