"""Criteria evaluated the obvious slow way, in plain Python over dicts: what the compiled condition must agree with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from associations.models import Property
from associations.property_values import Value, read_value

Raw = Mapping[str, Any]


@dataclass
class Plain:
    """A record: its values now and before its last change, and with whom it is associated under which type id."""

    properties: Mapping[str, Property]
    now: dict[str, Value] = field(default_factory=dict)
    before: dict[str, Value] = field(default_factory=dict)
    is_archived: bool = False
    ends: list[tuple[int, Plain]] = field(default_factory=list)

    def others(self, type_id: int) -> list[Plain]:
        return [other for id_, other in self.ends if id_ == type_id and not other.is_archived]


def meets(groups: Sequence[Sequence[Raw]], record: Plain, instant: dt.datetime, *, before: bool = False) -> bool:
    """Groups by OR, filters by AND. What is associated counts as it is now, whatever the record's values were."""
    return any(all(_meets(raw, record, instant, before) for raw in group) for group in groups)


def _meets(raw: Raw, record: Plain, instant: dt.datetime, before: bool) -> bool:
    if raw["kind"] == "association":
        return bool(record.others(raw["type_id"])) is raw["has"]
    if raw["kind"] == "associated_property":
        return any(_value_meets(raw, other.properties, other.now, instant) for other in record.others(raw["type_id"]))
    return _value_meets(raw, record.properties, record.before if before else record.now, instant)


def _value_meets(
    raw: Raw, properties: Mapping[str, Property], values: Mapping[str, Value], instant: dt.datetime
) -> bool:
    prop = properties[raw["property"]]
    value, operator = values.get(prop.name), raw["operator"]
    if operator in ("is_known", "is_unknown"):
        return (value is not None) is (operator == "is_known")
    denied = {"is_not_equal_to": "is_equal_to", "is_none_of": "is_any_of", "does_not_contain": "contains"}
    if value is None:
        return operator in denied and raw.get("or_no_value", False)
    if operator in denied:
        return not TESTS[denied[operator]](prop, value, raw["values"], instant)
    return TESTS[operator](prop, value, raw["values"], instant)


Test = Callable[[Property, Any, Sequence[Any], dt.datetime], bool]


def _typed(prop: Property, value: Any) -> Any:
    """As it can be ordered: numbers as floats, and everything else as it is kept."""
    kept = read_value(prop, value)
    return float(kept) if prop.type == Property.Type.NUMBER and kept is not None else kept


def _equal(prop: Property, value: Any, values: Sequence[Any], instant: dt.datetime) -> bool:
    if prop.field_type == Property.FieldType.CHECKBOX:
        return set(str(read_value(prop, values[0])).split(";")) <= set(value.split(";"))
    return bool(_typed(prop, value) == _typed(prop, values[0]))


def _any_of(prop: Property, value: Any, values: Sequence[Any], instant: dt.datetime) -> bool:
    return any(_equal(prop, value, [each], instant) for each in values)


def _within(prop: Property, value: Any, first: dt.datetime, last: dt.datetime) -> bool:
    if prop.type == Property.Type.DATE:
        return first.date() <= dt.date.fromisoformat(value) <= last.date()
    return first <= dt.datetime.fromisoformat(value) <= last


TESTS: dict[str, Test] = {
    "is_equal_to": _equal,
    "is_any_of": _any_of,
    "contains": lambda prop, value, values, instant: values[0] in value,
    "starts_with": lambda prop, value, values, instant: value.startswith(values[0]),
    "ends_with": lambda prop, value, values, instant: value.endswith(values[0]),
    "is_less_than": lambda prop, value, values, instant: _typed(prop, value) < _typed(prop, values[0]),
    "is_less_than_or_equal_to": lambda prop, value, values, instant: _typed(prop, value) <= _typed(prop, values[0]),
    "is_greater_than": lambda prop, value, values, instant: _typed(prop, value) > _typed(prop, values[0]),
    "is_greater_than_or_equal_to": lambda prop, value, values, instant: _typed(prop, value) >= _typed(prop, values[0]),
    "is_between": lambda prop, value, values, instant: (
        _typed(prop, values[0]) <= _typed(prop, value) <= _typed(prop, values[1])
    ),
    "in_last_days": lambda prop, value, values, instant: _within(
        prop, value, instant - dt.timedelta(days=values[0]), instant
    ),
    "in_next_days": lambda prop, value, values, instant: _within(
        prop, value, instant, instant + dt.timedelta(days=values[0])
    ),
}
