"""What a definition says in words."""

from __future__ import annotations

from typing import Any

import pytest

from associations.querysets import Surroundings
from tests.factories import make_label, make_property, object_type
from workflows.sentences import describe, filter_sentence

from .making import is_

pytestmark = pytest.mark.django_db


def words(raw: dict[str, Any]) -> str:
    sentence = filter_sentence(raw, Surroundings(object_type("contact")))
    assert not sentence.is_broken
    return sentence.text


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (is_("city", "Rome", "Oslo"), "City is any of Rome or Oslo"),
        (is_("city", operator="is_known"), "City is known"),
        (
            is_("city", "Rome", operator="is_not_equal_to", or_no_value=True),
            "City is not equal to Rome, or has no value",
        ),
        (is_("lifecyclestage", "lead", operator="is_equal_to"), "Lifecycle stage is equal to Lead"),
        (is_("age", 5, 10, operator="is_between"), "Age is between 5 and 10"),
        (is_("born", 7, operator="in_last_days"), "Born is in the last 7 days"),
        (is_("vip", False, operator="is_equal_to"), "Vip is equal to no"),
        ({"kind": "association", "type_id": 279, "has": True}, "has an associated company"),
        ({"kind": "association", "type_id": 1, "has": False}, "has no associated company labelled Primary"),
        (
            {**is_("city", "Rome"), "kind": "associated_property", "type_id": 1},
            "has an associated company labelled Primary whose City is any of Rome",
        ),
    ],
)
def test_a_filter_reads_as_it_works(raw: dict[str, Any], said: str) -> None:
    make_property("contact", "age", type="number", field_type="number")
    make_property("contact", "born", type="date", field_type="date")
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    assert words(raw) == said


def test_what_cannot_be_read_says_so_in_its_place() -> None:
    definition = {
        "triggers": [[is_("gone", "x"), is_("city", "Rome")]],
        "events": [{"event": "label_added", "type_id": 99_999}],
        "actions": [{"kind": "gone", "fields": {}}, {"kind": "apply_label", "fields": {"to_object_type": "0-2"}}],
    }
    said = describe(definition, Surroundings(object_type("contact")))
    assert [[each.is_broken for each in group] for group in said.groups] == [[True, False]]
    assert [each.is_broken for each in said.starts] == [True]
    assert [(each.title, each.is_broken) for each in said.actions] == [
        ("gone", True),
        ("Apply association label", True),
    ]


def test_events_a_schedule_and_what_keeps_records_out_are_said() -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    definition = {
        "triggers": [],
        "suppression": [[is_("city", "Rome")]],
        "events": [
            {"event": "created"},
            {"event": "property_changed", "property": "lifecyclestage", "values": ["lead"]},
            {"event": "property_changed", "property": "city"},
            {"event": "property_changed", "property": "city", "known": True},
            {"event": "label_added", "type_id": employer.type_id},
            {"event": "label_removed", "type_id": employer.type_id},
            {"event": "associated", "type_id": 279},
        ],
        "schedule": {"frequency": "weekly", "time": "09:00", "time_zone": "Europe/Berlin", "weekday": 0},
        "actions": [],
    }
    said = describe(definition, Surroundings(object_type("contact")))
    assert [each.text for each in said.starts] == [
        "when it is created",
        "when Lifecycle stage changes to Lead",
        "when City changes",
        "when City changes to any value",
        "when the label Employer is added",
        "when the label Employer is removed",
        "when an associated company is added",
        "every Monday at 09:00 (Europe/Berlin)",
    ]
    assert [[each.text for each in group] for group in said.suppression] == [["City is any of Rome"]]


def test_a_record_that_is_put_up_for_review_is_said_to_be() -> None:
    fields = {"to_object_type": "0-2", "enrolled_property": "city", "associated_property": "city", "several": "review"}
    actions = [{"kind": "create_associations", "fields": fields}]
    [said] = describe({"triggers": [], "actions": actions}, Surroundings(object_type("contact"))).actions
    assert said.text == (
        "Associate each enrolled contact with the one company whose City equals the contact's City."
        " Where several match, the contact is put up for review instead."
    )


def test_whose_value_decides_where_a_label_is_applied_is_clear() -> None:
    label = make_label("company", "contact", "Local")
    fields = {"to_object_type": "0-1", "label": label.type_id, "operator": "is_equal_to", "value": "Oslo"}
    by_enrolled = {**fields, "apply_to": "enrolled_property", "enrolled_property": "city"}
    by_associated = {**fields, "apply_to": "associated_property", "associated_property": "city"}
    actions = [{"kind": "apply_label", "fields": each} for each in (by_enrolled, by_associated)]
    said = describe({"triggers": [], "actions": actions}, Surroundings(object_type("company")))
    assert [each.text for each in said.actions] == [
        "Apply the label Local to every associated contact if the enrolled company's City is Oslo.",
        "Apply the label Local to every associated contact whose City is Oslo.",
    ]
