"""Criteria evaluated the obvious slow way, in plain Python over dicts: what the compiled condition must agree with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from associations.models import Property
from associations.property_values import Value, read_value
from associations.types import DirectedType

Raw = Mapping[str, Any]


@dataclass
class Plain:
    """A record. `ends`: (type id, record id) of all it is associated with, under each type."""

    properties: Mapping[str, Property]
    values: dict[str, Value]
    is_archived: bool = False
    ends: set[tuple[int, int]] = field(default_factory=set)


class World(dict[int, Plain]):
    """Records by id, and what can happen to them."""

    def put(self, record: int, other: int, directed: DirectedType) -> None:
        self[record].ends.add((directed.type_id, other))
        self[other].ends.add((directed.reverse.type_id, record))

    def take(self, record: int, other: int, directed: DirectedType) -> None:
        self[record].ends.discard((directed.type_id, other))
        self[other].ends.discard((directed.reverse.type_id, record))

    def part(self, record: int, other: int) -> None:
        """Nothing is left between two records."""
        for one, two in ((record, other), (other, record)):
            self[one].ends = {end for end in self[one].ends if end[1] != two}

    def merge(self, survivor: int, merged: int) -> None:
        """The survivor gets the other one's values where it has none, and its associations."""
        kept, gone = self[survivor], self[merged]
        kept.values = {**gone.values, **kept.values}
        for plain in self.values():
            plain.ends = {(type_id, survivor if other == merged else other) for type_id, other in plain.ends}
        kept.ends = {end for end in kept.ends | gone.ends if end[1] != survivor}
        gone.ends = set()
        gone.is_archived = True


def meeting(groups: Sequence[Sequence[Raw]], world: World, ids: set[int], instant: dt.datetime) -> set[int]:
    """Of some records those that meet the criteria: groups by OR, filters by AND."""
    return {id_ for id_ in ids if any(all(_meets(raw, world, id_, instant) for raw in group) for group in groups)}


def _meets(raw: Raw, world: World, record: int, instant: dt.datetime) -> bool:
    if raw["kind"] == "property":
        return _value_meets(raw, world[record], instant)
    others = [world[other] for type_id, other in world[record].ends if type_id == raw["type_id"]]
    live = [other for other in others if not other.is_archived]
    if raw["kind"] == "association":
        return bool(live) is raw["has"]
    return any(_value_meets(raw, other, instant) for other in live)


def _value_meets(raw: Raw, record: Plain, instant: dt.datetime) -> bool:
    prop = record.properties[raw["property"]]
    value, operator = record.values.get(prop.name), raw["operator"]
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
