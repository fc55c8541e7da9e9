"""Why a group of filters can never be met: filters that rule each other out.

Pure functions over typed filters, asking no records. What they cannot see is no contradiction: None means "maybe".
Called by services.static_check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any

from associations.models import Property
from workflows.criteria import AssociatedPropertyFilter, AssociationFilter, Filter, PropertyFilter
from workflows.operators import IS_KNOWN, IS_UNKNOWN

_TESTS: dict[str, Callable[[Any, Sequence[Any]], bool]] = {
    IS_KNOWN: lambda value, _: True,
    "is_equal_to": lambda value, values: value == values[0],
    "is_not_equal_to": lambda value, values: value != values[0],
    "is_any_of": lambda value, values: value in values,
    "is_none_of": lambda value, values: value not in values,
    "contains": lambda value, values: values[0] in value,
    "does_not_contain": lambda value, values: values[0] not in value,
    "starts_with": lambda value, values: value.startswith(values[0]),
    "ends_with": lambda value, values: value.endswith(values[0]),
    "is_less_than": lambda value, values: value < values[0],
    "is_less_than_or_equal_to": lambda value, values: value <= values[0],
    "is_greater_than": lambda value, values: value > values[0],
    "is_greater_than_or_equal_to": lambda value, values: value >= values[0],
    "is_between": lambda value, values: values[0] <= value <= values[1],
}
_LOWER = {"is_greater_than": False, "is_greater_than_or_equal_to": True, "is_between": True}
_UPPER = {"is_less_than": False, "is_less_than_or_equal_to": True, "is_between": True}


def contradiction(group: Iterable[Filter]) -> str | None:
    """Why nobody can meet all filters of a group, in words that go on a sentence; None where somebody may."""
    filters = list(group)
    by_property: dict[Property, list[PropertyFilter]] = {}
    for each in filters:
        if isinstance(each, PropertyFilter):
            by_property.setdefault(each.prop, []).append(each)
    for prop, tests in by_property.items():
        if reason := _of_property(prop, tests):
            return reason
    # An associated record meets one filter each: another one may meet the next.
    for each in filters:
        if isinstance(each, AssociatedPropertyFilter) and (reason := _of_property(each.filter.prop, [each.filter])):
            return reason
    return _of_associations(filters)


def _of_associations(filters: list[Filter]) -> str | None:
    has = [each.directed for each in filters if isinstance(each, AssociatedPropertyFilter)]
    has += [each.directed for each in filters if isinstance(each, AssociationFilter) and each.has]
    lacks = [each.directed for each in filters if isinstance(each, AssociationFilter) and not each.has]
    for one in has:
        for other in lacks:
            # Whoever has a label has the association.
            if one == other or (other.type.is_unlabeled and other.other_type == one.other_type):
                return f"it asks for {_kind(one)} and for none of {_kind(other)}"
    return None


def _kind(directed: Any) -> str:
    what = f"an associated {directed.other_type.label.lower()}"
    return f"{what} labelled {directed}" if directed.label else what


def _of_property(prop: Property, tests: list[PropertyFilter]) -> str | None:
    unknown = [each for each in tests if each.operator == IS_UNKNOWN or each.or_no_value]
    if len(unknown) == len(tests):
        return None  # a record without a value meets them all
    if any(each.operator == IS_UNKNOWN for each in tests):
        return f"{prop} is unknown, but another filter asks for a value"
    if prop.field_type == Property.FieldType.CHECKBOX:
        return None  # several options at once
    if (candidates := _candidates(prop, tests)) is not None:
        plain = [each for each in tests if each.operator in _TESTS]
        if not any(all(_TESTS[each.operator](value, each.values) for each in plain) for value in candidates):
            return f"no value of {prop} passes all its filters"
        return None
    return _of_range(prop, tests) or _of_text(prop, tests)


def _candidates(prop: Property, tests: list[PropertyFilter]) -> list[Any] | None:
    """The values that alone come into question; None where there is no end of them."""
    for each in tests:
        if each.operator in ("is_equal_to", "is_any_of"):
            return list(each.values)
    if prop.type == Property.Type.BOOL:
        return [True, False]
    return prop.option_values if prop.type == Property.Type.ENUMERATION else None


def _of_range(prop: Property, tests: list[PropertyFilter]) -> str | None:
    lower = [(each.values[0], _LOWER[each.operator]) for each in tests if each.operator in _LOWER]
    upper = [(each.values[-1], _UPPER[each.operator]) for each in tests if each.operator in _UPPER]
    for least, with_least in lower:
        for most, with_most in upper:
            if least > most or (least == most and not (with_least and with_most)):
                return f"{prop} would have to be above {least} and below {most}"
    return None


def _of_text(prop: Property, tests: list[PropertyFilter]) -> str | None:
    for one, other in combinations([each for each in tests if each.operator in ("starts_with", "ends_with")], 2):
        if one.operator == other.operator:
            short, long = sorted((one.values[0], other.values[0]), key=len)
            if not _TESTS[one.operator](long, [short]):
                return (
                    f"{prop} cannot both {'start' if one.operator == 'starts_with' else 'end'} with {short} and {long}"
                )
    for one in tests:
        for other in tests:
            if (
                other.operator == "does_not_contain"
                and one.operator in ("contains", "starts_with", "ends_with")
                and other.values[0] in one.values[0]
            ):
                return f"{prop} would have to have {one.values[0]} and not {other.values[0]}"
    return None
