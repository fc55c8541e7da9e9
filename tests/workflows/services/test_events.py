"""The outbox: each change set is looked at once, in order, by every live workflow, whoever else fails."""

from __future__ import annotations

import pytest
from django.db import Error, transaction

from associations.models import ChangeSet, Property, Record, RecordEvent
from associations.services import archiving
from associations.services.origin import Origin
from associations.services.records import RecordInput, save_records
from tests.factories import ORIGIN, change, make_property, make_record, object_type
from tests.refusing import cannot_be_enrolled
from tests.workflows.making import Step, enroll, is_, make_workflow
from workflows import jobs
from workflows.models import Enrollment, Run, Workflow
from workflows.services import events, lifecycle

pytestmark = pytest.mark.django_db
STEP: Step = (
    "create_associations",
    {"to_object_type": "0-2", "enrolled_property": "city", "associated_property": "city"},
)


@pytest.fixture
def workflow(db: None) -> Workflow:
    return make_workflow("contact", STEP, triggers=[[is_("city", "Boston")]])


def process() -> None:
    while events.process_events():
        pass


def enrolled(workflow: Workflow) -> list[int]:
    return list(Enrollment.objects.filter(workflow=workflow).order_by("record").values_list("record", flat=True))


def unprocessed() -> int:
    return ChangeSet.objects.filter(processed_at=None).count()


def test_who_comes_to_meet_the_filters_is_enrolled_and_nobody_else(workflow: Workflow) -> None:
    met, unmet, changed = (make_record("contact", city=city) for city in ("Boston", "Oslo", None))
    make_record("company", city="Boston")
    process()
    assert enrolled(workflow) == [met.pk]
    change(changed, city="Boston")
    change(unmet, state="NO")
    change(met, state="MA")
    process()
    assert enrolled(workflow) == [met.pk, changed.pk]
    assert set(Run.objects.values_list("cause", flat=True)) == {Run.Cause.TRIGGERED}


def test_a_change_is_looked_at_once(workflow: Workflow) -> None:
    make_record("contact", city="Boston")
    process()
    process()
    assert (unprocessed(), Run.objects.count()) == (0, 1)


def test_several_changes_of_one_record_in_one_look_are_one_change(workflow: Workflow) -> None:
    contact = make_record("contact", city="Oslo")
    away, back = make_record("contact", city="Boston"), make_record("contact", city="Oslo")
    process()
    assert enrolled(workflow) == [away.pk]
    for city in ("Rome", "Boston", "Oslo", "Boston"):
        change(contact, city=city)
    for city in ("Boston", "Oslo"):
        change(back, city=city)
    process()
    assert enrolled(workflow) == [contact.pk, away.pk]


def test_records_are_enrolled_together_whoever_changed_them(workflow: Workflow) -> None:
    contacts = [make_record("contact", city="Boston") for _ in range(5)]
    process()
    run = Run.objects.get()
    assert enrolled(workflow) == [each.pk for each in contacts]
    assert run.batches.count() == 1


def test_the_oldest_change_sets_come_first_and_the_rest_later(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "CHANGE_SETS", 2)
    contacts = [make_record("contact", city="Boston") for _ in range(3)]
    assert events.process_events() is True
    assert enrolled(workflow) == [each.pk for each in contacts[:2]]
    assert events.process_events() is False
    assert events.process_events() is False
    assert enrolled(workflow) == [each.pk for each in contacts]


def test_who_was_archived_before_anybody_looked_is_not_enrolled_and_not_when_restored(workflow: Workflow) -> None:
    contact = make_record("contact", city="Boston")
    archiving.archive_records(contact.object_type, [contact.pk], origin=ORIGIN)
    process()
    archiving.restore_records(contact.object_type, [contact.pk], origin=ORIGIN)
    process()
    assert enrolled(workflow) == []


def test_who_was_deleted_before_anybody_looked_is_forgotten(workflow: Workflow) -> None:
    contact = make_record("contact", city="Boston")
    archiving.delete_records(contact.object_type, [contact.pk], origin=ORIGIN)
    process()
    assert (enrolled(workflow), unprocessed()) == ([], 0)


def test_workflows_that_are_off_or_of_other_types_enroll_nobody(workflow: Workflow) -> None:
    lifecycle.turn_off(workflow)
    other = make_workflow(
        "company",
        ("create_associations", {**STEP[1], "to_object_type": "0-1"}),
        triggers=[[is_("city", "Boston")]],
    )
    make_record("contact", city="Boston")
    process()
    assert (enrolled(workflow), enrolled(other), unprocessed()) == ([], [], 0)


def test_a_workflow_without_triggers_is_for_enrolling_by_hand_only() -> None:
    workflow = make_workflow("contact", STEP)
    contact = make_record("contact", city="Boston")
    process()
    assert enrolled(workflow) == []
    enroll(workflow, [contact])
    assert enrolled(workflow) == [contact.pk]


def test_a_change_made_by_a_workflow_enrolls_one_level_deeper(workflow: Workflow) -> None:
    origin = Origin(ChangeSet.Source.WORKFLOW, depth=3)
    shallow = make_record("contact", city="Boston")
    deep = save_records(object_type("contact"), [RecordInput({"city": "Boston"})], origin=origin).records[0]
    process()
    depths = {each.record_id: each.batch.run.depth for each in Enrollment.objects.select_related("batch__run")}
    assert depths == {shallow.pk: 0, deep.pk: 3}


def test_a_look_that_fails_leaves_the_changes_for_the_next_one(workflow: Workflow) -> None:
    contact = make_record("contact", city="Boston")
    before = unprocessed()
    with cannot_be_enrolled(), pytest.raises(Error), transaction.atomic():
        events.process_events()
    assert (unprocessed(), enrolled(workflow), Run.objects.count()) == (before, [], 0)
    process()
    assert (unprocessed(), enrolled(workflow)) == (0, [contact.pk])


def test_a_change_that_cannot_be_looked_at_stands_alone_in_the_history_and_holds_up_nobody(workflow: Workflow) -> None:
    other = make_workflow("contact", STEP, triggers=[[is_("city", "Boston")]])
    contacts = [make_record("contact", city="Boston") for _ in range(6)]
    bad = contacts[3]
    with cannot_be_enrolled(bad):
        jobs.process_events()
    good = [each.pk for each in contacts if each != bad]
    assert (enrolled(workflow), enrolled(other), unprocessed()) == (good, good, 0)
    told = Run.objects.filter(state=Run.State.FAILED)
    assert {each.workflow_id for each in told} == {workflow.pk, other.pk}
    change_set = RecordEvent.objects.get(record=bad).change_set_id
    assert all(f"change set {change_set} " in each.note and "no" in each.note for each in told)


def test_a_workflow_that_can_no_longer_be_read_does_not_hold_up_the_others(workflow: Workflow) -> None:
    options = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]
    make_property("contact", "grade", type="enumeration", field_type="select", options=options)
    broken = make_workflow("contact", STEP, triggers=[[is_("grade", "a")]])
    Property.objects.filter(name="grade").update(options=options[1:])
    contact = make_record("contact", city="Boston")
    process()
    assert (enrolled(workflow), enrolled(broken), unprocessed()) == ([contact.pk], [], 0)
    assert Record.objects.count() == 1
