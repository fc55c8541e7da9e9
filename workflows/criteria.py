"""Which records: the filter tree of triggers, typed, validated, and compiled to one condition.

Criteria are groups joined by OR, of filters joined by AND. A filter is JSON, by kind:

    {"kind": "property", "property": "city", "operator": "is_any_of", "values": ["Boston"]}
    {"kind": "associated_property", "type_id": 279, "property": …}   279 is any company; a label's id, those with it
    {"kind": "association", "type_id": 279, "has": true}

Called by services (enrollment), actions (conditions) and the forms of admin and API. Reads no records itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q

from associations.models import AssociationEnd, AssociationType, ObjectType, Property
from associations.property_values import read_part, read_value
from associations.querysets import Surroundings
from associations.types import DirectedType

from . import before
from .operators import ANY_OF, IS_EQUAL_TO, KNOWN_OR_NOT, MOVING, OPERATORS, PARTS, property_q

MAX_FILTERS = 250
_TEST = {"kind", "property", "operator", "values", "value", "or_no_value"}
_FIELDS = {"property": _TEST, "associated_property": {*_TEST, "type_id"}, "association": {"kind", "type_id", "has"}}


# Filters ----------------------------------------------------------------------------------------


class Filter(Protocol):
    @property
    def properties(self) -> tuple[Property, ...]: ...
    @property
    def directed_types(self) -> tuple[DirectedType, ...]: ...

    def q(self, record: str = "pk", column: str = "properties") -> Q:
        """The condition on a row that names the record in `record` and holds its properties in `column`."""

    def before_q(self) -> Q:
        """The condition on a record as it was before the claimed change sets (see before.py)."""


@dataclass(frozen=True)
class PropertyFilter:
    prop: Property
    operator: str
    values: tuple[Any, ...] = ()
    or_no_value: bool = False
    directed_types: tuple[DirectedType, ...] = ()

    @property
    def properties(self) -> tuple[Property, ...]:
        return (self.prop,)

    def q(self, record: str = "pk", column: str = "properties") -> Q:
        return self.test(column)

    def before_q(self) -> Q:
        return before.properties_q(self.test)

    def test(self, column: str) -> Q:
        return property_q(self.prop, self.operator, self.values, or_no_value=self.or_no_value, column=column)


@dataclass(frozen=True)
class AssociatedPropertyFilter:
    """Some record associated under the type meets the filter."""

    directed: DirectedType
    filter: PropertyFilter

    @property
    def properties(self) -> tuple[Property, ...]:
        return self.filter.properties

    @property
    def directed_types(self) -> tuple[DirectedType, ...]:
        return (self.directed,)

    def q(self, record: str = "pk", column: str = "properties") -> Q:
        return Q(Exists(_ends(self.directed, record).filter(self.filter.test("other__properties"))))

    def before_q(self) -> Q:
        return before.association_q(self.directed, test=self.filter.test)


@dataclass(frozen=True)
class AssociationFilter:
    """The record has (or lacks) an association under the type."""

    directed: DirectedType
    has: bool
    properties: tuple[Property, ...] = ()

    @property
    def directed_types(self) -> tuple[DirectedType, ...]:
        return (self.directed,)

    def q(self, record: str = "pk", column: str = "properties") -> Q:
        exists = Q(Exists(_ends(self.directed, record)))
        return exists if self.has else ~exists

    def before_q(self) -> Q:
        had = before.association_q(self.directed)
        return had if self.has else ~had


def _ends(directed: DirectedType, record: str) -> Any:
    return AssociationEnd.objects.filter(
        record_id=OuterRef(record), type_id=directed.type_id, other__archived_at__isnull=True
    )


@dataclass(frozen=True)
class Criteria:
    """Groups joined by OR, of filters joined by AND. Without any group nobody meets them; a group without
    filters is met by everybody."""

    groups: tuple[tuple[Filter, ...], ...] = ()

    def q(self, record: str = "pk", column: str = "properties") -> Q:
        return self._joined(lambda each: each.q(record, column))

    def before_q(self) -> Q:
        """The condition on a record as it was before the claimed change sets."""
        return self._joined(lambda each: each.before_q())

    def _joined(self, condition: Callable[[Filter], Q]) -> Q:
        if not self.groups:
            return Q(pk__in=[])
        if not all(self.groups):
            return Q()
        return reduce(or_, (reduce(and_, map(condition, group)) for group in self.groups))

    @property
    def filters(self) -> list[Filter]:
        return [each for group in self.groups for each in group]

    @property
    def moves(self) -> bool:
        """Whether what they mean depends on the day on which they are asked."""
        inner = [getattr(each, "filter", each) for each in self.filters]
        return any(isinstance(each, PropertyFilter) and each.operator in MOVING for each in inner)

    @property
    def association_type_ids(self) -> set[int]:
        """The association types that some filter asks about."""
        return {directed.type.pk for each in self.filters for directed in each.directed_types}


# Reading ----------------------------------------------------------------------------------------


def read_criteria(
    groups: Sequence[Sequence[Mapping[str, Any]]], object_type: ObjectType, around: Surroundings | None = None
) -> Criteria:
    """Criteria from their JSON. Raises ValidationError that names group and filter."""
    around = around or Surroundings(object_type)
    if not isinstance(groups, list | tuple) or not all(isinstance(group, list | tuple) for group in groups):
        raise ValidationError("Criteria are a list of groups, and a group is a list of filters.")
    if sum(len(group) for group in groups) > MAX_FILTERS:
        raise ValidationError(f"At most {MAX_FILTERS} filters are possible.")
    read = []
    for group_number, group in enumerate(groups, 1):
        filters = []
        for number, raw in enumerate(group, 1):
            try:
                filters.append(read_filter(raw, object_type, around))
            except ValidationError as error:
                reasons = " ".join(error.messages)
                raise ValidationError(f"Group {group_number}, filter {number}: {reasons}") from error
        read.append(tuple(filters))
    return Criteria(tuple(read))


def read_filter(raw: Mapping[str, Any], object_type: ObjectType, around: Surroundings | None = None) -> Filter:
    """One filter from its JSON. Raises ValidationError by field. Whoever reads several shares what is around."""
    around = around or Surroundings(object_type)
    if not isinstance(raw, Mapping):
        raise ValidationError("A filter is an object of names and values.")
    raw = {name: value for name, value in raw.items() if value is not None}
    kind = raw.get("kind", "property")
    known = _FIELDS.get(str(kind), set(raw))
    if unknown := {name: "This kind of filter has no such field." for name in raw if name not in known}:
        raise ValidationError(unknown)
    match kind:
        case "property":
            return _read_property_filter(raw, object_type, around)
        case "associated_property":
            directed = _read_type(raw, around)
            return AssociatedPropertyFilter(directed, _read_property_filter(raw, directed.other_type, around))
        case "association":
            return AssociationFilter(_read_type(raw, around), _read_bool(raw, "has", default=True))
        case "unsupported":  # of a flow of HubSpot's, see flows/
            raise ValidationError({"kind": str(raw.get("reason"))})
        case other:
            raise ValidationError({"kind": f"There is no kind of filter called {other!r}."})


def _read_bool(raw: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = raw.get(name, default)
    if not isinstance(value, bool):
        raise ValidationError({name: "Say true or false."})
    return value


def _read_type(raw: Mapping[str, Any], around: Surroundings) -> DirectedType:
    try:
        type_id = int(raw.get("type_id") or 0)
    except (ValueError, TypeError):
        type_id = 0
    for directed in around.types:
        if directed.type_id == type_id:
            return directed
    if AssociationType.objects.filter(Q(id=type_id) | Q(inverse_id=type_id)).exists():
        raise ValidationError({"type_id": f"A {around.object_type.label.lower()} has no associations of this type."})
    raise ValidationError({"type_id": "Choose which association."})


def _read_property_filter(raw: Mapping[str, Any], object_type: ObjectType, around: Surroundings) -> PropertyFilter:
    name = raw.get("property") or ""
    prop = next((each for each in around.properties(object_type) if each.name == name), None)
    if prop is None:
        raise ValidationError({"property": f"A {object_type.label.lower()} has no property {name!r}."})
    operator = raw.get("operator") or IS_EQUAL_TO
    if operator not in list(OPERATORS[prop.type]):
        known = ", ".join(OPERATORS[prop.type])
        raise ValidationError({"operator": f"{prop} cannot be tested by {operator!r}; possible are: {known}."})
    values = raw.get("values")
    if values is None:
        values = [raw["value"]] if raw.get("value") not in (None, "") else []
    or_no_value = _read_bool(raw, "or_no_value", default=False)
    return PropertyFilter(prop, operator, _read_values(prop, operator, values), or_no_value)


def _read_values(prop: Property, operator: str, values: Any) -> tuple[Any, ...]:
    if operator in KNOWN_OR_NOT:
        return ()
    if not isinstance(values, list | tuple) or not values:
        raise ValidationError({"values": f"{prop} {OPERATORS[prop.type][operator]}: say which value."})
    if operator == "is_between" and len(values) != 2:
        raise ValidationError({"values": "Between takes two values, the lower one first."})
    if operator not in ("is_between", *ANY_OF) and len(values) != 1:
        raise ValidationError({"values": f"{OPERATORS[prop.type][operator]} takes one value."})
    if operator in ("in_last_days", "in_next_days"):
        try:
            days = int(values[0])
        except (ValueError, TypeError, OverflowError):
            days = 0
        if not 1 <= days <= 36_500:
            raise ValidationError({"values": f"{values[0]!r:.60} is not a number of days from 1 to 36,500."})
        return (days,)
    typed: list[Any] = []
    for value in values:
        try:
            read = read_part(value) if operator in PARTS else read_value(prop, value)
        except ValueError as error:
            raise ValidationError({"values": f"{prop} {error}"}) from None
        if read in (None, ""):
            raise ValidationError({"values": "An empty value equals nothing; use is known or is unknown."})
        typed.append(read)
    if operator == "is_between" and typed[0] > typed[1]:  # of one type, for both were read as this property's
        raise ValidationError({"values": "Between takes two values, the lower one first."})
    return tuple(typed)
