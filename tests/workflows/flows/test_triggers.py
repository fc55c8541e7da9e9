"""When a flow enrolls: HubSpot's criteria mean our filters; what is not ours is kept."""

import pytest

from tests.factories import make_label, make_property, object_type
from workflows.flows import InvalidFlow
from workflows.triggers import read_triggers

from .hubspot import (
    all_of,
    any_of,
    asks,
    branch,
    definition,
    event_based,
    groups,
    list_based,
    own,
)

pytestmark = pytest.mark.django_db


def one(*args, **more):
    return groups(all_of(asks(*args, **more)))


@pytest.fixture
def dates():
    make_property("contact", "birthday", type="date", field_type="date")
    make_property("contact", "seen", type="datetime", field_type="date")
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    make_property("contact", "score", type="number", field_type="number")
    options = [{"value": each, "label": each} for each in "abc"]
    make_property("contact", "one", type="enumeration", field_type="select", options=options)
    make_property("contact", "many", type="enumeration", field_type="checkbox", options=options)


# Filters ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (("city", "STRING", "IS_EQUAL_TO", {"value": "Rome"}), [[own("city", "is_equal_to", "Rome")]]),
        (("city", "STRING", "CONTAINS", {"value": "o"}), [[own("city", "contains", "o")]]),
        (("city", "MULTISTRING", "IS_EQUAL_TO", {"values": ["a", "b"]}), [[own("city", "is_any_of", "a", "b")]]),
        (("city", "MULTISTRING", "IS_NOT_EQUAL_TO", {"values": ["a"]}), [[own("city", "is_none_of", "a")]]),
        (
            ("city", "MULTISTRING", "STARTS_WITH", {"values": ["a", "b"]}),
            [[own("city", "starts_with", "a")], [own("city", "starts_with", "b")]],
        ),
        (
            ("city", "MULTISTRING", "DOES_NOT_CONTAIN", {"values": ["a", "b"]}),
            [[own("city", "does_not_contain", "a"), own("city", "does_not_contain", "b")]],
        ),
        (("city", "ALL_PROPERTY", "IS_KNOWN", {}), [[own("city", "is_known")]]),
        (("city", "ALL_PROPERTY", "IS_BLANK", {}), [[own("city", "is_unknown")]]),
        (
            ("city", "STRING", "IS_EQUAL_TO", {"value": "a", "includeObjectsWithNoValueSet": True}),
            [[own("city", "is_equal_to", "a")], [own("city", "is_unknown")]],
        ),
        (
            ("city", "STRING", "IS_NOT_EQUAL_TO", {"value": "a", "includeObjectsWithNoValueSet": True}),
            [[own("city", "is_not_equal_to", "a", or_no_value=True)]],
        ),
        (
            ("score", "NUMBER", "IS_GREATER_THAN_OR_EQUAL_TO", {"value": 5}),
            [[own("score", "is_greater_than_or_equal_to", 5)]],
        ),
        (
            ("score", "NUMBER_RANGED", "IS_BETWEEN", {"lowerBound": 1, "upperBound": 2}),
            [[own("score", "is_between", 1, 2)]],
        ),
        (
            ("score", "NUMBER_RANGED", "IS_NOT_BETWEEN", {"lowerBound": 1, "upperBound": 2}),
            [[own("score", "is_less_than", 1)], [own("score", "is_greater_than", 2)]],
        ),
        (("vip", "BOOL", "IS_EQUAL_TO", {"value": True}), [[own("vip", "is_equal_to", True)]]),
        (("one", "ENUMERATION", "IS_ANY_OF", {"values": ["a", "b"]}), [[own("one", "is_any_of", "a", "b")]]),
        (("one", "ENUMERATION", "IS_EXACTLY", {"values": ["a"]}), [[own("one", "is_any_of", "a")]]),
        (("many", "ENUMERATION", "CONTAINS_ALL", {"values": ["a", "b"]}), [[own("many", "is_equal_to", "a;b")]]),
        (
            ("birthday", "DATE", "IS_EQUAL_TO", {"year": 2026, "month": "MARCH", "day": 1}),
            [[own("birthday", "is_equal_to", "2026-03-01")]],
        ),
        (
            ("birthday", "DATETIME", "IS_AFTER_DATE", {"timestamp": 1772323200000}),
            [[own("birthday", "is_greater_than", "2026-03-01")]],
        ),
        (
            ("seen", "RANGED_DATE", "IS_BETWEEN", {"lowerBound": 0, "upperBound": 1000}),
            [[own("seen", "is_between", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:01.000Z")]],
        ),
        (
            ("seen", "ROLLING_DATE_RANGE", "IS_LESS_THAN_X_DAYS_AGO", {"numberOfDays": 7}),
            [[own("seen", "in_last_days", 7)]],
        ),
    ],
)
def test_an_operation_means_a_test(dates, given, meant):
    assert one(*given[:3], **given[3]) == meant


def point(day, **more):
    when = {"year": 2026, "month": 3, "day": day, **more}
    return {"timeType": "DATE", "timezoneSource": "CUSTOM", "zoneId": "Europe/Berlin", **when}


@pytest.mark.parametrize(
    ("operator", "behavior", "meant"),
    [
        ("IS_BEFORE", "EXCLUSIVE", ("is_less_than", "2026-02-28T23:00:00.000Z")),
        ("IS_BEFORE", "INCLUSIVE", ("is_less_than_or_equal_to", "2026-03-01T22:59:59.999Z")),
        ("IS_AFTER", "EXCLUSIVE", ("is_greater_than", "2026-03-01T22:59:59.999Z")),
        ("IS_AFTER", "INCLUSIVE", ("is_greater_than_or_equal_to", "2026-02-28T23:00:00.000Z")),
    ],
)
def test_a_day_is_the_whole_day_of_its_time_zone(dates, operator, behavior, meant):
    more = {"timePoint": point(1), "endpointBehavior": behavior}
    assert one("seen", "TIME_POINT", operator, **more) == [[own("seen", *meant)]]
    assert one("birthday", "TIME_POINT", operator, **more) == [[own("birthday", meant[0], "2026-03-01")]]


def test_ranges_of_time(dates):
    both = {"lowerBoundTimePoint": point(1, hour=8), "upperBoundTimePoint": point(2)}
    [[read]] = one("seen", "TIME_RANGED", "IS_BETWEEN", **both)
    assert read["values"] == ["2026-03-01T07:00:00.000Z", "2026-03-02T22:59:59.999Z"]

    def days(offset):
        return {"timeType": "INDEXED", "indexReference": {"referenceType": "TODAY"}, "offset": {"days": offset}}

    last = {"lowerBoundTimePoint": days(-30), "upperBoundTimePoint": days(0)}
    assert one("birthday", "TIME_RANGED", "IS_BETWEEN", **last) == [[own("birthday", "in_last_days", 30)]]
    following = {"lowerBoundTimePoint": days(0), "upperBoundTimePoint": days(7)}
    assert one("birthday", "TIME_RANGED", "IS_BETWEEN", **following) == [[own("birthday", "in_next_days", 7)]]


def test_nested_branches_are_multiplied_out():
    city, job = any_of("city", "a"), any_of("jobtitle", "b")
    state, country = any_of("state", "c"), any_of("country", "d")
    read = groups(all_of(city, branch("OR", job, all_of(state, country))), all_of(country))
    assert [[each["property"] for each in group] for group in read] == [
        ["city", "jobtitle"],
        ["city", "state", "country"],
        ["country"],
    ]


def test_branches_without_filters_say_nothing():
    assert groups() == groups(all_of()) == groups(branch("OR")) == []
    assert len(groups(all_of(any_of("city", "a"), branch("OR")))) == 1


def association(type_id, *parts, operator="IN_LIST"):
    more = {"associationTypeId": type_id, "associationCategory": "HUBSPOT_DEFINED", "objectTypeId": "0-2"}
    return branch("ASSOCIATION", *parts, operator=operator, **more)


def test_associated_records():
    label = make_label("contact", "company", "Employer", "Employee")
    both = association(279, any_of("city", "a")), association(label.type_id)
    assert groups(all_of(any_of("city", "b"), *both)) == [
        [
            own("city", "is_any_of", "b"),
            {**own("city", "is_any_of", "a"), "kind": "associated_property", "type_id": 279},
            {"kind": "association", "type_id": label.type_id, "has": True},
        ]
    ]
    assert groups(all_of(association("279", operator="NOT_IN_LIST")))[0][0]["has"] is False
    # The id of the way back means the same association.
    assert groups(all_of(association(280)))[0][0]["type_id"] == 279


# What is not ours -------------------------------------------------------------------------------

FORM = {"filterType": "FORM_SUBMISSION", "operator": "FILLED_OUT", "formId": "x"}
TWO = association(279, any_of("city", "a"), any_of("name", "b"))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (FORM, "FORM_SUBMISSION"),
        (asks("city", "STRING", "HAS_EVER_CONTAINED", value="a"), "HAS_EVER_CONTAINED (of city)"),
        (asks("city", "COMPARATIVE_STRING", "IS_EQUAL_TO", comparisonPropertyName="b"), "COMPARATIVE_STRING"),
        (asks("seen", "TIME_POINT", "IS_AFTER", timePoint={"timeType": "PROPERTY_REFERENCED"}), "PROPERTY_REF"),
        (asks("seen", "TIME_POINT", "IS_AFTER", propertyParser="UPDATED_AT"), "last set"),
        (branch("NOT_ALL", any_of("city", "a")), "NOT_ALL"),
        (TWO, "the same associated record"),
        (association(279, any_of("city", "a"), operator="NOT_IN_LIST"), "no associated record"),
        (association(279, FORM), "has not"),
    ],
)
def test_a_filter_that_is_not_ours_stands_in_its_place(given, reason):
    [[kept, city]] = definition(list_based(all_of(given, any_of("city", "a"))))["triggers"][::-1] or [[]]
    kept, city = (kept, city) if kept["kind"] == "unsupported" else (city, kept)
    assert kept["flow"] == given and reason in kept["reason"]
    assert city["property"] == "city"
    with pytest.raises(Exception, match="This product cannot test"):
        read_triggers(definition(list_based(all_of(given))), object_type("contact"))


def test_a_property_that_is_not_here_is_kept_and_told_when_it_must_run():
    read = definition(list_based(all_of(any_of("hs_lead_status", "NEW"))))
    with pytest.raises(Exception, match="no property 'hs_lead_status'"):
        read_triggers(read, object_type("contact"))


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("all", ""),
        ({"type": 1}, ".type"),
        ({"type": "LIST_BASED", "shouldReEnroll": "perhaps"}, ".shouldReEnroll"),
        (list_based() | {"listFilterBranch": []}, ".listFilterBranch"),
        (list_based(branch("OR") | {"filters": "x"}), ".listFilterBranch.filterBranches[0].filters"),
        (list_based(all_of({"filterType": ""})), ".listFilterBranch.filterBranches[0].filters[0].filterType"),
        (list_based(all_of({"filterType": "PROPERTY"})), ".listFilterBranch.filterBranches[0].filters[0].property"),
        (list_based(all_of(asks("city", "STRING", "IS_EQUAL_TO"))), "filters[0].operation.value"),
        (list_based(all_of(asks("city", "MULTISTRING", "IS_EQUAL_TO", values=[]))), "filters[0].operation.values"),
        (list_based(all_of(asks("city", "NUMBER", "IS_EQUAL_TO", value=True))), "filters[0].operation.value"),
        (
            list_based(all_of(asks("day", "DATE", "IS_EQUAL_TO", year=2026, month=2, day=30))),
            "filters[0].operation",
        ),
        (list_based(all_of(association("any"))), "filterBranches[0].associationTypeId"),
        (event_based({"filterBranchType": "UNIFIED_EVENTS"}), ".eventFilterBranches[0].eventTypeId"),
    ],
)
def test_what_is_no_criteria_is_refused_with_its_place(given, place):
    with pytest.raises(InvalidFlow) as refused:
        definition(given)
    [problem] = refused.value.problems
    assert problem.place.startswith("enrollmentCriteria") and problem.place.endswith(place)


def test_more_filters_than_there_may_be():
    many = [branch("OR", *(any_of("city", str(number)) for number in range(20))) for _ in range(3)]
    with pytest.raises(InvalidFlow, match="more than 250 filters"):
        definition(list_based(all_of(*many)))
