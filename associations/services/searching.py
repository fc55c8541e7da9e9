"""Search records as HubSpot's search API does: groups of filters joined by OR, filters in a group by AND.

Each filter compiles to one condition, so that a search is one query for the count and one for the page. Text is
compared in any letter case. "Not" holds only for a record that has a value. Called by the API; reads only.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Expression, F, FloatField, OrderBy, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Collate, Lower
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IContains,
    In,
    IRegex,
    LessThan,
    LessThanOrEqual,
)

from associations import sql
from associations.errors import Refused
from associations.models import AssociationEnd, ObjectType, Property, Record, UniqueValue
from associations.property_values import read_value
from associations.querysets import live_records
from associations.system_properties import COLUMNS, ID, as_property

from .derived import unique_key

ASSOCIATIONS = "associations."
MILLISECOND = dt.timedelta(milliseconds=1)
# What a query looks at, where a type does not say it itself.
SEARCHED = {
    "contact": ("email", "firstname", "lastname", "phone", "mobilephone", "company"),
    "company": ("name", "domain", "phone", "website"),
    "deal": ("dealname", "description", "dealstage", "pipeline"),
    "ticket": ("subject", "content", "hs_pipeline_stage", "hs_ticket_category"),
}


@dataclass(frozen=True)
class Filter:
    """One condition on a property, also a system one, or (associations.company) on whom a record is associated with."""

    property: str
    operator: str
    value: object = None
    high_value: object = None
    values: Sequence[object] = ()


@dataclass(frozen=True)
class Sort:
    property: str
    descending: bool = False


class Search:
    """A search in records of one type. Raises Refused for a filter or sort that cannot be."""

    def __init__(
        self,
        object_type: ObjectType,
        groups: Sequence[Sequence[Filter]] = (),
        *,
        query: str = "",
        sorts: Sequence[Sort] = (),
        others: Mapping[str, ObjectType] | None = None,
    ) -> None:
        self.object_type, self.others = object_type, others or {}
        self.properties = {prop.name: prop for prop in object_type.properties.all()}
        self.properties |= {name: as_property(object_type, name) for name in COLUMNS}
        self.records = live_records(object_type)
        self.is_filtered = bool(groups or query.strip())
        if groups:
            self.records = self.records.filter(reduce(or_, (self._group(group) for group in groups)))
        for word in query.split():
            self.records = self.records.filter(self._word(word))
        self.order = [self._order(sort) for sort in sorts]

    def page(self, first: int, size: int) -> tuple[int, list[Record]]:
        """How many there are in all, and some of them."""
        # Where there are filters the order is one that no index has: PostgreSQL would read all records in that order,
        # in the hope of finding enough soon.
        last: Any = F("pk") + 0 if self.is_filtered else F("pk")
        found: QuerySet[Record] = self.records.order_by(*self.order, last)
        return self.records.count(), list(found[first : first + size])

    def _group(self, filters: Sequence[Filter]) -> Q:
        return reduce(and_, (self._condition(each) for each in filters), Q())

    def _condition(self, each: Filter) -> Q:
        if each.property.startswith(ASSOCIATIONS):
            return self._associated(each)
        prop = self._property(each.property)
        if each.operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
            known = _known(prop)
            return known if each.operator == "HAS_PROPERTY" else ~known
        if each.operator in _DENIED:
            return _known(prop) & ~Q(self._test(prop, _DENIED[each.operator], each))
        return Q(self._test(prop, each.operator, each))

    def _property(self, name: str) -> Property:
        if name not in self.properties:
            raise Refused(f'Property "{name[:100]}" does not exist.')
        return self.properties[name]

    def _test(self, prop: Property, operator: str, each: Filter) -> Q:
        given = self._given(operator, each)
        if operator == "CONTAINS_TOKEN":
            return _has_tokens(prop, str(given[0]))
        if prop.name in COLUMNS:
            return _column_test(prop, operator, given)
        return _value_test(prop, operator, given)

    def _given(self, operator: str, each: Filter) -> list[object]:
        """The value, the values, or both ends: as many as the operator takes."""
        match operator:
            case "IN":
                given = list(each.values)
            case "BETWEEN":
                given = [each.value, each.high_value]
            case _:
                given = [each.value]
        if not given or any(value is None or value == "" for value in given):
            takes = {"IN": "values", "BETWEEN": "value and highValue"}.get(operator, "value")
            raise Refused(f"The filter {each.operator} on {each.property} needs {takes}.")
        return given

    def _associated(self, each: Filter) -> Q:
        other = self.others[each.property]
        ends = AssociationEnd.objects.filter(other__object_type=other, other__archived_at=None)
        if each.operator not in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
            operator = _DENIED.get(each.operator, each.operator)
            if operator not in ("EQ", "IN"):
                raise Refused(f"{each.property} can be EQ, IN, NEQ, NOT_IN or known, not {each.operator}.")
            ids = [_whole(value, each.property) for value in self._given(operator, each)]
            ends = ends.filter(other__in=sql.these(ids))
        records = ends.values("record_id")
        if each.operator in ("EQ", "IN"):
            return Q(sql.InArray(F("pk"), records))
        return Q(pk__in=records) if each.operator == "HAS_PROPERTY" else ~Q(pk__in=records)

    def _word(self, word: str) -> Q:
        """A word of the query: in one of the properties that are searched."""
        names = self.object_type.searchable_properties or SEARCHED.get(
            self.object_type.name, (self.object_type.primary_property,)
        )
        return reduce(or_, (Q(IContains(_text(name), Value(word))) for name in names))

    def _order(self, sort: Sort) -> OrderBy:
        prop = self._property(sort.property)
        if prop.name in COLUMNS:
            by: Any = F(COLUMNS[prop.name])
        elif prop.type == Property.Type.NUMBER:
            by = _number(prop.name)
        else:
            by = Lower(_text(prop.name))
        return OrderBy(by, descending=sort.descending, nulls_last=True)


_DENIED = {"NEQ": "EQ", "NOT_IN": "IN", "NOT_CONTAINS_TOKEN": "CONTAINS_TOKEN"}
_RANGES = {"LT": LessThan, "LTE": LessThanOrEqual, "GT": GreaterThan, "GTE": GreaterThanOrEqual}


def _text(name: str) -> Expression:
    return Cast(KeyTextTransform(name, "properties"), TextField())


def _number(name: str) -> Expression:
    return Cast(KeyTextTransform(name, "properties"), FloatField())


def _known(prop: Property) -> Q:
    return Q() if prop.name in COLUMNS else Q(properties__has_key=prop.name)


# A property ---------------------------------------------------------------------------------------


def _value_test(prop: Property, operator: str, given: Sequence[object]) -> Q:
    values = [_read(prop, value) for value in given]
    if operator in ("EQ", "IN"):
        return _equal(prop, values)
    own: Expression = _text(prop.name)
    if prop.type == Property.Type.NUMBER:
        own, values = _number(prop.name), [float(value) for value in values]
    elif prop.type in (Property.Type.STRING, Property.Type.ENUMERATION):
        own = Collate(Lower(own), sql.by_code())
        values = [str(value).lower() for value in values]
    if operator == "BETWEEN":
        return Q(GreaterThanOrEqual(own, Value(values[0]))) & Q(LessThanOrEqual(own, Value(values[1])))
    return Q(_RANGES[operator](own, Value(values[0])))


def _equal(prop: Property, values: list[Any]) -> Q:
    if prop.has_unique_value:
        keys = [key for value in values if (key := unique_key(value))]
        return Q(pk__in=UniqueValue.objects.filter(property=prop, key__in=keys).values("record_id"))
    if prop.field_type == Property.FieldType.CHECKBOX:
        return reduce(or_, (_checked(prop, str(value)) for value in values))
    if (folded := sql.holds_folded(prop.name, values)) is not None:
        return Q(folded)
    if prop.type == Property.Type.NUMBER:
        return Q(In(_number(prop.name), [float(value) for value in values]))
    words = [str(value).lower() for value in values]
    return Q(In(Lower(_text(prop.name)), words)) if len(words) > 1 else Q(Exact(Lower(_text(prop.name)), words[0]))


def _checked(prop: Property, options: str) -> Q:
    """Whether all these options are among those of a record, in any letter case."""
    patterns = [rf"(^|;){re.escape(option.strip())}(;|$)" for option in options.split(";") if option.strip()]
    return reduce(and_, (Q(IRegex(_text(prop.name), Value(pattern))) for pattern in patterns), Q())


def _has_tokens(prop: Property, text: str) -> Q:
    """Whether each word of the text is a word of the value; * stands for any characters within one."""
    if prop.name in COLUMNS:
        raise Refused(f"{prop.name} has no words to search for.")
    met = Q()
    for word in text.split():
        if not word.strip("*"):
            met &= _known(prop)
            continue
        pattern = re.escape(word).replace(r"\*", r"\S*")
        met &= Q(IRegex(_text(prop.name), Value(rf"(^|\W){pattern}($|\W)")))
    return met


def _read(prop: Property, raw: object) -> Any:
    """A filter's value as one of the property. Text that no option has is searched for all the same, and not found."""
    if prop.type in (Property.Type.STRING, Property.Type.ENUMERATION):
        return str(raw).lower() if isinstance(raw, bool) else str(raw).strip()
    if prop.type in (Property.Type.DATE, Property.Type.DATETIME) and str(raw).lstrip("-").isdecimal():
        raw = _moment_of(str(raw), prop.name)  # milliseconds since 1970
    try:
        value = read_value(prop, raw)
    except ValueError as error:
        raise Refused(f"The value of the filter on {prop.name} {error}.") from None
    if value is None:
        raise Refused(f"The filter on {prop.name} needs a value.")
    return value


def _moment_of(milliseconds: str, name: str) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(int(milliseconds) / 1000, dt.UTC)
    except (OverflowError, OSError, ValueError):
        raise Refused(f"The value of the filter on {name} is out of the range of dates: {milliseconds[:40]}.") from None


# A system property --------------------------------------------------------------------------------


def _column_test(prop: Property, operator: str, given: Sequence[object]) -> Q:
    column = COLUMNS[prop.name]
    if column == ID:
        ids = [_whole(value, prop.name) for value in given]
        if operator in ("EQ", "IN"):
            return Q(pk__in=sql.these(ids))
        if operator == "BETWEEN":
            return Q(pk__gte=ids[0], pk__lte=ids[1])
        return Q(**{f"pk__{operator.lower()}": ids[0]})
    moments = [dt.datetime.fromisoformat(str(_read(prop, value))) for value in given]
    # What clients see of a moment are milliseconds: it is equal to one if it lies within it.
    if operator in ("EQ", "IN"):
        spans = (Q(**{f"{column}__gte": each, f"{column}__lt": each + MILLISECOND}) for each in moments)
        return reduce(or_, spans)
    tests = {
        "LT": Q(**{f"{column}__lt": moments[0]}),
        "LTE": Q(**{f"{column}__lt": moments[0] + MILLISECOND}),
        "GT": Q(**{f"{column}__gte": moments[0] + MILLISECOND}),
        "GTE": Q(**{f"{column}__gte": moments[0]}),
        "BETWEEN": Q(**{f"{column}__gte": moments[0], f"{column}__lt": moments[-1] + MILLISECOND}),
    }
    return tests[operator]


def _whole(raw: object, name: str) -> int:
    text = str(raw).strip()
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Refused(f"The value of the filter on {name} should be a record id, not {text[:40]!r}.")
    return int(text)
