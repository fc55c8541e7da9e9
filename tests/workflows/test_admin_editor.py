"""The workflow editor: what it keeps, and what it refuses at which field."""

from __future__ import annotations

from typing import Any

import pytest

from associations.types import DirectedType
from tests.associations.admin_pages import fields_on, messages_on, sign_in
from tests.factories import make_label, make_property
from workflows.criteria import MAX_FILTERS
from workflows.models import Action, Workflow
from workflows.services import editing

from .admin_workflows import (
    FORM,
    add_action,
    add_filters,
    add_workflow,
    card_errors,
    definition,
    draw,
    id_of,
    opened,
    page_of,
    row_errors,
    rows,
    save,
    text,
)
from .making import Filter, apply, create, is_, make_workflow, remove, update

pytestmark = pytest.mark.django_db


@pytest.fixture
def employer() -> DirectedType:
    return make_label("contact", "company", "Employer", "Employee")


# What is kept -----------------------------------------------------------------------------------


def test_each_kind_of_filter_is_kept_as_it_is_read(employer: DirectedType) -> None:
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    with_employer = {"subject": id_of(employer)}
    page = add_filters(
        client,
        workflow,
        {"property": "city", "operator": "is_none_of", "values": [" Oslo ", "", "Rome"], "or_no_value": "on"},
        {**with_employer, "property": "numberofemployees", "operator": "is_between", "values": ["5", "10.5"]},
        {"group": 2, **with_employer, "property": "_lacks"},
        {"group": 2, "property": "email", "operator": "is_unknown", "values": "left over"},
    )
    assert messages_on(page) == ["“New” is saved."]
    one, other = definition(workflow)["triggers"]
    of_employer = {"kind": "associated_property", "type_id": employer.type_id}
    assert one == [
        {**is_("city", "Oslo", "Rome", operator="is_none_of"), "or_no_value": True},
        {**of_employer, "property": "numberofemployees", "operator": "is_between", "values": [5, 10.5]},
    ]
    assert other == [
        {"kind": "association", "type_id": employer.type_id, "has": False},
        {"kind": "property", "property": "email", "operator": "is_unknown"},
    ]


def test_properties_with_the_same_label_are_told_apart_by_their_names() -> None:
    make_property("contact", "residence", label="City")
    workflow = make_workflow("contact", create("company", "residence", "city"), triggers=[[is_("residence", "Oslo")]])
    page = text(sign_in().get(page_of(workflow)))
    assert ">City (city)</option>" in page and ">City (residence)</option>" in page
    assert ">City</option>" in page, "a company has one"
    assert "City (residence) is any of Oslo" in text(sign_in("view_workflow").get(page_of(workflow)))


def every_input() -> dict[str, Any]:
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    make_property("contact", "since", type="date", field_type="date")
    make_property("contact", "seen", type="datetime", field_type="date")
    options = [{"value": each, "label": each.upper()} for each in "abc"]
    make_property("contact", "likes", type="enumeration", field_type="checkbox", options=options)
    filters: list[list[Filter]] = [
        [
            is_("vip", False, operator="is_equal_to"),
            is_("since", "2026-01-02", "2026-03-04", operator="is_between"),
            is_("since", 30, operator="in_last_days"),
            is_("seen", "2026-01-02T08:30:15.250Z", operator="is_greater_than"),
        ],
        [
            is_("likes", "a;c", operator="is_equal_to"),
            is_("likes", "a", "b;c"),
            is_("lifecyclestage", "lead", "customer"),
            {**is_("city", "Rome", "Oslo", operator="is_none_of"), "kind": "associated_property", "type_id": 279},
            {"kind": "association", "type_id": 279, "has": False},
            {"kind": "property", "property": "email", "operator": "is_known"},
        ],
    ]
    return {
        "should_re_enroll": True,
        "re_enrollment_properties": ["city", "vip"],
        "unenroll": True,
        "triggers": filters,
        "suppression": [[is_("city", "Bern")]],
        "events": [],
        "schedule": None,
        "actions": [],
    }


@pytest.mark.parametrize(
    "start",
    [
        {},
        {"events": [{"event": "created"}, {"event": "property_changed", "property": "city", "values": ["Bern"]}]},
        {"events": [{"event": "associated", "type_id": 279}, {"event": "label_added", "type_id": 1}]},
        {"schedule": {"frequency": "weekly", "time": "09:30", "time_zone": "Europe/Berlin", "weekday": 4}},
        {"schedule": {"frequency": "monthly", "time": "09:30", "time_zone": "UTC", "day": 31}, "triggers": []},
    ],
)
def test_saving_what_was_opened_changes_nothing(employer: DirectedType, start: dict[str, Any]) -> None:
    steps = (
        create("company", "company", "name", label=employer, cap=5, several="newest", keep_in_sync=True),
        apply(employer, "enrolled_property", enrolled_property="vip", operator="is_equal_to", value="false"),
        update(employer, make_label("contact", "company", "Other"), "replace"),
        remove(employer, associations=True),
    )
    workflow = make_workflow("contact", on=False)
    meant = {**every_input(), "actions": [{"kind": kind, "fields": fields} for kind, fields in steps], **start}
    meant["unenroll"] = bool(meant["triggers"])
    editing.save_workflow(workflow, meant, name="All", description="Every input")
    page = save(sign_in(), workflow)
    assert messages_on(page) == ["Nothing was changed."]
    assert definition(workflow) == meant


def test_what_is_not_asked_for_now_is_not_kept(employer: DirectedType) -> None:
    """Another way to start, another choice in an action: what was entered before is there until it is saved."""
    client = sign_in()
    workflow = make_workflow("contact", apply(employer, "associated_property", associated_property="city", value="x"))
    page = draw(client, workflow, **{"actions-0-apply_to": "all", "start": "schedule"})
    shown = fields_on(page, FORM)
    assert (shown["actions-0-value"], shown["schedule-time"]) == (["x"], ["09:00"])
    client.post(page_of(workflow), {**shown, "_save": "1"})
    now = definition(workflow)
    assert now["actions"][0]["fields"] == apply(employer)[1]
    assert now["schedule"] == {"frequency": "daily", "time": "09:00", "time_zone": "UTC"}


def test_250_filters_are_one_form_and_251_are_refused() -> None:
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    one: dict[str, object] = {"property": "city", "operator": "is_known"}
    add_filters(client, workflow, *[one] * MAX_FILTERS)
    page = add_filters(client, workflow, *[one] * (MAX_FILTERS + 1))
    assert "At most 250 filters" in text(page)
    assert [len(group) for group in definition(workflow)["triggers"]] == [MAX_FILTERS]


# What is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"property": ""}, "property", "Choose what is tested"),
        ({"property": "domain", "values": "x"}, "property", "Choose what is tested"),
        ({"property": "city", "values": ""}, "values", "say which value"),
        ({"property": "city", "values": ["a", "b"]}, "values", "takes one value"),
        ({"property": "city", "operator": "contains", "values": "a\x00b"}, "values", "NUL"),
        ({"property": "lifecyclestage", "values": "nonsense"}, "values", "no option"),
        ({"property": "closedate", "subject": 4, "operator": "is_equal_to", "values": "x"}, "values", "not a date"),
    ],
)
def test_what_is_wrong_with_a_filter_stands_at_its_field(row: dict[str, object], field: str, reason: str) -> None:
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    sent = opened(client, workflow) | rows(row) | {"name": "Renamed", "start": "filters", "_save": "1"}
    page = client.post(page_of(workflow), sent)
    errors = row_errors(page)
    assert list(errors) == [field]
    assert reason in errors[field][0]
    assert "Nothing was saved yet" in text(page)
    assert fields_on(page, FORM)["name"] == ["Renamed"]
    workflow.refresh_from_db()
    assert (workflow.name, definition(workflow)["triggers"]) == ("New", [])


@pytest.mark.parametrize(
    ("kind", "typed", "field"),
    [
        ("create_associations", {"enrolled_property": "company"}, "associated_property"),
        ("create_associations", {"enrolled_property": "company", "associated_property": "name", "cap": "0"}, "cap"),
        ("create_associations", {"enrolled_property": "city", "associated_property": "city", "label": "1"}, "several"),
        (
            "apply_label",
            {"label": "1", "apply_to": "matching_property", "enrolled_property": "city"},
            "associated_property",
        ),
        ("apply_label", {"label": "1", "apply_to": "enrolled_property", "enrolled_property": "city"}, "value"),
        ("update_labels", {"existing_label": "1", "new_label": "1"}, "new_label"),
        ("remove_labels", {"remove_associations": "on"}, "labels"),
    ],
)
def test_what_is_wrong_with_an_action_stands_at_its_field(
    employer: DirectedType, kind: str, typed: dict[str, str], field: str
) -> None:
    workflow = make_workflow("contact", on=False)
    page = add_action(sign_in(), workflow, kind, "company", **typed)
    assert list(card_errors(page)) == [field]
    shown = fields_on(page, FORM)
    assert {name: shown[f"actions-0-{name}"] for name in typed} == {name: [value] for name, value in typed.items()}
    assert not Action.objects.exists()


def test_settings_that_cannot_be_are_refused_at_their_field() -> None:
    make_workflow("contact", on=False)
    taken = Workflow.objects.get().name
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    for changes, field in (
        ({"name": taken}, "name"),
        ({"name": ""}, "name"),
        ({"start": "events"}, "start"),
        ({"start": "filters"}, "start"),
        ({"unenroll": "on"}, "unenroll"),
    ):
        page = save(client, workflow, **changes)
        assert list(page.context["draft"].settings.errors) == [field]


def test_while_it_is_put_together_nothing_is_called_wrong(employer: DirectedType) -> None:
    workflow = add_workflow(sign_in(), "New", "contact")
    page = draw(sign_in(), workflow, "add-action create_associations")
    assert not row_errors(page)
    assert not card_errors(page)
    assert "Still to say: Associated object." in text(page)
    assert "errorlist" not in text(page)
