"""Every operator of text, enumerations, and yes or no, as a table of cases; numbers and dates stand beside."""

from __future__ import annotations

from typing import Any

import pytest

from associations.models import Property
from tests.workflows.making import meets
from workflows.operators import OPERATORS

pytestmark = pytest.mark.django_db
NO_VALUE = None
HARD = "50% of O'Hara's \"a.b\" \\ _x_ [1] $.y ;"


@pytest.mark.parametrize(
    ("value", "operator", "values", "met"),
    [
        ("Boston", "is_any_of", ["Boston"], True),
        ("Boston", "is_any_of", ["Oslo", "Boston"], True),
        ("Boston", "is_any_of", ["boston", "Bosto", "Boston ."], False),
        (HARD, "is_any_of", ["x", HARD], True),
        ("Zürich", "is_any_of", ["Zürich"], True),
        ("Zu\u0308rich", "is_any_of", ["Zürich"], False),
        ("😀", "is_any_of", ["😀"], True),
        (NO_VALUE, "is_any_of", ["Boston"], False),
        ("Boston", "is_none_of", ["Oslo", "Rome"], True),
        ("Boston", "is_none_of", ["Oslo", "Boston"], False),
        (NO_VALUE, "is_none_of", ["Oslo"], False),
        ("Boston", "is_equal_to", ["Boston"], True),
        ("Boston", "is_equal_to", ["boston"], False),
        (HARD, "is_equal_to", [HARD], True),
        ("10", "is_equal_to", [10], True),
        ("10.0", "is_equal_to", ["10"], False),
        ("true", "is_equal_to", ["true"], True),
        ("null", "is_equal_to", ["null"], True),
        (NO_VALUE, "is_equal_to", ["null"], False),
        ("Boston", "is_not_equal_to", ["Oslo"], True),
        ("Boston", "is_not_equal_to", ["Boston"], False),
        (NO_VALUE, "is_not_equal_to", ["Boston"], False),
        ("New York", "contains", ["w Y"], True),
        ("New York", "contains", ["New York"], True),
        ("New York", "contains", ["york"], False),
        ("New York", "contains", [" "], True),
        ("100%", "contains", ["%"], True),
        ("100", "contains", ["%"], False),
        ("abc", "contains", ["a_c"], False),
        ("a\\b", "contains", ["\\"], True),
        (HARD, "contains", ['\'s "a.b" \\ _x'], True),
        ("naïve 😀 text", "contains", ["😀 t"], True),
        (NO_VALUE, "contains", ["x"], False),
        ("New York", "does_not_contain", ["york"], True),
        ("New York", "does_not_contain", ["York"], False),
        (NO_VALUE, "does_not_contain", ["York"], False),
        ("New York", "starts_with", ["New"], True),
        ("New York", "starts_with", ["new"], False),
        ("New York", "starts_with", ["York"], False),
        ("New York", "starts_with", ["New York"], True),
        ("New", "starts_with", ["New York"], False),
        ("%x", "starts_with", ["%"], True),
        ("😀😀x", "starts_with", ["😀😀"], True),
        (NO_VALUE, "starts_with", ["x"], False),
        ("New York", "ends_with", ["York"], True),
        ("New York", "ends_with", ["New"], False),
        ("York", "ends_with", ["New York"], False),
        ("x😀", "ends_with", ["😀"], True),
        ("x%", "ends_with", ["%"], True),
        (NO_VALUE, "ends_with", ["x"], False),
        ("x", "is_known", [], True),
        (NO_VALUE, "is_known", [], False),
        ("x", "is_unknown", [], False),
        (NO_VALUE, "is_unknown", [], True),
    ],
)
@pytest.mark.parametrize("field_type", ["text", "textarea"])
def test_text(field_type: str, value: Any, operator: str, values: list[Any], met: bool) -> None:
    assert meets("string", field_type, value, operator, values) is met


@pytest.mark.parametrize(
    ("value", "operator", "values", "met"),
    [
        ("a", "is_any_of", ["a", "b"], True),
        ("c", "is_any_of", ["a", "b"], False),
        (NO_VALUE, "is_any_of", ["a"], False),
        ("c", "is_none_of", ["a", "b"], True),
        ("b", "is_none_of", ["a", "b"], False),
        (NO_VALUE, "is_none_of", ["a"], False),
        ("a", "is_equal_to", ["a"], True),
        ("a", "is_equal_to", ["b"], False),
        ("a", "is_not_equal_to", ["b"], True),
        ("a", "is_not_equal_to", ["a"], False),
        (NO_VALUE, "is_not_equal_to", ["a"], False),
        ("a", "is_known", [], True),
        (NO_VALUE, "is_known", [], False),
        ("a", "is_unknown", [], False),
        (NO_VALUE, "is_unknown", [], True),
    ],
)
@pytest.mark.parametrize("field_type", ["select", "radio", "checkbox"])
def test_enumeration(field_type: str, value: Any, operator: str, values: list[Any], met: bool) -> None:
    assert meets("enumeration", field_type, value, operator, values) is met


@pytest.mark.parametrize(
    ("value", "operator", "values", "met"),
    [
        ("a;c", "is_any_of", ["c"], True),
        ("a;c", "is_any_of", ["b"], False),
        ("a;c", "is_any_of", ["b", "a"], True),
        ("a;c", "is_none_of", ["b"], True),
        ("a;c", "is_none_of", ["b", "c"], False),
        ("a;c", "is_equal_to", ["a"], True),
        ("a;c", "is_not_equal_to", ["a"], False),
        ("a;c", "is_not_equal_to", ["b"], True),
        # A value of several options asks for all of them, whatever stands between them.
        ("a;b;c", "is_equal_to", ["a;c"], True),
        ("a;b", "is_equal_to", ["a;c"], False),
        ("a;b;c", "is_any_of", ["a;c"], True),
        ("a;b", "is_none_of", ["a;c"], True),
    ],
)
def test_several_checked_options_hold_each_of_them(value: Any, operator: str, values: list[Any], met: bool) -> None:
    assert meets("enumeration", "checkbox", value, operator, values) is met


@pytest.mark.parametrize(
    ("value", "operator", "values", "met"),
    [
        (True, "is_equal_to", [True], True),
        (True, "is_equal_to", ["yes"], True),
        (False, "is_equal_to", [True], False),
        (False, "is_equal_to", ["false"], True),
        (NO_VALUE, "is_equal_to", [False], False),
        (True, "is_not_equal_to", [False], True),
        (True, "is_not_equal_to", [True], False),
        (NO_VALUE, "is_not_equal_to", [True], False),
        (False, "is_known", [], True),
        (NO_VALUE, "is_known", [], False),
        (False, "is_unknown", [], False),
        (NO_VALUE, "is_unknown", [], True),
    ],
)
def test_yes_or_no(value: Any, operator: str, values: list[Any], met: bool) -> None:
    assert meets("bool", "booleancheckbox", value, operator, values) is met


@pytest.mark.parametrize("operator", ["is_not_equal_to", "is_none_of", "does_not_contain"])
def test_a_denial_holds_for_no_value_only_if_it_says_so(operator: str) -> None:
    assert meets("string", "text", NO_VALUE, operator, ["x"], or_no_value=True)


@pytest.mark.parametrize("operator", ["is_not_equal_to", "is_none_of", "does_not_contain"])
def test_a_denial_does_not_hold_for_what_it_denies_even_with_or_no_value(operator: str) -> None:
    assert not meets("string", "text", "x", operator, ["x"], or_no_value=True)


@pytest.mark.parametrize("operator", ["is_equal_to", "is_any_of", "contains", "starts_with", "is_known"])
def test_or_no_value_says_nothing_where_nothing_is_denied(operator: str) -> None:
    assert not meets("string", "text", NO_VALUE, operator, ["x"], or_no_value=True)


def test_there_are_these_operators_and_no_others() -> None:
    ordered = {"is_equal_to", "is_not_equal_to", "is_less_than", "is_less_than_or_equal_to"}
    ordered |= {"is_greater_than", "is_greater_than_or_equal_to", "is_between"}
    either = {"is_known", "is_unknown"}
    equal = {"is_equal_to", "is_not_equal_to"}
    any_of = {"is_any_of", "is_none_of"}
    parts = {"contains", "does_not_contain", "starts_with", "ends_with"}
    days = {"in_last_days", "in_next_days"}
    assert {type_: set(operators) for type_, operators in OPERATORS.items()} == {
        Property.Type.STRING: any_of | equal | parts | either,
        Property.Type.NUMBER: ordered | either,
        Property.Type.DATE: ordered | days | either,
        Property.Type.DATETIME: ordered | days | either,
        Property.Type.ENUMERATION: any_of | equal | either,
        Property.Type.BOOL: equal | either,
    }
