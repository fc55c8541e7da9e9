"""Events, suppression, re-enrollment, unenrollment, schedules, and the end of circles."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from associations.models import AssociationEnd, Record
from associations.querysets import Surroundings
from associations.services import archiving, merging
from crmproject import queues
from tests.factories import (
    ORIGIN,
    associate,
    change,
    disassociate,
    make_label,
    make_record,
    object_type,
    remove_label,
    unlabeled,
)
from tests.workflows.making import apply, create, is_, make_workflow, remove, work_off
from workflows.models import ActionOutcome, Enrollment, EnrollmentTrigger, Run, Workflow
from workflows.services import lifecycle, scheduling
from workflows.services.events import process_events
from workflows.triggers import read_event

pytestmark = pytest.mark.django_db

STEP = ("company", "company", "name")
BOSTON = is_("city", "Boston")


def by_event(event: str, *, filters: list[Any] | None = None, again: bool = True, **fields: Any) -> Workflow:
    workflow = make_workflow(
        "contact", create(*STEP), triggers=[filters] if filters else [], should_re_enroll=again, on=False
    )
    EnrollmentTrigger.objects.create(
        workflow=workflow, kind=EnrollmentTrigger.Kind.EVENT, fields={"event": event, **fields}
    )
    lifecycle.turn_on(workflow)
    return workflow


def enrolled_in(workflow: Workflow) -> list[int]:
    """Look at the outbox, do what follows, and say who was enrolled since the last look, in order."""
    seen = set(Enrollment.objects.values_list("id", flat=True))
    while process_events():
        pass
    work_off()
    new = Enrollment.objects.filter(workflow=workflow).exclude(id__in=seen)
    return sorted(new.values_list("record", flat=True))


def test_a_created_record_enrolls_and_a_changed_one_does_not() -> None:
    workflow = by_event("created")
    record = make_record("contact")
    assert enrolled_in(workflow) == [record.pk]
    change(record, city="Boston")
    assert enrolled_in(workflow) == []


def test_a_changed_property_enrolls_each_time_it_changes_to_another_value() -> None:
    record = make_record("contact", city="Berlin")
    workflow = by_event("property_changed", property="city")
    change(record, firstname="Ada")
    assert enrolled_in(workflow) == []
    change(record, city="Boston")
    assert enrolled_in(workflow) == [record.pk]
    change(record, city=None)
    assert enrolled_in(workflow) == [record.pk]
    change(record, city="Boston")
    change(record, city=None)
    assert enrolled_in(workflow) == [], "there and back again is no change"


def test_a_property_changed_to_a_value_enrolls_for_that_value_only() -> None:
    record = make_record("contact", city="Berlin")
    workflow = by_event("property_changed", property="city", values=["Boston", "Oslo"])
    change(record, city="Rome")
    assert enrolled_in(workflow) == []
    change(record, city="Oslo")
    assert enrolled_in(workflow) == [record.pk]


def test_association_events_enroll_the_record_of_the_workflows_type() -> None:
    label = make_label("contact", "company", "Employer", "Employee")
    ada, alder = make_record("contact"), make_record("company")
    associated = by_event("associated", type_id=unlabeled("contact", "company").type_id)
    labelled = by_event("label_added", type_id=label.type_id)
    unlabelled = by_event("label_removed", type_id=label.type_id)
    associate(alder, ada)
    assert (enrolled_in(associated), enrolled_in(labelled)) == ([ada.pk], [])
    associate(ada, alder, label)
    assert enrolled_in(labelled) == [ada.pk]
    assert not Enrollment.objects.filter(workflow=unlabelled).exists()
    remove_label(ada, alder, label)
    assert enrolled_in(unlabelled) == [ada.pk]


def test_an_event_enrolls_only_who_meets_the_filters() -> None:
    workflow = by_event("created", filters=[BOSTON])
    make_record("contact", city="Berlin")
    boston = make_record("contact", city="Boston")
    assert enrolled_in(workflow) == [boston.pk]


def test_suppression_keeps_out_and_takes_out() -> None:
    workflow = make_workflow("contact", create(*STEP), triggers=[[BOSTON]], on=False)
    EnrollmentTrigger.objects.create(
        workflow=workflow,
        purpose=EnrollmentTrigger.Purpose.SUPPRESS,
        fields={"property": "lifecyclestage", "operator": "is_any_of", "values": ["other"]},
    )
    lifecycle.turn_on(workflow)
    make_record("contact", city="Boston", lifecyclestage="other")
    kept = make_record("contact", city="Boston")
    while process_events():
        pass
    assert list(Enrollment.objects.values_list("record", "state")) == [(kept.pk, "active")]
    change(kept, lifecyclestage="other")
    while process_events():
        pass
    assert Enrollment.objects.get().state == Enrollment.State.UNENROLLED


def test_a_record_is_enrolled_again_only_where_the_workflow_says_so() -> None:
    for again in (False, True):
        workflow = make_workflow("contact", create(*STEP), triggers=[[BOSTON]], should_re_enroll=again)
        record = make_record("contact", city="Boston")
        assert enrolled_in(workflow) == [record.pk]
        change(record, city="Berlin")
        assert enrolled_in(workflow) == []
        change(record, city="Boston")
        assert enrolled_in(workflow) == ([record.pk] if again else [])


def test_a_marked_property_enrolls_again_while_the_triggers_are_met() -> None:
    workflow = make_workflow("contact", create(*STEP), triggers=[[BOSTON]], should_re_enroll=True, on=False)
    workflow.re_enrollment_properties = ["jobtitle"]
    workflow.save()
    lifecycle.turn_on(workflow)
    record = make_record("contact", city="Boston")
    assert enrolled_in(workflow) == [record.pk]
    change(record, firstname="Ada")
    assert enrolled_in(workflow) == []
    change(record, jobtitle="Buyer")
    assert enrolled_in(workflow) == [record.pk]
    change(record, city="Berlin", jobtitle="Engineer")
    assert enrolled_in(workflow) == []


def test_who_stops_matching_is_unenrolled_before_the_actions_where_the_workflow_says_so() -> None:
    make_record("company", name="Alder")
    workflow = make_workflow("contact", create(*STEP), triggers=[[BOSTON]], on=False)
    workflow.unenroll_when_not_met = True
    workflow.save()
    lifecycle.turn_on(workflow)
    record = make_record("contact", city="Boston", company="Alder")
    while process_events():
        pass
    change(record, city="Berlin")
    while process_events():
        pass
    work_off()
    assert Enrollment.objects.get().state == Enrollment.State.UNENROLLED
    assert not AssociationEnd.objects.filter(record=record).exists()


def test_restored_records_do_not_enroll_and_merged_ones_are_unenrolled() -> None:
    workflow = make_workflow("contact", create(*STEP), triggers=[[BOSTON]])
    first, second = (make_record("contact", city="Boston") for _ in range(2))
    while process_events():
        pass
    merging.merge_records(object_type("contact"), first.pk, second.pk, origin=ORIGIN)
    while process_events():
        pass
    assert set(Enrollment.objects.values_list("state", flat=True)) == {Enrollment.State.UNENROLLED}

    third = make_record("contact", city="Boston")
    archiving.archive_records(object_type("contact"), [third.pk], origin=ORIGIN)
    assert enrolled_in(workflow) == []
    archiving.restore_records(object_type("contact"), [third.pk], origin=ORIGIN)
    assert enrolled_in(workflow) == []


def test_what_was_changed_before_the_workflow_was_turned_on_is_no_reason_to_enroll() -> None:
    workflow = make_workflow("contact", create(*STEP), triggers=[[BOSTON]], on=False)
    make_record("contact", city="Boston")
    lifecycle.turn_on(workflow)
    later = make_record("contact", city="Boston")
    assert enrolled_in(workflow) == [later.pk]


def test_a_schedule_enrolls_once_when_its_time_has_come() -> None:
    workflow = make_workflow("contact", create(*STEP), triggers=[[BOSTON]], should_re_enroll=True, on=False)
    workflow.schedule = {"frequency": "daily", "time": "09:00"}
    workflow.save()
    lifecycle.turn_on(workflow)
    boston = make_record("contact", city="Boston")
    make_record("contact", city="Berlin")
    assert enrolled_in(workflow) == [], "only the clock enrolls"
    assert scheduling.ring_schedules() == []
    Workflow.objects.update(next_run_at=timezone.now() - dt.timedelta(days=3))
    (run,) = scheduling.ring_schedules()
    assert scheduling.ring_schedules() == [], "missed times are made up for once"
    work_off()
    assert run.cause == Run.Cause.SCHEDULED
    assert list(Enrollment.objects.values_list("record", flat=True)) == [boston.pk]
    workflow.refresh_from_db()
    assert workflow.next_run_at is not None
    assert timezone.now() < workflow.next_run_at <= timezone.now() + dt.timedelta(days=1)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_workflows_that_trigger_each_other_stop_at_depth_16_and_say_so() -> None:
    first, second = make_label("contact", "company", "First"), make_label("contact", "company", "Second")
    pair = make_record("contact"), make_record("company")
    associate(*pair)
    with queues.foreground() as jobs:
        list(jobs)
    for added, taken in ((first, second), (second, first)):
        workflow = make_workflow("contact", apply(added), remove(taken), should_re_enroll=True, on=False)
        EnrollmentTrigger.objects.create(
            workflow=workflow,
            kind=EnrollmentTrigger.Kind.EVENT,
            fields={"event": "label_added", "type_id": taken.type_id},
        )
        lifecycle.turn_on(workflow)
    with queues.foreground() as jobs:
        associate(*pair, second)
        assert sum(1 for _ in jobs) < 200
    refused = Run.objects.get(state=Run.State.REFUSED)
    assert refused.depth == 16
    assert "16 workflows had led to this change" in refused.note
    assert list(Run.objects.order_by("id").values_list("depth", flat=True)) == list(range(17))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schedule": {"frequency": "daily", "time": "09:00"}}, "not by both"),
        ({"re_enrollment_properties": ["city"]}, "re-enrollment is off"),
        ({"re_enrollment_properties": ["nothing"], "should_re_enroll": True}, "no property 'nothing'"),
        ({"unenroll_when_not_met": True}, "filters that can stop matching"),
    ],
)
def test_triggers_that_do_not_go_together_are_refused(changes: dict[str, Any], reason: str) -> None:
    workflow = by_event("created", again=False)
    lifecycle.turn_off(workflow)
    Workflow.objects.filter(pk=workflow.pk).update(**changes)
    with pytest.raises(ValidationError, match=reason):
        lifecycle.turn_on(workflow)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"event": "vanished"}, "event"),
        ({"event": "property_changed", "property": "nothing"}, "property"),
        ({"event": "property_changed", "property": "lifecyclestage", "values": ["nothing"]}, "values"),
        ({"event": "label_added", "type_id": 279}, "type_id"),
        ({"event": "associated", "type_id": 1}, "type_id"),
    ],
)
def test_an_event_that_cannot_be_is_refused_at_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        read_event(fields, Surroundings(object_type("contact")))
    assert list(refusal.value.message_dict) == [field]


def test_disassociating_is_no_association_event() -> None:
    ada, alder = make_record("contact"), make_record("company")
    associate(ada, alder)
    workflow = by_event("associated", type_id=unlabeled("contact", "company").type_id)
    disassociate(ada, alder)
    assert enrolled_in(workflow) == []
    assert not ActionOutcome.objects.exists()
    assert Record.objects.count() == 2
