"""What few records bring is done by whoever looks at the outbox, in the transaction of the look; else by the queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from associations.models import Association, AssociationFigure, ChangeSet, Record
from associations.services.figures import rebuild_figures
from tests.concurrency import meanwhile, needs_two_writers
from tests.factories import change, make_label, make_record, make_records, words
from tests.refusing import refused_by_the_database
from tests.workflows.making import Filter, apply, create, is_, make_workflow, remove, set_triggers, work_off
from workflows import jobs, sql
from workflows.models import ActionOutcome, ActionRun, Batch, Enrollment, Run, Workflow
from workflows.services import enrollment, events, execution, lifecycle
from workflows.services.live import live_workflows

pytestmark = pytest.mark.django_db
BOSTON = [[is_("city", "Boston")]]
IS_ASSOCIATED: list[list[Filter]] = [[{"kind": "association", "type_id": 279, "has": True}]]


@pytest.fixture
def company() -> Record:
    return make_record("company", city="Boston")


def look() -> bool:
    return events.process_events(at_once=True)


def test_all_that_comes_of_a_save_is_there_after_one_look(company: Record) -> None:
    label = make_label("contact", "company", "Employer")
    make_workflow("contact", create("company", "city", "city", label=label), remove(label), triggers=BOSTON)
    contact = make_record("contact", city="Boston")
    look()
    assert words(contact, company) == {"unlabeled", "Primary"}
    assert Enrollment.objects.get().state == Enrollment.State.FINISHED
    batch = Batch.objects.get()
    assert (batch.state, batch.position) == (Batch.State.FINISHED, 2)
    assert batch.run.state == Run.State.FINISHED
    assert batch.run.finished_at is not None
    assert list(ActionRun.objects.values_list("position", "outcomes")) == [
        (0, {"created": {"records": 1, "pairs": 1}}),
        (1, {"label_removed": {"records": 1, "pairs": 1}}),
    ]
    assert not ChangeSet.objects.filter(processed_at=None).exists(), "for nobody wants to hear of what it did"
    assert sum(AssociationFigure.objects.values_list("added", flat=True)) == 3
    rebuild_figures()
    assert sum(AssociationFigure.objects.values_list("added", flat=True)) == 3


def test_one_save_takes_few_statements(company: Record, django_assert_max_num_queries: Callable[[int], object]) -> None:
    make_workflow("contact", create("company", "city", "city"), triggers=BOSTON)
    for number in range(2):  # the first reads what the workflow means
        contact = make_record("contact", city="Boston")
        with CaptureQueriesContext(connection) as captured:
            look()
        assert words(contact, company) == {"unlabeled", "Primary"}, number
    sent = [each["sql"] for each in captured if not each["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(sent) <= (12 if connection.vendor == "postgresql" else 26), "\n".join(sent)


def test_no_workflow_sees_what_another_one_does_in_the_same_look(company: Record) -> None:
    """Else a contact that is created and associated would come to meet the second one twice."""
    make_workflow("contact", create("company", "city", "city"), triggers=BOSTON)
    label = make_label("contact", "company", "Employer")
    follows = make_workflow("contact", apply(label), triggers=IS_ASSOCIATED, should_re_enroll=True)
    make_record("contact", city="Boston")
    assert look() is True, "for the second one asks for what the first did"
    while look():
        pass
    assert list(Run.objects.filter(workflow=follows).values_list("depth", flat=True)) == [1]
    assert set(ChangeSet.objects.filter(source="workflow").values_list("depth", flat=True)) == {1, 2}


def test_many_records_and_many_batches_are_left_to_the_queue(company: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrollment, "FEW", 2)
    monkeypatch.setattr(events, "AT_ONCE", 1)
    make_workflow("contact", create("company", "city", "city"), triggers=BOSTON)
    make_records("contact", [{"city": "Boston"}] * 3)
    look()
    assert set(Enrollment.objects.values_list("state", flat=True)) == {Enrollment.State.ACTIVE}
    Workflow.objects.all().update(is_enabled=False)
    Enrollment.objects.all().delete()
    for _ in range(2):
        make_workflow("contact", create("company", "city", "city"), triggers=BOSTON)
    make_records("contact", [{"city": "Boston"}] * 2)
    look()
    states = sorted(Enrollment.objects.values_list("state", flat=True))
    assert states == [Enrollment.State.ACTIVE] * 2 + [Enrollment.State.FINISHED] * 2


def test_where_it_fails_nothing_is_done_and_the_queue_finds_the_bad_one(company: Record) -> None:
    make_workflow("contact", create("company", "city", "city"), triggers=BOSTON)
    contacts = make_records("contact", [{"city": "Boston"}] * 5)
    bad = contacts[3]
    with refused_by_the_database(bad):
        with pytest.raises(Exception, match="this record is bad"), transaction.atomic():
            look()
        assert not Run.objects.exists()
        assert ChangeSet.objects.filter(processed_at=None).exists()
        jobs.process_events()
        work_off()
    assert set(Association.objects.values_list("source", flat=True)) == {each.pk for each in contacts} - {bad.pk}
    failed = Batch.objects.get(state=Batch.State.FAILED)
    assert (failed.first_record_id, failed.last_record_id) == (bad.pk, bad.pk)
    assert ActionOutcome.objects.filter(outcome="created").count() == 4


def test_a_workflow_that_was_just_turned_off_does_nothing_more(company: Record) -> None:
    workflow = make_workflow("contact", create("company", "city", "city"), triggers=BOSTON)
    make_record("contact", city="Boston")
    look()
    lifecycle.turn_off(workflow)
    change(make_record("contact", city="Oslo"), city="Boston")
    look()
    assert Enrollment.objects.count() == 1


def test_who_keeps_in_sync_works_off_at_once_only_what_it_has_alone(company: Record) -> None:
    """A look that holds anything else must not begin to wait for the others who keep the workflow in sync."""
    workflow = make_workflow("contact", create("company", "city", "city", keep_in_sync=True), triggers=BOSTON)
    contact = make_record("contact", city="Boston")
    look()
    assert Enrollment.objects.get(workflow=workflow).state == Enrollment.State.FINISHED
    [live] = live_workflows(*sql.begin_look(0)[2:])
    assert events._Due(set()).take(live) is None
    assert events._Due({workflow.pk}).take(live) is not None
    change(contact, city="Oslo")
    look()
    assert words(contact, company) == set()
    assert Run.objects.get(cause=Run.Cause.KEEP_IN_SYNC).state == Run.State.FINISHED


def test_a_batch_worked_off_at_once_is_not_done_again(company: Record) -> None:
    make_workflow("contact", create("company", "city", "city"), triggers=BOSTON)
    make_record("contact", city="Boston")
    look()
    batch = Batch.objects.get()
    for position in (0, 1):
        assert execution.run_action(batch.pk, position) is False
    assert ActionRun.objects.count() == 1


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_live_workflow_that_begins_to_ask_for_associations_waits_for_a_look_that_was_told_of_none(
    company: Record,
) -> None:
    """What that associates is looked at already when it is there, and no workflow will hear of it."""
    workflow = make_workflow("contact", create("company", "city", "city"), triggers=BOSTON)
    make_record("contact", city="Boston")
    look()  # which builds match keys; whoever does is waited for anyway
    make_record("contact", city="Boston")
    set_triggers(workflow, IS_ASSOCIATED)

    def publish() -> int:
        lifecycle.edited(workflow)
        return Enrollment.objects.count()

    with meanwhile(publish) as seen:
        look()
    assert seen.result() == 2
