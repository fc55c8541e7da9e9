"""Every operator of numbers and dates as a table of cases."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from associations.services import derived
from tests.workflows.making import meets

pytestmark = pytest.mark.django_db
NO_VALUE = None


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions of a type are told apart by when it was changed, and in some of these tests time stands still."""
    monkeypatch.setattr(derived, "_known", {})


@pytest.mark.parametrize(
    ("value", "operator", "values", "met"),
    [
        (5, "is_equal_to", [5], True),
        (5, "is_equal_to", ["5.0"], True),
        (5, "is_equal_to", [6], False),
        (0, "is_equal_to", [0], True),
        (-0.0, "is_equal_to", [0], True),
        (0.1 + 0.2, "is_equal_to", [0.30000000000000004], True),
        (0.1 + 0.2, "is_equal_to", [0.3], False),
        (9007199254740991, "is_equal_to", [9007199254740991], True),
        (9007199254740991, "is_equal_to", [9007199254740990], False),
        (1e300, "is_equal_to", [1e300], True),
        (1.7976931348623157e308, "is_equal_to", [1.7976931348623157e308], True),
        (5e-324, "is_equal_to", [5e-324], True),
        (5e-324, "is_equal_to", [0], False),
        (NO_VALUE, "is_equal_to", [0], False),
        (5, "is_not_equal_to", [6], True),
        (5, "is_not_equal_to", [5], False),
        (NO_VALUE, "is_not_equal_to", [5], False),
        (9, "is_less_than", [10], True),
        (10, "is_less_than", [10], False),
        (100, "is_less_than", [20], False),
        (-1e300, "is_less_than", [-1e299], True),
        (NO_VALUE, "is_less_than", [10], False),
        (10, "is_less_than_or_equal_to", [10], True),
        (10.5, "is_less_than_or_equal_to", [10], False),
        (NO_VALUE, "is_less_than_or_equal_to", [10], False),
        (10, "is_greater_than", [9], True),
        (10, "is_greater_than", [10], False),
        (NO_VALUE, "is_greater_than", [-10], False),
        (10, "is_greater_than_or_equal_to", [10], True),
        (9.99, "is_greater_than_or_equal_to", [10], False),
        (NO_VALUE, "is_greater_than_or_equal_to", [-10], False),
        (5, "is_between", [5, 10], True),
        (10, "is_between", [5, 10], True),
        (10.01, "is_between", [5, 10], False),
        (100, "is_between", [5, 1e300], True),
        (NO_VALUE, "is_between", [-10, 10], False),
        (0, "is_known", [], True),
        (NO_VALUE, "is_known", [], False),
        (0, "is_unknown", [], False),
        (NO_VALUE, "is_unknown", [], True),
    ],
)
def test_number(value: Any, operator: str, values: list[Any], met: bool) -> None:
    assert meets("number", "number", value, operator, values) is met


DATES = [
    ("2026-11-23", "is_equal_to", ["2026-11-23"], True),
    ("2026-11-23", "is_equal_to", ["2026-11-24"], False),
    (NO_VALUE, "is_equal_to", ["2026-11-23"], False),
    ("2026-11-23", "is_not_equal_to", ["2026-11-24"], True),
    ("2026-11-23", "is_not_equal_to", ["2026-11-23"], False),
    (NO_VALUE, "is_not_equal_to", ["2026-11-23"], False),
    ("2026-09-30", "is_less_than", ["2026-10-01"], True),
    ("2026-10-01", "is_less_than", ["2026-10-01"], False),
    ("0999-12-31", "is_less_than", ["1000-01-01"], True),
    (NO_VALUE, "is_less_than", ["2026-10-01"], False),
    ("2026-10-01", "is_less_than_or_equal_to", ["2026-10-01"], True),
    ("2026-10-02", "is_less_than_or_equal_to", ["2026-10-01"], False),
    ("2026-10-02", "is_greater_than", ["2026-10-01"], True),
    ("2026-10-01", "is_greater_than", ["2026-10-01"], False),
    ("9999-12-31", "is_greater_than", ["2026-10-01"], True),
    ("2026-10-01", "is_greater_than_or_equal_to", ["2026-10-01"], True),
    ("2026-09-30", "is_greater_than_or_equal_to", ["2026-10-01"], False),
    ("2026-10-01", "is_between", ["2026-10-01", "2026-10-31"], True),
    ("2026-10-31", "is_between", ["2026-10-01", "2026-10-31"], True),
    ("2026-11-01", "is_between", ["2026-10-01", "2026-10-31"], False),
    (NO_VALUE, "is_between", ["2026-10-01", "2026-10-31"], False),
    ("2026-10-01", "is_known", [], True),
    (NO_VALUE, "is_known", [], False),
    ("2026-10-01", "is_unknown", [], False),
    (NO_VALUE, "is_unknown", [], True),
]


@pytest.mark.parametrize(("value", "operator", "values", "met"), DATES)
@pytest.mark.parametrize("type_", ["date", "datetime"])
def test_dates(type_: str, value: Any, operator: str, values: list[Any], met: bool) -> None:
    assert meets(type_, "date", value, operator, values) is met


@pytest.mark.parametrize(
    ("value", "operator", "values", "met"),
    [
        ("2026-11-23T08:00:00+01:00", "is_equal_to", ["2026-11-23T07:00:00Z"], True),
        ("2026-11-23T08:00:00.001Z", "is_equal_to", ["2026-11-23T08:00:00Z"], False),
        ("2026-11-23T23:30:00-05:00", "is_greater_than", ["2026-11-24T04:00:00Z"], True),
        ("2026-11-23T23:59:59.999Z", "is_less_than", ["2026-11-24"], True),
        ("2026-11-24T00:00:00Z", "is_less_than", ["2026-11-24"], False),
        ("1969-12-31T23:59:59Z", "is_less_than", [0], True),
        ("1970-01-01T00:00:00Z", "is_equal_to", [0], True),
    ],
)
def test_instants_are_compared_whatever_their_time_zone(
    value: Any, operator: str, values: list[Any], met: bool
) -> None:
    assert meets("datetime", "date", value, operator, values) is met


@pytest.mark.parametrize(
    ("value", "operator", "days", "met"),
    [
        ("2026-03-02", "in_last_days", 1, True),
        ("2026-03-01", "in_last_days", 1, True),
        ("2026-02-28", "in_last_days", 1, False),
        ("2026-03-03", "in_last_days", 1, False),
        ("2026-03-02", "in_next_days", 30, True),
        ("2026-04-01", "in_next_days", 30, True),
        ("2026-04-02", "in_next_days", 30, False),
        ("2026-03-01", "in_next_days", 30, False),
        ("1926-03-27", "in_last_days", 36_500, True),
        (NO_VALUE, "in_last_days", 1, False),
        (NO_VALUE, "in_next_days", 1, False),
    ],
)
def test_days_around_today_are_days_of_the_sites_time_zone(
    monkeypatch: pytest.MonkeyPatch, value: Any, operator: str, days: int, met: bool
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2026, 3, 1, 11, 30, tzinfo=dt.UTC))
    with timezone.override("Pacific/Auckland"):  # where it is 2 March already
        assert meets("date", "date", value, operator, [days]) is met


@pytest.mark.parametrize(
    ("value", "operator", "days", "met"),
    [
        ("2026-03-01T11:30:00Z", "in_last_days", 1, True),
        ("2026-02-28T11:30:00Z", "in_last_days", 1, True),
        ("2026-02-28T11:29:59.999Z", "in_last_days", 1, False),
        ("2026-03-01T11:30:00.001Z", "in_last_days", 1, False),
        ("2026-03-01T11:30:00Z", "in_next_days", 1, True),
        ("2026-03-02T11:30:00Z", "in_next_days", 1, True),
        ("2026-03-02T11:30:00.001Z", "in_next_days", 1, False),
        ("2026-03-01T11:29:59Z", "in_next_days", 1, False),
        (NO_VALUE, "in_last_days", 1, False),
    ],
)
def test_days_around_now_are_times_24_hours_for_a_date_and_time(
    monkeypatch: pytest.MonkeyPatch, value: Any, operator: str, days: int, met: bool
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2026, 3, 1, 11, 30, tzinfo=dt.UTC))
    assert meets("datetime", "date", value, operator, [days]) is met
