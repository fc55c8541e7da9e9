"""What is worth a look before a workflow is turned on: warnings with their reason, and no false ones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import associate, make_label, make_property, make_record, unlabeled
from tests.workflows.making import apply, create, is_, make_workflow, process_all, remove, update
from workflows.models import EnrollmentTrigger, Workflow
from workflows.services import lifecycle
from workflows.services.static_check import warnings_of

pytestmark = pytest.mark.django_db
STEP = ("company", "company", "name")


def said(workflow: Workflow) -> list[str]:
    return [f"{each.where} {each.text}" for each in warnings_of(workflow)]


def test_a_workflow_in_order_has_no_warning() -> None:
    label = make_label("contact", "company", "Employer")
    workflow = make_workflow("contact", create(*STEP, label=label), apply(label), triggers=[[is_("city", "Rome")]])
    assert said(workflow) == []


# Triggers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ([is_("city", operator="is_unknown"), is_("city", "Rome")], "City is unknown, but another filter asks"),
        ([is_("city", "Rome", "Oslo"), is_("city", "Bonn")], "no value of City passes"),
        ([is_("city", "Rome"), is_("city", "Rome", operator="is_not_equal_to")], "no value of City passes"),
        ([is_("city", "Rome"), is_("city", "Ro", operator="does_not_contain")], "no value of City passes"),
        ([is_("city", "Ro", operator="starts_with"), is_("city", "Os", operator="starts_with")], "cannot both start"),
        (
            [is_("city", "Rome", operator="contains"), is_("city", "om", operator="does_not_contain")],
            "have Rome and not om",
        ),
        (
            [is_("size", 5, operator="is_greater_than"), is_("size", 5, operator="is_less_than_or_equal_to")],
            "above 5 and below 5",
        ),
        (
            [is_("day", "2026-05-01", operator="is_greater_than"), is_("day", "2026-04-01", operator="is_less_than")],
            "above 2026-05-01 and below 2026-04-01",
        ),
        ([is_("kind", "a", operator="is_none_of"), is_("kind", "b", operator="is_none_of")], "no value of Kind passes"),
        ([is_("flag", True, operator="is_equal_to"), is_("flag", False, operator="is_equal_to")], "no value of Flag"),
    ],
)
def test_filters_that_rule_each_other_out(filters: list[Any], reason: str) -> None:
    options = [{"value": each, "label": each} for each in ("a", "b")]
    make_property("contact", "size", type="number", field_type="number")
    make_property("contact", "day", type="date", field_type="date")
    make_property("contact", "kind", type="enumeration", field_type="select", options=options)
    make_property("contact", "flag", type="bool", field_type="booleancheckbox")
    never, all_never = said(make_workflow("contact", create(*STEP), triggers=[filters], on=False))
    assert never.startswith("Triggers, group 1 can never be met: ")
    assert reason in never
    assert all_never == "Triggers Nobody can ever meet them."
    assert said(make_workflow("contact", create(*STEP), triggers=[[each] for each in filters], on=False)) == []


def test_having_a_label_and_no_association_is_a_contradiction() -> None:
    label = make_label("contact", "company", "Employer")
    has = {"kind": "association", "type_id": label.type_id, "has": True}
    lacks = {"kind": "association", "type_id": unlabeled("contact", "company").type_id, "has": False}
    first, _ = said(make_workflow("contact", create("contact", "city", "city"), triggers=[[has, lacks]], on=False))
    assert "an associated company labelled Employer and for none of an associated company" in first


def test_what_may_be_met_is_no_contradiction() -> None:
    filters = [
        is_("city", "Rome", operator="is_not_equal_to", or_no_value=True),
        is_("city", operator="is_unknown"),
        is_("firstname", "A", operator="starts_with"),
        is_("firstname", "Ad", operator="starts_with"),
    ]
    assert said(make_workflow("contact", create(*STEP), triggers=[filters], on=False)) == []


def test_whoever_meets_a_group_may_be_kept_out_by_the_same_filter() -> None:
    workflow = make_workflow(
        "contact", create(*STEP), triggers=[[is_("city", "Rome")], [is_("city", "Oslo")]], on=False
    )
    fields = {"property": "city", "operator": "is_any_of", "values": ["Rome"]}
    EnrollmentTrigger.objects.create(workflow=workflow, purpose="suppress", kind="property", fields=fields)
    assert said(workflow) == [
        "Triggers, group 1 can never be met: whoever meets it is kept out by the suppression filters."
    ]


# Actions ----------------------------------------------------------------------------------------


def test_enumerations_without_a_common_option_never_match() -> None:
    for type_name, values in (("contact", "ab"), ("company", "cd")):
        options = [{"value": each, "label": each} for each in values]
        make_property(type_name, "tier", type="enumeration", field_type="select", options=options)
    associate(make_record("contact"), make_record("company"))
    both = {"enrolled_property": "tier", "associated_property": "tier"}
    label = make_label("contact", "company", "Peer")
    workflow = make_workflow("contact", apply(label, "matching_property", **both), on=False)
    assert said(workflow) == ["Action 1 can never match: Tier and Tier have no option in common."]


def test_a_label_that_is_taken_off_again() -> None:
    label = make_label("contact", "company", "Employer")
    other = make_workflow("contact", remove(label))
    workflow = make_workflow("contact", create(*STEP, label=label), remove(label), on=False)
    assert said(workflow) == [
        "Action 1 adds the label Employer, which action 2 removes again.",
        f"Action 1 adds the label Employer, which “{other}” removes again.",
    ]


def test_a_label_that_another_workflow_puts_back() -> None:
    old, new = make_label("contact", "company", "Old"), make_label("contact", "company", "New")
    associate(make_record("contact"), make_record("company"), old)
    other = make_workflow("contact", create(*STEP, label=old))
    workflow = make_workflow("contact", update(old, new, "replace"), on=False)
    assert said(workflow) == [f"Action 1 removes the label Old, which “{other}” adds."]


def test_an_action_on_what_is_not_there_does_nothing() -> None:
    label = make_label("contact", "company", "Employer")
    assert said(make_workflow("contact", remove(label), on=False)) == [
        "Action 1 can do nothing now: no contact is associated as Employer."
    ]
    assert said(make_workflow("contact", apply(label), on=False)) == [
        "Action 1 can do nothing now: no contact is associated as Company at all."
    ]
    associate(make_record("contact"), make_record("company"), label)
    assert said(make_workflow("contact", apply(label), on=False)) == []
    process_all()  # and it is summed
    assert said(make_workflow("contact", apply(label), on=False)) == []


def test_workflows_that_trigger_each_other() -> None:
    one, two = make_label("contact", "company", "One"), make_label("contact", "company", "Two")

    def has(directed: Any) -> dict[str, Any]:
        return {"kind": "association", "type_id": directed.type_id, "has": True}

    other = make_workflow("contact", create(*STEP, label=two), triggers=[[has(one)]], should_re_enroll=True)
    workflow = make_workflow(
        "contact", create(*STEP, label=one), triggers=[[has(two)]], should_re_enroll=True, on=False
    )
    [warning] = said(workflow)
    assert f"trigger each other: “{workflow}” → “{other}” → “{workflow}”" in warning
    assert "until 16 workflows" in warning
    workflow.should_re_enroll = False
    workflow.save()
    assert "it comes to an end" in said(workflow)[0]


def test_a_label_that_comes_sets_off_other_workflows_than_one_that_goes() -> None:
    one, two = make_label("contact", "company", "One"), make_label("contact", "company", "Two")

    def replaces(old: Any, new: Any) -> Workflow:
        workflow = make_workflow("contact", update(old, new, "replace"), should_re_enroll=True, on=False)
        fields = {"event": "label_added", "type_id": old.type_id}
        EnrollmentTrigger.objects.create(workflow=workflow, kind="event", fields=fields)
        return workflow

    workflow, other = replaces(one, two), replaces(two, one)
    assert "Triggers" not in str(said(workflow)), "that it removes the label itself enrolls nobody"
    lifecycle.turn_on(other)
    assert f"trigger each other: “{workflow}” → “{other}” → “{workflow}”" in said(workflow)[-1]


def test_a_workflow_that_triggers_itself() -> None:
    type_id = unlabeled("contact", "company").type_id
    lacks = {"kind": "association", "type_id": type_id, "has": False}
    [warning] = said(make_workflow("contact", create(*STEP), triggers=[[lacks]], on=False))
    assert "What its own actions change can enroll records in it again" in warning
