"""How a property value is tested: the operators of each property type, each compiled to one condition.

Text is compared exactly as it is written, so that SQLite and PostgreSQL agree in every language.
Called by criteria and by the actions that have a condition.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Expression, FloatField, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Concat, Left, Length, Right, StrIndex
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, In, LessThan, LessThanOrEqual
from django.utils import timezone

from associations.models import Property
from associations.property_values import read_value

IS_EQUAL_TO, IS_NOT_EQUAL_TO = "is_equal_to", "is_not_equal_to"
IS_KNOWN, IS_UNKNOWN = "is_known", "is_unknown"
# What these mean depends on the day on which they are asked.
MOVING = ("in_last_days", "in_next_days")

KNOWN_OR_NOT = {IS_KNOWN: "is known", IS_UNKNOWN: "is unknown"}
ANY_OF = {"is_any_of": "is any of", "is_none_of": "is none of"}
_EQUAL = {IS_EQUAL_TO: "is equal to", IS_NOT_EQUAL_TO: "is not equal to"}
_ORDERED = {
    **_EQUAL,
    "is_less_than": "is less than",
    "is_less_than_or_equal_to": "is less than or equal to",
    "is_greater_than": "is greater than",
    "is_greater_than_or_equal_to": "is greater than or equal to",
    "is_between": "is between",
}
_TEXT = {
    **ANY_OF,
    **_EQUAL,
    "contains": "contains",
    "does_not_contain": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
}
_DATES = {**_ORDERED, "in_last_days": "is in the last … days", "in_next_days": "is in the next … days"}
# The operators of each property type, in the words people read.
OPERATORS: dict[str, dict[str, str]] = {
    Property.Type.STRING: {**_TEXT, **KNOWN_OR_NOT},
    Property.Type.NUMBER: {**_ORDERED, **KNOWN_OR_NOT},
    Property.Type.DATE: {**_DATES, **KNOWN_OR_NOT},
    Property.Type.DATETIME: {**_DATES, **KNOWN_OR_NOT},
    Property.Type.ENUMERATION: {**ANY_OF, **_EQUAL, **KNOWN_OR_NOT},
    Property.Type.BOOL: {**_EQUAL, **KNOWN_OR_NOT},
}
PARTS = ("contains", "does_not_contain", "starts_with", "ends_with")
# What an operator denies: it holds for a record with a value for which the other one does not.
_DENIED = {IS_NOT_EQUAL_TO: IS_EQUAL_TO, "is_none_of": "is_any_of", "does_not_contain": "contains"}


def value_words(prop: Property, value: Any) -> str:
    """A typed value as people read it in a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    labels = {option["value"]: option["label"] for option in prop.options}
    return ", ".join(labels.get(part, part) for part in str(value).split(";")) if labels else str(value)


# One property -----------------------------------------------------------------------------------


def property_q(
    prop: Property, operator: str, values: Sequence[Any], *, or_no_value: bool = False, column: str = "properties"
) -> Q:
    """The condition that a property of the record whose properties stand in `column` must meet.

    Values are typed (see read_value). No value meets only is_unknown, or a denial with `or_no_value`.
    """
    known = Q(**{f"{column}__has_key": prop.name})
    if operator == IS_KNOWN:
        return known
    if operator == IS_UNKNOWN:
        return ~known
    met = Q(_test(prop, _DENIED.get(operator, operator), list(values), column))
    if operator in _DENIED:
        met = known & ~met
        return met | ~known if or_no_value else met
    return known & met


# The tests that compare a value with the first given one.
_COMPARED: dict[str, Callable[[Expression, Value], Expression]] = {
    IS_EQUAL_TO: Exact,
    "is_less_than": LessThan,
    "is_less_than_or_equal_to": LessThanOrEqual,
    "is_greater_than": GreaterThan,
    "is_greater_than_or_equal_to": GreaterThanOrEqual,
    "contains": lambda own, part: GreaterThan(StrIndex(own, part), 0),
    "starts_with": lambda own, part: Exact(Left(own, Length(part)), part),
    "ends_with": lambda own, part: Exact(Right(own, Length(part)), part),
}


def _test(prop: Property, operator: str, values: list[Any], column: str) -> Expression | Q:
    text = Cast(KeyTextTransform(prop.name, column), TextField())
    own: Expression = text
    if prop.type == Property.Type.NUMBER:  # whole ones may be larger than any integer of a database
        own = Cast(KeyTextTransform(prop.name, column), FloatField())
        values = [float(value) for value in values]
    elif prop.type == Property.Type.BOOL:
        values = [str(value).lower() for value in values]
    elif prop.field_type == Property.FieldType.CHECKBOX:
        return _checked(text, values)
    if operator in MOVING:
        operator, values = "is_between", _days_around_now(prop, int(values[0]), operator)
    if operator == "is_any_of":
        return In(own, values)
    if operator == "is_between":
        return Q(GreaterThanOrEqual(own, Value(values[0]))) & Q(LessThanOrEqual(own, Value(values[1])))
    return _COMPARED[operator](own, Value(values[0]))


def _checked(text: Expression, values: list[str]) -> Q:
    """Whether checkboxes are checked. A value of several options asks for all of them, whatever stands between."""
    checked = Concat(Value(";"), text, Value(";"), output_field=TextField())

    def has(option: str) -> Q:
        return Q(GreaterThan(StrIndex(checked, Value(f";{option};")), 0))

    return reduce(or_, (reduce(and_, map(has, value.split(";"))) for value in values))


def _days_around_now(prop: Property, days: int, operator: str) -> list[str]:
    """From now back or ahead: whole days of the site's time zone for a date, times 24 hours for a date and time."""
    ahead = operator == "in_next_days"
    step = dt.timedelta(days=days if ahead else -days)
    if prop.type == Property.Type.DATE:
        today = timezone.localdate()
        ends = [today.isoformat(), (today + step).isoformat()]
    else:
        now = timezone.now()
        ends = [str(read_value(prop, now)), str(read_value(prop, now + step))]
    return sorted(ends)
