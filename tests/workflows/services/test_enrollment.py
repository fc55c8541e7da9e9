"""Who is enrolled: once at a time, only live records, by range and by name, however many, whoever else is at it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from associations.errors import Refused
from associations.models import Record, RecordEvent
from associations.services import archiving, match_keys
from tests.concurrency import at_once, meanwhile, needs_two_writers
from tests.factories import ORIGIN, make_label, make_record, make_records, object_type
from tests.workflows.making import apply, create, enroll, enroll_all, is_, make_workflow, sums, work_off
from workflows import jobs
from workflows.models import ActionRun, Batch, Enrollment, Run, Workflow
from workflows.services import enrollment, events, execution, lifecycle

pytestmark = pytest.mark.django_db
STEP = ("company", "city", "city")


@pytest.fixture
def workflow(db: None) -> Workflow:
    make_record("company", city="Boston")
    return make_workflow("contact", create(*STEP), triggers=[[is_("city", "Boston")]])


def ordinals(record: Record) -> list[int | None]:
    return list(Enrollment.objects.filter(record=record).order_by("ordinal").values_list("ordinal", flat=True))


# By name ----------------------------------------------------------------------------------------


def test_enrolling_by_name_skips_the_triggers(workflow: Workflow) -> None:
    contact = make_record("contact", city="Oslo")
    run = enroll(workflow, [contact])
    assert sums(run) == {"no_match": {"records": 1, "pairs": 0}}


def test_a_record_named_twice_is_enrolled_once(workflow: Workflow) -> None:
    contact = make_record("contact")
    run = enroll(workflow, [contact, contact])
    assert ordinals(contact) == [0]
    assert sums(run) == {"no_value": {"records": 1, "pairs": 0}}


def test_what_is_no_live_record_of_the_type_is_refused_whole(workflow: Workflow) -> None:
    contact, company, archived = make_record("contact"), make_record("company"), make_record("contact")
    archiving.archive_records(archived.object_type, [archived.pk], origin=ORIGIN)
    for wrong in (company.pk, archived.pk, 10**9):
        with pytest.raises(Refused, match=f"There is no contact {wrong}, or it is archived"):
            enrollment.enroll_records(workflow, [contact.pk, wrong])
    assert not Run.objects.exists()
    assert not Enrollment.objects.exists()


def test_enrolling_nobody_is_a_run_that_has_ended(workflow: Workflow) -> None:
    run = enroll(workflow, [])
    assert run.state == Run.State.FINISHED


def test_while_it_is_enrolled_a_record_is_not_enrolled_again_even_with_re_enrollment() -> None:
    workflow = make_workflow("contact", create(*STEP), should_re_enroll=True)
    contact = make_record("contact")
    for _ in range(2):
        enrollment.enroll_records(workflow, [contact.pk])
    assert ordinals(contact) == [0]
    work_off()
    enroll(workflow, [contact])
    assert ordinals(contact) == [0, 1]
    assert set(Enrollment.objects.values_list("state", flat=True)) == {Enrollment.State.FINISHED}


def test_two_workflows_enroll_the_same_record_each_for_itself(workflow: Workflow) -> None:
    contact = make_record("contact")
    other = make_workflow("contact", create(*STEP))
    for each in (workflow, other):
        enroll(each, [contact])
    assert ordinals(contact) == [0, 0]


# By range ---------------------------------------------------------------------------------------


def test_who_meets_the_triggers_is_enrolled_when_it_is_turned_on_for_them(workflow: Workflow) -> None:
    met, unmet, archived = make_records("contact", [{"city": "Boston"}, {"city": "Oslo"}, {"city": "Boston"}])
    archiving.archive_records(archived.object_type, [archived.pk], origin=ORIGIN)
    run = enroll_all(workflow, None)
    assert list(Enrollment.objects.values_list("record", flat=True)) == [met.pk]
    assert sums(run)["created"] == {"records": 1, "pairs": 1}
    assert ordinals(unmet) == []


def test_other_criteria_than_the_triggers_can_be_given(workflow: Workflow) -> None:
    _, unmet = make_records("contact", [{"city": "Boston"}, {"city": "Oslo"}])
    enroll_all(workflow, [[is_("city", "Oslo")]])
    assert list(Enrollment.objects.values_list("record", flat=True)) == [unmet.pk]


def test_a_workflow_without_triggers_enrolls_nobody_by_its_triggers() -> None:
    make_record("contact")
    run = enroll_all(make_workflow("contact", create(*STEP)), None)
    assert (run.state, Enrollment.objects.count()) == (Run.State.FINISHED, 0)


def test_criteria_that_cannot_be_are_refused_before_there_is_a_run(workflow: Workflow) -> None:
    with pytest.raises(ValidationError, match="Group 1, filter 1: A contact has no property 'size'"):
        enrollment.enroll_matching(workflow, [[is_("size", 1)]])
    assert not Run.objects.exists()


def test_a_run_by_range_leaves_out_who_is_enrolled_or_was_before(workflow: Workflow) -> None:
    contacts = make_records("contact", [{"city": "Boston"}] * 3)
    enroll(workflow, contacts[:1])
    enrollment.enroll_records(workflow, [contacts[1].pk])
    run = enrollment.enroll_matching(workflow, [[]])
    jobs.prepare_run(run.pk)
    jobs.run_action(run.batches.get().pk, 0)
    assert list(Enrollment.objects.filter(batch__run=run).values_list("record", flat=True)) == [contacts[2].pk]


def test_turned_off_before_its_batches_are_done_a_run_by_range_enrolls_nobody(workflow: Workflow) -> None:
    make_record("contact", city="Boston")
    run = enrollment.enroll_matching(workflow, [[]])
    jobs.prepare_run(run.pk)
    lifecycle.turn_off(workflow)
    work_off()
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert not Enrollment.objects.exists()
    lifecycle.turn_on(workflow)
    assert sums(enroll_all(workflow, None))["created"]["records"] == 1


def test_a_run_is_prepared_once_however_often_the_job_comes(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_keys, "CHUNK", 2)
    make_records("contact", [{"city": "Boston"}] * 5)
    run = enrollment.enroll_matching(workflow, [[]])
    for _ in range(2):
        jobs.prepare_run(run.pk)
    assert run.batches.count() == 3
    work_off()
    jobs.prepare_run(run.pk)
    assert run.batches.count() == 3


def test_a_run_whose_definition_can_no_longer_be_read_fails_and_says_why(workflow: Workflow) -> None:
    """The revision is pinned; what it names may be gone when the run begins."""
    make_records("contact", [{"city": "Boston"}] * 4)
    label = make_label("contact", "company", "Partner")
    labelled = make_workflow("contact", create(*STEP, label=label))
    run = enrollment.enroll_matching(labelled, [[]])
    label.type.workflow_references.all().delete()
    label.type.delete()
    work_off()
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert "Action 1 (Create associations)" in run.note


def test_a_batch_whose_definition_can_no_longer_be_read_fails_whole(workflow: Workflow) -> None:
    """No record is at fault, so there is no use in looking for the bad one."""
    label = make_label("contact", "company", "Partner")
    labelled = make_workflow("contact", apply(label))
    run = enrollment.enroll_records(labelled, [each.pk for each in make_records("contact", 8)])
    label.type.workflow_references.all().delete()
    label.type.delete()
    work_off()
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert "Action 1 (Apply association label)" in run.batches.get().error
    assert Enrollment.objects.filter(state=Enrollment.State.FAILED).count() == 8


# Very many --------------------------------------------------------------------------------------


@pytest.fixture
def _few_parameters(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if batches were larger than 32,766, which is how many parameters a statement of SQLite may have: it has 999
    here, and batches are smaller alike. PostgreSQL knows no such limit."""
    monkeypatch.setattr(match_keys, "CHUNK", 400)
    monkeypatch.setattr(enrollment, "BATCH", 400)
    if connection.vendor != "sqlite":
        yield
        return
    before = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    yield
    connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


@pytest.mark.usefixtures("_few_parameters")
def test_more_records_than_a_statement_has_parameters_are_enrolled_by_what_happened_to_them(
    workflow: Workflow,
) -> None:
    contacts = make_records("contact", [{"city": "Boston"} for _ in range(1_200)])
    while events.process_events():
        pass
    work_off()
    assert Enrollment.objects.filter(state=Enrollment.State.FINISHED).count() == len(contacts)
    assert RecordEvent.objects.filter(change_set__processed_at=None).count() == 0


# Two at once ------------------------------------------------------------------------------------


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("should_re_enroll", [False, True])
def test_two_transactions_that_enroll_one_record_enroll_it_once(should_re_enroll: bool) -> None:
    workflow = make_workflow("contact", create(*STEP), should_re_enroll=should_re_enroll)
    contact = make_record("contact")
    for _ in range(2):
        with meanwhile(lambda: enrollment.enroll_records(workflow, [contact.pk])):
            enrollment.enroll_records(workflow, [contact.pk])
        work_off()
    assert ordinals(contact) == ([0, 1] if should_re_enroll else [0])


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_who_look_at_the_outbox_at_once_enroll_once(workflow: Workflow) -> None:
    contacts = [make_record("contact", city="Boston") for _ in range(20)]
    at_once(*[events.process_events] * 3)
    assert [ordinals(each) for each in contacts] == [[0]] * 20


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_who_prepare_a_run_at_once_cut_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_keys, "CHUNK", 2)
    workflow = make_workflow("contact", create(*STEP))
    make_records("contact", [{"city": "Boston"}] * 6)
    run = enrollment.enroll_matching(workflow, [[]])
    assert at_once(*[lambda: enrollment.prepare_run(run.pk)] * 3) == [None] * 3
    assert Batch.objects.count() == 3


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_first_batches_of_an_action_build_its_index_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrollment, "BATCH", 20)
    workflow = make_workflow("contact", create(*STEP))
    contacts = make_records("contact", [{"city": f"City {number}"} for number in range(40)])
    make_records("company", [{"city": f"City {number}"} for number in range(40)])
    run = enrollment.enroll_records(workflow, [each.pk for each in contacts])
    first, second = run.batches.values_list("id", flat=True)
    at_once(lambda: execution.run_action(first, 0), lambda: execution.run_action(second, 0))
    work_off()
    assert ActionRun.objects.count() == 2
    assert sums(run) == {"created": {"records": 40, "pairs": 40}}
    assert object_type("contact").records.count() == 40
