"""A run from enrollment to the end: order, revisions, being turned off, archived records, jobs delivered twice."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import AssociationChange, ChangeSet, Record
from associations.services import archiving, match_keys
from associations.sql import base
from crmproject import queues
from tests.concurrency import at_once, needs_two_writers
from tests.factories import ORIGIN, associate, make_label, make_record, make_records, object_type, words
from tests.plans import on_postgresql, times_read_whole
from tests.workflows.making import (
    apply,
    create,
    enroll,
    enroll_all,
    everything,
    is_,
    make_workflow,
    outcomes,
    remove,
    set_steps,
    sums,
    work_off,
)
from workflows import jobs
from workflows.models import ActionRun, Batch, Enrollment, Run
from workflows.services import enrollment, events, execution, lifecycle, sweeping

pytestmark = pytest.mark.django_db

STEP = ("company", "company", "name")


@pytest.fixture
def contacts() -> list[Record]:
    make_record("company", name="Alder Foods")
    return make_records("contact", [{"company": "Alder Foods"} for _ in range(4)])


def test_a_job_delivered_twice_or_too_early_does_nothing(contacts: list[Record]) -> None:
    workflow = make_workflow("contact", create(*STEP), remove(make_label("contact", "company", "Old")))
    run = enrollment.enroll_records(workflow, [each.pk for each in contacts])
    batch = run.batches.get()
    assert execution.run_action(batch.pk, 1) is False, "the first action is not done yet"
    assert execution.run_action(batch.pk, 0) is True
    before = everything(), ChangeSet.objects.count()
    assert execution.run_action(batch.pk, 0) is False
    assert (everything(), ChangeSet.objects.count()) == before
    assert execution.run_action(batch.pk, 1) is False
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert list(ActionRun.objects.order_by("position").values_list("position", flat=True)) == [0, 1]


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_workers_on_one_batch_one_does_it(contacts: list[Record]) -> None:
    workflow = make_workflow("contact", create(*STEP))
    run = enrollment.enroll_records(workflow, [each.pk for each in contacts])
    batch = run.batches.get()
    at_once(*[lambda: execution.run_action(batch.pk, 0)] * 2)
    assert ActionRun.objects.count() == 1
    assert AssociationChange.objects.count() == 8, "unlabeled and Primary of four contacts, once"


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("many", [1, 1_000])
def test_a_record_enrolled_by_two_at_once_is_enrolled_once(
    contacts: list[Record], many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MANY", many)
    workflow = make_workflow("contact", create(*STEP))
    ids = [each.pk for each in contacts]
    at_once(*[lambda: enrollment.enroll_records(workflow, ids)] * 2)
    assert sorted(Enrollment.objects.values_list("record", flat=True)) == ids


@on_postgresql
def test_associations_are_looked_up_by_an_index_while_their_table_is_taken_for_small(
    contacts: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read whole for each record, it would be so while another worker fills it."""
    monkeypatch.setattr(execution, "FEW", 1)
    label = make_label("contact", "company", "Employer")
    workflow = make_workflow("contact", create(*STEP, label=label), remove(label))
    run = enrollment.enroll_matching(workflow, [[]])
    enrollment.prepare_run(run.pk)
    batch, before = run.batches.get(), times_read_whole("associations_association")
    for position in (0, 1):
        execution.run_action(batch.pk, position)
    assert times_read_whole("associations_association") == before
    assert sums(run, 1) == {"label_removed": {"records": 4, "pairs": 4}}


def test_actions_run_in_their_order(contacts: list[Record]) -> None:
    label = make_label("contact", "company", "Employer")
    workflow = make_workflow("contact", create(*STEP), apply(label), remove(label))
    run = enroll(workflow, contacts)
    assert sums(run, 0)["created"]["pairs"] == sums(run, 1)["label_added"]["pairs"] == 4
    assert sums(run, 2)["label_removed"]["pairs"] == 4


def test_a_run_stays_with_the_revision_it_started_with(contacts: list[Record]) -> None:
    first, second = make_label("contact", "company", "First"), make_label("contact", "company", "Second")
    workflow = make_workflow("contact", create(*STEP, label=first))
    run = enrollment.enroll_records(workflow, [contacts[0].pk])
    set_steps(workflow, create(*STEP, label=second))
    lifecycle.edited(workflow)
    work_off()
    company = Record.objects.get(object_type=object_type("company"))
    assert words(contacts[0], company) == {"unlabeled", "Primary", "First"}
    assert run.revision.number == 1
    workflow.refresh_from_db()
    assert workflow.revision is not None
    assert workflow.revision.number == 2
    assert lifecycle.publish(workflow).number == 2, "what did not change makes no revision"


def test_actions_of_a_workflow_turned_off_are_skipped_and_say_so(contacts: list[Record]) -> None:
    workflow = make_workflow("contact", create(*STEP))
    run = enrollment.enroll_records(workflow, [each.pk for each in contacts])
    lifecycle.turn_off(workflow)
    work_off()
    assert sums(run) == {"workflow_off": {"records": 4, "pairs": 0}}
    assert not AssociationChange.objects.exists()


def test_a_record_archived_in_between_takes_part_in_nothing(contacts: list[Record]) -> None:
    workflow = make_workflow("contact", create(*STEP))
    run = enrollment.enroll_records(workflow, [each.pk for each in contacts])
    archiving.archive_records(object_type("contact"), [contacts[1].pk], origin=ORIGIN)
    work_off()
    assert outcomes(run, contacts[1]) == {"record_archived": 0}
    assert outcomes(run, contacts[0]) == {"created": 1}
    states = dict(Enrollment.objects.values_list("record", "state"))
    assert states.pop(contacts[1].pk) == Enrollment.State.UNENROLLED
    assert set(states.values()) == {Enrollment.State.FINISHED}


def test_a_run_over_many_is_cut_into_batches_and_ends_with_the_last(
    contacts: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_keys, "CHUNK", 3)
    monkeypatch.setattr(enrollment, "BATCH", 3)
    workflow = make_workflow("contact", create(*STEP), should_re_enroll=True)
    run = enroll_all(workflow)
    assert run.batches.count() == 2
    assert run.state == Run.State.FINISHED
    assert sums(run)["created"] == {"records": 4, "pairs": 4}
    again = enroll(workflow, contacts)
    assert again.batches.count() == 2
    assert sums(again) == {"already_there": {"records": 4, "pairs": 4}}


def test_a_run_over_nobody_ends_too() -> None:
    run = enroll_all(make_workflow("ticket", create("company", "subject", "name")))
    assert run.state == Run.State.FINISHED


def test_without_re_enrollment_a_second_manual_enrollment_is_left_out(contacts: list[Record]) -> None:
    workflow = make_workflow("contact", create(*STEP))
    enroll(workflow, contacts[:2])
    run = enroll(workflow, contacts)
    assert sums(run)["created"]["records"] == 2
    assert Enrollment.objects.count() == 4


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_workflows_change_is_one_level_deeper(contacts: list[Record]) -> None:
    label = make_label("contact", "company", "Employer")
    company = Record.objects.get(object_type=object_type("company"))
    follower = make_workflow(
        "contact",
        apply(label),
        triggers=[[{"kind": "association", "type_id": 279, "has": True}]],
    )
    make_workflow("contact", create(*STEP), triggers=[[is_("city", "Boston")]])
    with queues.foreground() as working:
        ada = make_record("contact", city="Boston", company="Alder Foods")
        jobs.process_events()
        list(working)
    run = Run.objects.get(workflow=follower)
    assert run.depth == 1
    assert words(ada, company) == {"unlabeled", "Primary", "Employer"}
    assert set(ChangeSet.objects.filter(source="workflow").values_list("depth", flat=True)) == {1, 2}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_sweep_takes_up_what_nobody_was_told_of(contacts: list[Record]) -> None:
    workflow = make_workflow("contact", create(*STEP))
    run = enrollment.enroll_matching(workflow, [[]])
    assert Batch.objects.count() == 0
    with queues.foreground() as working:
        assert sweeping.sweep(seconds=3600) == 0, "what is new is left to its own bell"
        assert sweeping.sweep(seconds=-1) == 2, "the events, and the run"
        list(working)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert sums(run)["created"]["records"] == len(contacts)


def test_the_association_of_a_workflow_names_its_action_run_and_the_values(contacts: list[Record]) -> None:
    company = Record.objects.get(object_type=object_type("company"))
    other = make_record("contact", company="ALDER  foods ")
    associate(contacts[0], company)
    run = enroll(make_workflow("contact", create(*STEP)), [other])
    change = AssociationChange.objects.get(source=other, type=279)
    assert (change.source_value, change.target_value) == ("ALDER  foods", "Alder Foods")
    assert change.change_set.source_id == ActionRun.objects.get(batch__run=run).pk
    by_hand = AssociationChange.objects.get(source=contacts[0], type=279)
    assert (by_hand.source_value, by_hand.target_value, by_hand.change_set.source) == (None, None, "system")


def test_neither_more_records_nor_workflows_that_want_none_of_them_cost_the_outbox_a_query(
    contacts: list[Record],
) -> None:
    def queries(records: int) -> int:
        make_records("contact", records)
        with CaptureQueriesContext(connection) as captured:
            assert events.process_events() is False
        return len(captured)

    for number in range(3):
        make_workflow("contact", create(*STEP), triggers=[[is_("city", f"City {number}")]])
    queries(1)
    few = queries(2)
    assert queries(60) == few
    for number in range(5):
        make_workflow("contact", create(*STEP), triggers=[[is_("city", f"Town {number}")]])
    queries(1)
    assert queries(2) == few
