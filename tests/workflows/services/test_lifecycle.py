"""Revisions, references, turning on and off."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from associations.errors import InUse, Refused
from associations.models import AssociationType, Property
from associations.services import labels, schema
from tests.concurrency import at_once, meanwhile, needs_two_writers
from tests.factories import make_label, make_object_type, make_property, make_record, object_type
from tests.workflows.making import (
    Step,
    apply,
    create,
    enroll_all,
    is_,
    make_workflow,
    remove,
    set_steps,
    set_triggers,
    sums,
    update,
    work_off,
)
from workflows.models import Action, Enrollment, Run, Workflow, WorkflowRevision
from workflows.services import enrollment, events, lifecycle

pytestmark = pytest.mark.django_db
COMPANY = {"to_object_type": "0-2"}
STEP: Step = ("create_associations", {**COMPANY, "enrolled_property": "city", "associated_property": "city"})
OTHER_STEP: Step = ("create_associations", {**COMPANY, "enrolled_property": "state", "associated_property": "state"})
HAS_COMPANY = {"kind": "association", "type_id": 279, "has": True}


def numbers(workflow: Workflow) -> list[int]:
    return list(WorkflowRevision.objects.filter(workflow=workflow).values_list("number", flat=True))


def runs_now(workflow: Workflow) -> int:
    revision = Workflow.objects.select_related("revision").get(pk=workflow.pk).revision
    assert revision is not None
    return revision.number


# Revisions --------------------------------------------------------------------------------------


def test_turning_on_makes_the_first_revision_a_snapshot_of_what_was_edited() -> None:
    user = get_user_model().objects.create(username="anna")
    workflow = make_workflow("contact", STEP, triggers=[[is_("city", "Boston")], [HAS_COMPANY]], on=False)
    assert numbers(workflow) == []
    revision = lifecycle.turn_on(workflow, user_id=user.pk)
    assert (revision.number, revision.created_by) == (1, user)
    assert revision.definition["triggers"] == [[is_("city", "Boston")], [HAS_COMPANY]]
    assert revision.definition["actions"] == [{"kind": STEP[0], "fields": STEP[1]}]
    assert revision.definition["should_re_enroll"] is False


def test_what_did_not_change_makes_no_revision() -> None:
    workflow = make_workflow("contact", STEP, triggers=[[is_("city", "Boston")]])
    set_steps(workflow, STEP)  # other rows that say the same
    set_triggers(workflow, [[is_("city", "Boston")]])
    lifecycle.edited(workflow)
    lifecycle.turn_off(workflow)
    lifecycle.turn_on(workflow)
    Workflow.objects.filter(pk=workflow.pk).update(name="Another name")
    lifecycle.edited(workflow)
    assert numbers(workflow) == [1]


@pytest.mark.parametrize("change", ["triggers", "groups", "actions", "order", "re-enrollment"])
def test_every_change_of_the_definition_of_a_live_workflow_makes_a_revision(change: str) -> None:
    workflow = make_workflow("contact", STEP, OTHER_STEP, triggers=[[is_("city", "Boston"), HAS_COMPANY]])
    match change:
        case "triggers":
            set_triggers(workflow, [[is_("city", "Oslo"), HAS_COMPANY]])
        case "groups":
            set_triggers(workflow, [[is_("city", "Boston")], [HAS_COMPANY]])
        case "actions":
            set_steps(workflow, STEP)
        case "order":
            set_steps(workflow, OTHER_STEP, STEP)
        case "re-enrollment":
            Workflow.objects.filter(pk=workflow.pk).update(should_re_enroll=True)
    lifecycle.edited(workflow)
    assert numbers(workflow) == [1, 2]
    assert runs_now(workflow) == 2


def test_editing_a_workflow_that_is_off_changes_nothing_that_runs() -> None:
    workflow = make_workflow("contact", STEP)
    lifecycle.turn_off(workflow)
    set_steps(workflow, OTHER_STEP)
    lifecycle.edited(workflow)
    assert numbers(workflow) == [1]
    lifecycle.turn_on(workflow)
    assert numbers(workflow) == [1, 2]


def test_going_back_to_an_earlier_definition_is_a_new_revision() -> None:
    workflow = make_workflow("contact", STEP)
    for step in (OTHER_STEP, STEP):
        set_steps(workflow, step)
        lifecycle.edited(workflow)
    definitions = [each.definition for each in WorkflowRevision.objects.order_by("number")]
    assert numbers(workflow) == [1, 2, 3]
    assert definitions[0] == definitions[2] != definitions[1]


def test_a_running_run_stays_pinned_to_its_revision_and_the_next_one_takes_the_new_one() -> None:
    first, second = make_label("contact", "company", "First"), make_label("contact", "company", "Second")
    make_record("company", city="Boston")
    make_record("contact", city="Boston")
    workflow = make_workflow("contact", create("company", "city", "city", label=first), should_re_enroll=True)
    run = enrollment.enroll_matching(workflow, [[]])
    set_steps(workflow, apply(second), remove(first))
    lifecycle.edited(workflow)
    work_off()
    assert (run.revision.number, sums(run)["created"]["pairs"]) == (1, 1)
    later = enroll_all(workflow)
    assert (later.revision.number, sums(later)["label_added"]["pairs"]) == (2, 1)
    assert sums(later, 1)["label_removed"]["pairs"] == 1


# Turning on and off -----------------------------------------------------------------------------


def test_a_workflow_without_an_action_cannot_be_turned_on() -> None:
    workflow = make_workflow("contact", on=False)
    with pytest.raises(ValidationError, match="A workflow needs at least one action"):
        lifecycle.turn_on(workflow)
    workflow.refresh_from_db()
    assert (workflow.is_enabled, numbers(workflow)) == (False, [])


@pytest.mark.parametrize(
    ("step", "triggers", "reason"),
    [
        (("create_associations", {"to_object_type": "0-2"}), [], r"Action 1 \(Create associations\): .*required"),
        (("guess", {}), [], "Action 1: there is no kind of action called 'guess'"),
        (STEP, [[is_("size", 1)]], "Group 1, filter 1: A contact has no property 'size'"),
        (STEP, [[HAS_COMPANY], [HAS_COMPANY, is_("city")]], "Group 2, filter 2: City is any of: say which value"),
    ],
)
def test_an_incomplete_workflow_cannot_be_turned_on_and_says_why(
    step: Any, triggers: list[list[Any]], reason: str
) -> None:
    workflow = make_workflow("contact", step, triggers=triggers, on=False)
    with pytest.raises(ValidationError, match=reason):
        lifecycle.turn_on(workflow)
    workflow.refresh_from_db()
    assert workflow.is_enabled is False


def test_a_live_workflow_cannot_become_incomplete() -> None:
    workflow = make_workflow("contact", STEP)
    Action.objects.all().delete()
    with pytest.raises(ValidationError, match="at least one action"):
        lifecycle.edited(workflow)
    assert runs_now(workflow) == 1


def test_nobody_enrolls_while_it_is_off() -> None:
    contact = make_record("contact")
    workflow = make_workflow("contact", STEP, on=False)
    for _ in range(2):  # never on, and turned off
        with pytest.raises(Refused, match="is off; turn it on to enroll records"):
            enrollment.enroll_records(workflow, [contact.pk])
        with pytest.raises(Refused, match="is off"):
            enrollment.enroll_matching(workflow, [[]])
        lifecycle.turn_on(workflow)
        lifecycle.turn_off(workflow)
    assert not Run.objects.exists()


# References -------------------------------------------------------------------------------------


def refers_to(workflow: Workflow) -> tuple[set[int], set[str]]:
    """The association types, and the properties by the names of type and property."""
    references = workflow.references.all()
    types = set(references.exclude(association_type=None).values_list("association_type", flat=True))
    properties = Property.objects.filter(workflow_references__in=references)
    return types, {f"{each.object_type.name}.{each.name}" for each in properties.select_related("object_type")}


def test_a_workflow_refers_to_what_its_triggers_and_actions_name() -> None:
    first, second = make_label("contact", "company", "First"), make_label("contact", "company", "Second")
    worded = {**is_("industry", "IT"), "kind": "associated_property", "type_id": second.type_id}
    matching = {"enrolled_property": "state", "associated_property": "zip"}
    workflow = make_workflow(
        "contact",
        create("company", "city", "address"),
        apply(first, "matching_property", **matching),
        update(first, second),
        triggers=[[is_("jobtitle", "CEO")], [worded]],
    )
    types, properties = refers_to(workflow)
    assert types == {279, first.type.pk, second.type.pk}
    assert properties == {
        "contact.city",
        "company.address",
        "contact.state",
        "company.zip",
        "contact.jobtitle",
        "company.industry",
    }


def test_references_follow_the_definition() -> None:
    label = make_label("contact", "company", "First")
    workflow = make_workflow("contact", apply(label))
    set_steps(workflow, STEP)
    lifecycle.edited(workflow)
    assert refers_to(workflow) == ({279}, {"contact.city", "company.city"})
    labels.delete_label(label.type)


def test_a_label_in_use_cannot_be_deleted_and_says_where_it_is_used() -> None:
    label = make_label("contact", "company", "First")
    workflow = make_workflow("contact", remove(label))
    with pytest.raises(InUse) as refused:
        labels.delete_label(label.type)
    assert refused.value.uses == [f"in workflow {workflow.name}"]
    with pytest.raises(ProtectedError):
        AssociationType.objects.filter(pk=label.type.pk).delete()
    lifecycle.turn_off(workflow)
    with pytest.raises(InUse):  # it may be turned on again
        labels.delete_label(label.type)


def test_a_property_in_use_cannot_be_deleted_and_says_where_it_is_used() -> None:
    prop = make_property("contact", "office")
    workflow = make_workflow("contact", STEP, triggers=[[is_("office", "Boston")]])
    with pytest.raises(InUse, match=f"in workflow {workflow.name}"):
        schema.delete_property(prop)
    with pytest.raises(ProtectedError):
        Property.objects.filter(pk=prop.pk).delete()


def test_an_object_type_that_a_workflow_associates_cannot_be_deleted() -> None:
    pet = make_object_type("pet")
    workflow = make_workflow("contact", create("pet", "firstname", "name"))
    with pytest.raises(InUse, match=f"in workflow {workflow.name}"):
        schema.delete_object_type(pet)
    set_steps(workflow, STEP)
    lifecycle.edited(workflow)
    schema.delete_object_type(object_type("pet"))


def test_an_object_type_that_a_workflow_enrolls_cannot_be_deleted() -> None:
    pet = make_object_type("pet")
    workflow = make_workflow("pet", create("contact", "name", "firstname"))
    with pytest.raises(InUse, match=workflow.name):
        schema.delete_object_type(pet)


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_record_that_is_just_being_saved_when_a_workflow_is_turned_on_is_not_forgotten() -> None:
    step = remove(make_label("contact", "company", "Partner"))  # needs no match keys, whose building would wait
    workflow = make_workflow("contact", step, triggers=[[is_("city", "Boston")]], on=False)

    def turn_on_and_enroll() -> None:
        lifecycle.turn_on(workflow)
        enrollment.prepare_run(enrollment.enroll_matching(workflow).pk)
        work_off()

    with meanwhile(turn_on_and_enroll):
        contact = make_record("contact", city="Boston")
        at_once(lambda: make_record("contact", city="Berlin"))  # a change that began later and is there earlier
    events.process_events()
    work_off()
    assert Enrollment.objects.get().record_id == contact.pk
