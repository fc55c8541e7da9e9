"""Filters that cannot be are refused with the field and the reason; the error of a tree says which filter it was."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from associations.models import Record
from tests.factories import make_label, make_property, make_record, object_type
from tests.workflows.making import is_
from workflows.criteria import MAX_FILTERS, read_criteria, read_filter

pytestmark = pytest.mark.django_db
ANY_COMPANY = 279


@pytest.fixture(autouse=True)
def _one_property_of_each_type(db: None) -> None:
    make_property("contact", "amount", type="number", field_type="number")
    make_property("contact", "day", type="date", field_type="date")
    make_property("contact", "at", type="datetime", field_type="date")
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")


def refusal(raw: Any, type_name: str = "contact") -> dict[str, str]:
    """The reasons by field."""
    with pytest.raises(ValidationError) as refused:
        read_filter(raw, object_type(type_name))
    return {field: " ".join(reasons) for field, reasons in refused.value.message_dict.items()}


@pytest.mark.parametrize(
    ("raw", "field", "reason"),
    [
        ({"kind": "guess"}, "kind", "no kind of filter called 'guess'"),
        ({"kind": ["property"]}, "kind", "no kind of filter"),
        ({}, "property", "has no property ''"),
        (is_("size", "x"), "property", "A contact has no property 'size'"),
        (is_("industry", "x"), "property", "A contact has no property 'industry'"),
        ({"property": {"a": 1}}, "property", "has no property"),
        (is_("city", "x", operator="is_less_than"), "operator", "City cannot be tested by 'is_less_than'"),
        (is_("city", "x", operator="in_last_days"), "operator", "City cannot be tested by"),
        (is_("amount", 1, operator="is_any_of"), "operator", "Amount cannot be tested by"),
        (is_("amount", 1, operator="contains"), "operator", "possible are: is_equal_to"),
        (is_("day", 1, operator="starts_with"), "operator", "Day cannot be tested by"),
        (is_("lifecyclestage", "lead", operator="contains"), "operator", "Lifecycle stage cannot be tested by"),
        (is_("vip", True, operator="is_any_of"), "operator", "Vip cannot be tested by"),
        ({"property": "city", "operator": ["is_known"]}, "operator", "cannot be tested by"),
    ],
)
def test_what_a_filter_names_must_be_there(raw: dict[str, Any], field: str, reason: str) -> None:
    refused = refusal(raw)
    assert list(refused) == [field]
    assert reason in refused[field]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (is_("city"), "say which value"),
        ({"property": "city", "operator": "is_any_of", "values": "Boston"}, "say which value"),
        ({"property": "city", "operator": "is_any_of", "values": {"a": 1}}, "say which value"),
        (is_("city", ""), "An empty value equals nothing"),
        (is_("city", None), "An empty value equals nothing"),
        (is_("city", "Boston", "  "), "An empty value equals nothing"),
        (is_("city", "", operator="contains"), "An empty value equals nothing"),
        (is_("city", "a", "b", operator="is_equal_to"), "takes one value"),
        (is_("city", "a", "b", operator="contains"), "takes one value"),
        (is_("city", "x\x00", operator="contains"), "NUL"),
        (is_("city", "x\x00"), "NUL"),
        (is_("city", "\ud800", operator="starts_with"), "surrogate"),
        (is_("city", {"a": 1}), "must be text"),
        (is_("city", True), "must be text"),
        (is_("amount", "many", operator="is_equal_to"), "not a number"),
        (is_("amount", "NaN", operator="is_equal_to"), "not a finite number"),
        (is_("amount", "1e999", operator="is_less_than"), "not a finite number"),
        (is_("amount", True, operator="is_equal_to"), "not a number"),
        (is_("amount", 5, operator="is_between"), "two values, the lower one first"),
        (is_("amount", 1, 2, 3, operator="is_between"), "two values, the lower one first"),
        (is_("amount", 10, 9, operator="is_between"), "the lower one first"),
        (is_("amount", "10", "9", operator="is_between"), "the lower one first"),
        (is_("day", "2026-02-29", operator="is_equal_to"), "not a date"),
        (is_("day", "soon", operator="is_less_than"), "not a date"),
        (is_("day", "2026-03-02", "2026-03-01", operator="is_between"), "the lower one first"),
        (is_("at", "yesterday", operator="is_less_than"), "not a date and time"),
        (is_("at", "2026-03-01T12:00+01:00", "2026-03-01T10:59Z", operator="is_between"), "the lower one first"),
        (is_("day", 0, operator="in_last_days"), "not a number of days from 1 to 36,500"),
        (is_("day", 36_501, operator="in_next_days"), "not a number of days"),
        (is_("day", "soon", operator="in_next_days"), "not a number of days"),
        (is_("at", float("inf"), operator="in_next_days"), "not a number of days"),
        (is_("at", 1, 2, operator="in_next_days"), "takes one value"),
        (is_("lifecyclestage", "alien"), "has no option 'alien'"),
        (is_("lifecyclestage", "lead", "alien", operator="is_none_of"), "has no option 'alien'"),
        (is_("vip", "maybe", operator="is_equal_to"), "neither true nor false"),
    ],
)
def test_values_must_fit_the_property_and_the_operator(raw: dict[str, Any], reason: str) -> None:
    refused = refusal(raw)
    assert list(refused) == ["values"]
    assert reason in refused["values"]


@pytest.mark.parametrize("type_id", [None, "", 0, 99_999, "x", [279], {"id": 1}, 10**30])
@pytest.mark.parametrize("kind", ["association", "associated_property"])
def test_an_association_must_be_chosen(kind: str, type_id: Any) -> None:
    test = {} if kind == "association" else is_("name", "x")
    assert refusal({**test, "kind": kind, "type_id": type_id}) == {"type_id": "Choose which association."}


@pytest.mark.parametrize("type_id", [280, 2, 341])
def test_an_association_is_seen_from_the_records_own_side(type_id: int) -> None:
    raw = {"kind": "association", "type_id": type_id}
    assert refusal(raw) == {"type_id": "A contact has no associations of this type."}


def test_a_property_of_the_associated_record_must_be_its_own() -> None:
    raw = {**is_("firstname", "x"), "kind": "associated_property", "type_id": ANY_COMPANY}
    assert refusal(raw) == {"property": "A company has no property 'firstname'."}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"kind": "association", "type_id": ANY_COMPANY, "has": "no"}, "has"),
        ({"kind": "association", "type_id": ANY_COMPANY, "has": 0}, "has"),
        ({**is_("city", "x", operator="is_not_equal_to"), "or_no_value": "no"}, "or_no_value"),
    ],
)
def test_yes_or_no_is_said_as_such(raw: dict[str, Any], field: str) -> None:
    assert refusal(raw)[field] == "Say true or false."


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({**is_("city", "x"), "oprator": "is_none_of"}, "oprator"),
        ({"kind": "association", "type_id": ANY_COMPANY, "hasnot": True}, "hasnot"),
        ({**is_("city", "x"), "type_id": ANY_COMPANY}, "type_id"),
    ],
)
def test_what_a_kind_of_filter_does_not_know_is_refused(raw: dict[str, Any], field: str) -> None:
    assert list(refusal(raw)) == [field]


@pytest.mark.parametrize("raw", [None, "city is Boston", 5, ["property", "city"]])
def test_a_filter_is_an_object(raw: Any) -> None:
    with pytest.raises(ValidationError, match="A filter is an object"):
        read_filter(raw, object_type("contact"))


@pytest.mark.parametrize("groups", [None, "x", {"kind": "property"}, [{"kind": "property"}], ["city"], [None]])
def test_criteria_are_groups_of_filters(groups: Any) -> None:
    with pytest.raises(ValidationError, match="Criteria are a list of groups"):
        read_criteria(groups, object_type("contact"))


def test_the_error_of_a_tree_names_group_and_filter() -> None:
    groups = [[is_("city", "x")], [is_("city", "x"), is_("size", "x")]]
    with pytest.raises(ValidationError, match="Group 2, filter 2: A contact has no property 'size'"):
        read_criteria(groups, object_type("contact"))


def test_one_value_may_be_given_as_value() -> None:
    contact = make_record("contact", city="Boston", vip=False)
    for raw in ({"property": "city", "value": "Boston"}, {"property": "vip", "value": False}):
        assert Record.objects.filter(read_criteria([[raw]], contact.object_type).q(), pk=contact.pk).exists()


# Many filters -----------------------------------------------------------------------------------


def test_more_than_250_filters_are_refused() -> None:
    half = [is_("city", "x")] * 125
    assert len(read_criteria([half, half], object_type("contact")).filters) == MAX_FILTERS == 250
    with pytest.raises(ValidationError, match="At most 250 filters"):
        read_criteria([half, half, [is_("city", "x")]], object_type("contact"))


@pytest.mark.parametrize(
    "each",
    [
        is_("city", "Oslo", "Rome", operator="is_none_of", or_no_value=True),
        is_("at", "2026-01-01", "2026-02-01", operator="is_between"),
        {"kind": "associated_property", "type_id": ANY_COMPANY, "property": "city", "operator": "is_known"},
        {"kind": "association", "type_id": ANY_COMPANY, "has": False},
    ],
    ids=["text", "dates", "associated", "association"],
)
@pytest.mark.parametrize("shape", ["one group", "a group each"])
def test_250_filters_of_a_kind_are_one_query(shape: str, each: dict[str, Any]) -> None:
    make_label("contact", "company", "Partner")
    contact = make_record("contact", city="Boston", at="2026-01-15")
    groups = [[each] * MAX_FILTERS] if shape == "one group" else [[each]] * MAX_FILTERS
    met = Record.objects.filter(read_criteria(groups, contact.object_type).q(), pk=contact.pk)
    assert met.exists() is (each.get("kind") != "associated_property")
