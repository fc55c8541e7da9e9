"""When a flow enrolls: HubSpot's events, re-enrollment and schedules mean ours; what is not ours is kept."""

import datetime as dt
from typing import Any

import pytest

from tests.factories import make_label, object_type
from workflows.flows import InvalidFlow, read_flow
from workflows.triggers import read_triggers

from .hubspot import (
    all_of,
    any_of,
    asks,
    branch,
    changed,
    definition,
    event,
    event_based,
    flow,
    list_based,
    own,
)

pytestmark = pytest.mark.django_db


# Events, re-enrollment, schedules ----------------------------------------------------------------


def test_events():
    label = make_label("contact", "company", "Employer", "Employee")
    which = asks("associationTypeId", "NUMBER", "IS_EQUAL_TO", value=label.type_id)
    given = event_based(
        event("4-1463224"),
        changed("city"),
        changed("city", asks("hs_value", "ALL_PROPERTY", "IS_KNOWN")),
        changed("city", asks("hs_value", "ENUMERATION", "IS_ANY_OF", values=["a", "b"])),
        event("4-655002", asks("city", "MULTISTRING", "IS_EQUAL_TO", values=["a"])),
        event("ASSOCIATION_LABEL_ADDED", which),
        refinementCriteria=branch("OR", all_of(any_of("state", "x"))),
    )
    read = definition(given)
    read_triggers(read, object_type("contact"))
    assert read["events"] == [
        {"event": "created"},
        {"event": "property_changed", "property": "city"},
        {"event": "property_changed", "property": "city", "known": True},
        {"event": "property_changed", "property": "city", "values": ["a", "b"]},
        {"event": "property_changed", "property": "city", "values": ["a"]},
        {"event": "label_added", "type_id": label.type_id},
    ]
    assert read["triggers"] == [[own("state", "is_any_of", "x")]]


@pytest.mark.parametrize(
    "given",
    [
        event("4-1639801"),
        event("4-655002", operator="HAS_NOT_COMPLETED"),
        event("4-1463224", asks("x", "STRING", "IS_EQUAL_TO", value="y")),
        changed("city", asks("hs_value", "ALL_PROPERTY", "IS_UNKNOWN")),
        changed("city", asks("hs_old_value", "ALL_PROPERTY", "IS_KNOWN")),
    ],
)
def test_an_event_that_is_not_ours_is_kept(given):
    read = definition(event_based(given))
    assert [(each["event"], each["flow"]) for each in read["events"]] == [("unsupported", given)]
    with pytest.raises(Exception, match="does not notice"):
        read_triggers(read, object_type("contact"))


def test_re_enrollment():
    marks = [changed("city", asks("hs_value", "ALL_PROPERTY", "IS_KNOWN")), all_of(any_of("state", "x"))]
    criteria = list_based(all_of(any_of("city", "a")), reEnrollmentTriggersFilterBranches=marks)
    assert definition(criteria)["re_enrollment_properties"] == []  # while it is off they say nothing
    read = definition({**criteria, "shouldReEnroll": True, "unEnrollObjectsNotMeetingCriteria": True})
    assert read["re_enrollment_properties"] == ["city", "state"]
    assert (read["should_re_enroll"], read["unenroll"]) == (True, True)


def test_other_settings_that_cannot_run_are_told():
    criteria = list_based(reEnrollmentTriggersFilterBranches=[event("4-1639801")], shouldReEnroll=True)
    more: dict[str, Any] = {
        "suppressionListIds": [7],
        "goalFilterBranch": branch("OR"),
        "timeWindows": [{"day": "MONDAY"}],
    }
    draft = read_flow(flow(enrollmentCriteria=criteria, **more), object_type("contact"))
    assert [each["in"] for each in draft.flow["problems"]] == [
        "enrollmentCriteria.reEnrollmentTriggersFilterBranches[0]",
        "timeWindows",
        "goalFilterBranch",
        "suppressionListIds",
    ]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"type": "DAILY"}, {"frequency": "daily"}),
        ({"type": "WEEKLY", "daysOfWeek": ["TUESDAY"]}, {"frequency": "weekly", "weekday": 1}),
        ({"type": "MONTHLY_SPECIFIC_DAYS", "daysOfMonth": [15]}, {"frequency": "monthly", "day": 15}),
        (
            {"type": "MONTHLY_RELATIVE_DAYS", "monthlyRelativeDays": "LAST_DAY_OF_MONTH"},
            {"frequency": "monthly", "day": 31},
        ),
    ],
)
def test_schedules(settings, given, meant):
    settings.TIME_ZONE = "Europe/Paris"
    given = {**given, "timeOfDay": {"hour": 9, "minute": 5}}
    read = definition({"type": "MANUAL", "shouldReEnroll": False}, enrollmentSchedule=given)
    assert read["schedule"] == {**meant, "time": dt.time(9, 5).isoformat("minutes"), "time_zone": "Europe/Paris"}
    assert read_triggers(read, object_type("contact")).schedule


@pytest.mark.parametrize(
    "given",
    [
        {"type": "YEARLY", "month": "MAY", "dayOfMonth": 1},
        {"type": "PROPERTY_BASED", "dateProperty": "closedate"},
        {"type": "WEEKLY", "daysOfWeek": ["MONDAY", "FRIDAY"]},
    ],
)
def test_a_schedule_that_is_not_ours_is_kept(given):
    read = definition(None, enrollmentSchedule=given)
    assert read["schedule"]["flow"] == given
    with pytest.raises(Exception, match="cannot enroll"):
        read_triggers(read, object_type("contact"))


def test_a_time_that_is_none():
    given = {"type": "DAILY", "timeOfDay": {"hour": 24, "minute": 0}}
    with pytest.raises(InvalidFlow, match=r"enrollmentSchedule\.timeOfDay: there is no such time"):
        definition(None, enrollmentSchedule=given)
