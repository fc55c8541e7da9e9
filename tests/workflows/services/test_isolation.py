"""One bad record never holds up the others: it is found, put aside with the reason, and can be tried again.

What is bad here is a trigger of the database itself that refuses one record's associations.
"""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from associations.models import Association, Record
from tests.factories import make_records
from tests.refusing import refused_by_the_database
from tests.workflows.making import create, enroll, enroll_all, make_workflow, work_off
from workflows.models import ActionOutcome, Batch, Enrollment, Run, Workflow
from workflows.services import isolation

pytestmark = pytest.mark.django_db


@pytest.fixture
def contacts() -> list[Record]:
    make_records("company", [{"name": "Alder Foods"}])
    return make_records("contact", [{"company": "Alder Foods"} for _ in range(20)])


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("contact", create("company", "company", "name"))


def associated() -> set[int]:
    return set(Association.objects.filter(type=279).values_list("source", flat=True))


@pytest.mark.parametrize("bad", [0, 7, 19])
@pytest.mark.parametrize("by_range", [False, True])
def test_the_others_finish_and_the_bad_one_is_put_aside_with_the_reason(
    contacts: list[Record], workflow: Workflow, bad: int, by_range: bool
) -> None:
    with refused_by_the_database(contacts[bad]):
        run = enroll_all(workflow) if by_range else enroll(workflow, contacts)
    ids = {each.pk for each in contacts}
    assert associated() == ids - {contacts[bad].pk}
    assert run.state == Run.State.FAILED
    failed = Batch.objects.get(state=Batch.State.FAILED)
    assert "this record is bad" in failed.error
    assert Enrollment.objects.get(state=Enrollment.State.FAILED).record_id == contacts[bad].pk
    finished = Enrollment.objects.filter(state=Enrollment.State.FINISHED)
    assert set(finished.values_list("record", flat=True)) == ids - {contacts[bad].pk}
    assert ActionOutcome.objects.filter(outcome="created").count() == 19


def test_it_can_be_tried_again_once_the_cause_is_gone(contacts: list[Record], workflow: Workflow) -> None:
    with refused_by_the_database(contacts[3]):
        run = enroll(workflow, contacts)
    out = StringIO()
    call_command("retry_failed", str(run.pk), stdout=out)
    assert out.getvalue() == "1 batch is tried again.\n"
    work_off()
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert associated() == {each.pk for each in contacts}
    assert not Enrollment.objects.exclude(state=Enrollment.State.FINISHED).exists()
    assert isolation.retry(Batch.objects.all()) == 0, "what has not failed is not tried again"


def test_a_batch_that_moved_on_meanwhile_is_left_alone(contacts: list[Record], workflow: Workflow) -> None:
    run = enroll(workflow, contacts)
    isolation.isolate(run.batches.get().pk, 0, "too late")
    assert run.batches.get().state == Batch.State.FINISHED


def test_to_retry_a_run_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no run 999"):
        call_command("retry_failed", "999")
