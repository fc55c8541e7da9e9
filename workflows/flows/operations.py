"""How a property is tested: HubSpot's operations as our operators, and ours as HubSpot's.

One operation may be several of our tests: it is read as alternatives, of which each is a list of tests that must all
be met. Called by branches and events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from associations.models import Property
from workflows.operators import KNOWN_OR_NOT

from . import dates
from .problems import CannotRun, a_flag, a_list, a_number, a_text, an_object, invalid

Test = dict[str, Any]  # operator, values, or_no_value
Type = Property.Type

_DENIALS = ("is_not_equal_to", "is_none_of", "does_not_contain")
_EQUAL = {"IS_EQUAL_TO": "is_equal_to", "IS_NOT_EQUAL_TO": "is_not_equal_to"}
_PARTS = {
    "CONTAINS": "contains",
    "DOES_NOT_CONTAIN": "does_not_contain",
    "STARTS_WITH": "starts_with",
    "ENDS_WITH": "ends_with",
}
_NUMBERS = {
    **_EQUAL,
    "IS_GREATER_THAN": "is_greater_than",
    "IS_GREATER_THAN_OR_EQUAL_TO": "is_greater_than_or_equal_to",
    "IS_LESS_THAN": "is_less_than",
    "IS_LESS_THAN_OR_EQUAL_TO": "is_less_than_or_equal_to",
}
_MOMENTS = {
    **_NUMBERS,
    "IS_BEFORE": "is_less_than",
    "IS_BEFORE_DATE": "is_less_than",
    "IS_AFTER": "is_greater_than",
    "IS_AFTER_DATE": "is_greater_than",
}
_KNOWN = {"IS_KNOWN": "is_known", "IS_NOT_BLANK": "is_known", "IS_UNKNOWN": "is_unknown", "IS_BLANK": "is_unknown"}
_SEVERAL = {"IS_EQUAL_TO": "is_any_of", "IS_NOT_EQUAL_TO": "is_none_of"}
_CHOICES = {"IS_ANY_OF": "is_any_of", "IS_NONE_OF": "is_none_of"}
_ALL_CHOICES = {"CONTAINS_ALL": "is_equal_to", "DOES_NOT_CONTAIN_ALL": "is_not_equal_to"}
_ROLLING = {"IS_LESS_THAN_X_DAYS_AGO": "in_last_days", "IS_LESS_THAN_X_DAYS_FROM_NOW": "in_next_days"}


# Reading ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Operation:
    """One operation as it was sent. `prop` is what is tested; None where there is no such property."""

    raw: Mapping[str, Any]
    operator: str
    place: str
    prop: Property | None

    @property
    def type(self) -> str:
        return self.prop.type if self.prop else Type.DATETIME

    def named(self, operators: Mapping[str, str]) -> str:
        if self.operator not in operators:
            raise CannotRun(f"the operator {self.operator:.40}")
        return operators[self.operator]

    def value(self) -> Any:
        return _scalar(self.raw.get("value"), f"{self.place}.value")

    def values(self) -> list[Any]:
        place = f"{self.place}.values"
        values = a_list(self.raw.get("values"), place)
        if not values:
            raise invalid(place, "should be a list of at least one value.")
        return [_scalar(value, f"{place}[{number}]") for number, value in enumerate(values)]

    def amount(self, name: str) -> Any:
        raw = self.raw.get(name)
        if isinstance(raw, bool) or not isinstance(raw, int | float | str) or raw == "":
            raise invalid(f"{self.place}.{name}", "should be a number.")
        return raw

    def moment(self, name: str) -> str:
        return dates.read_timestamp(self.raw.get(name), f"{self.place}.{name}", self.type)

    def point(self, name: str, *, end_of_day: bool) -> str:
        return dates.read_point(self.raw.get(name), f"{self.place}.{name}", self.type, end_of_day=end_of_day)


def read_operation(raw: Any, place: str, prop: Property | None) -> list[list[Test]]:
    """Alternatives of tests that must all be met. `prop` is what is tested, None where there is no such property.

    Raises InvalidFlow for what is no operation, CannotRun for one that is not ours."""
    operation = an_object(raw, place)
    type_ = a_text(operation.get("operationType"), f"{place}.operationType")
    operator = a_text(operation.get("operator"), f"{place}.operator")
    reader = _READERS.get(type_)
    if reader is None:
        raise CannotRun(f"the operation {type_:.40}")
    alternatives = reader(_Operation(operation, operator, place, prop))
    if not a_flag(operation.get("includeObjectsWithNoValueSet"), f"{place}.includeObjectsWithNoValueSet"):
        return alternatives
    tests = [test for tests in alternatives for test in tests]
    if any(test["operator"] in KNOWN_OR_NOT for test in tests):
        return alternatives
    if all(test["operator"] in _DENIALS for test in tests):
        return [[{**test, "or_no_value": True} for test in tests] for tests in alternatives]
    return [*alternatives, [_test("is_unknown")]]


def _test(operator: str, *values: Any) -> Test:
    return {"operator": operator, "values": list(values)} if values else {"operator": operator}


def _one(operator: str, *values: Any) -> list[list[Test]]:
    return [[_test(operator, *values)]]


def _scalar(raw: Any, place: str) -> Any:
    if raw is None or isinstance(raw, list | Mapping) or raw == "":
        raise invalid(place, "should be the value to compare with.")
    return raw


def _all_property(given: _Operation) -> list[list[Test]]:
    return _one(given.named(_KNOWN))


def _string(given: _Operation) -> list[list[Test]]:
    return _one(given.named({**_EQUAL, **_PARTS}), given.value())


def _multi_string(given: _Operation) -> list[list[Test]]:
    ours, values = given.named({**_PARTS, **_SEVERAL}), given.values()
    if given.operator in _SEVERAL:
        return _one(ours, *values)
    if ours in _DENIALS:
        return [[_test(ours, value) for value in values]]
    return [[_test(ours, value)] for value in values]


def _enumeration(given: _Operation) -> list[list[Test]]:
    several = given.prop is not None and given.prop.field_type == Property.FieldType.CHECKBOX
    exactly = {} if several else {"IS_EXACTLY": "is_any_of", "IS_NOT_EXACTLY": "is_none_of"}
    ours, values = given.named({**_CHOICES, **_ALL_CHOICES, **exactly}), given.values()
    if given.operator in exactly and len(values) > 1:
        raise CannotRun(f"the operator {given.operator} with several values")
    return _one(ours, ";".join(map(str, values))) if given.operator in _ALL_CHOICES else _one(ours, *values)


def _bool(given: _Operation) -> list[list[Test]]:
    return _one(given.named(_EQUAL), a_flag(given.value(), f"{given.place}.value"))


def _number(given: _Operation) -> list[list[Test]]:
    return _one(given.named(_NUMBERS), given.amount("value"))


def _ranged(given: _Operation, lower: Any, upper: Any) -> list[list[Test]]:
    if given.named({"IS_BETWEEN": "is_between", "IS_NOT_BETWEEN": ""}):
        return _one("is_between", lower, upper)
    return [[_test("is_less_than", lower)], [_test("is_greater_than", upper)]]


def _number_ranged(given: _Operation) -> list[list[Test]]:
    return _ranged(given, given.amount("lowerBound"), given.amount("upperBound"))


def _date(given: _Operation) -> list[list[Test]]:
    if given.prop is not None and given.prop.type != Type.DATE:
        raise CannotRun("a day compared with something that is no date")
    return _one(given.named(_MOMENTS), dates.read_day(given.raw, given.place))


def _date_time(given: _Operation) -> list[list[Test]]:
    return _one(given.named(_MOMENTS), given.moment("timestamp"))


def _ranged_date(given: _Operation) -> list[list[Test]]:
    return _ranged(given, given.moment("lowerBound"), given.moment("upperBound"))


def _rolling(given: _Operation) -> list[list[Test]]:
    return _one(given.named(_ROLLING), a_number(given.raw.get("numberOfDays"), f"{given.place}.numberOfDays"))


def _time_point(given: _Operation) -> list[list[Test]]:
    dates.check_parser(given.raw)
    ours = given.named({"IS_BEFORE": "is_less_than", "IS_AFTER": "is_greater_than"})
    inclusive = dates.endpoint(given.raw, "endpointBehavior", "EXCLUSIVE")
    # A day belongs to "before it" only where it says so: then up to its end; "after it" begins when it has ended.
    moment = given.point("timePoint", end_of_day=inclusive == (given.operator == "IS_BEFORE"))
    return _one(f"{ours}_or_equal_to" if inclusive else ours, moment)


def _time_ranged(given: _Operation) -> list[list[Test]]:
    dates.check_parser(given.raw)
    if around := dates.read_days_around_now(given.raw, given.place):
        given.named({"IS_BETWEEN": ""})
        return _one(*around)
    for side in ("lower", "upper"):
        if not dates.endpoint(given.raw, f"{side}BoundEndpointBehavior", "INCLUSIVE"):
            raise CannotRun("a range of time without its ends")
    lower = given.point("lowerBoundTimePoint", end_of_day=False)
    return _ranged(given, lower, given.point("upperBoundTimePoint", end_of_day=True))


_READERS: dict[str, Callable[[_Operation], list[list[Test]]]] = {
    "ALL_PROPERTY": _all_property,
    "STRING": _string,
    "MULTISTRING": _multi_string,
    "ENUMERATION": _enumeration,
    "BOOL": _bool,
    "NUMBER": _number,
    "NUMBER_RANGED": _number_ranged,
    "DATE": _date,
    "DATETIME": _date_time,
    "RANGED_DATE": _ranged_date,
    "ROLLING_DATE_RANGE": _rolling,
    "TIME_POINT": _time_point,
    "TIME_RANGED": _time_ranged,
}


# Writing ----------------------------------------------------------------------------------------

_OTHER_WAY = {ours: theirs for theirs, ours in {**_NUMBERS, **_PARTS, **_CHOICES}.items()}


def write_operation(prop: Property, operator: str, values: list[Any], *, or_no_value: bool = False) -> dict[str, Any]:
    """The operation of a test whose values are typed (see read_value)."""
    if operator in KNOWN_OR_NOT:
        written = {"operationType": "ALL_PROPERTY", "operator": operator.upper()}
    elif prop.type in (Type.DATE, Type.DATETIME):
        written = dates.write_moment(operator, values, prop.type)
    else:
        written = _WRITERS[prop.type](operator, values)
    return {**written, "includeObjectsWithNoValueSet": or_no_value and operator in _DENIALS}


def _write_string(operator: str, values: list[Any]) -> dict[str, Any]:
    if operator in _SEVERAL.values():
        theirs = next(name for name, ours in _SEVERAL.items() if ours == operator)
        return {"operationType": "MULTISTRING", "operator": theirs, "values": values}
    return {"operationType": "STRING", "operator": _OTHER_WAY[operator], "value": values[0]}


def _write_number(operator: str, values: list[Any]) -> dict[str, Any]:
    if operator == "is_between":
        bounds = dict(zip(("lowerBound", "upperBound"), values, strict=True))
        return {"operationType": "NUMBER_RANGED", "operator": "IS_BETWEEN", **bounds}
    return {"operationType": "NUMBER", "operator": _OTHER_WAY[operator], "value": values[0]}


def _write_enumeration(operator: str, values: list[Any]) -> dict[str, Any]:
    if operator in _ALL_CHOICES.values():
        theirs = next(name for name, ours in _ALL_CHOICES.items() if ours == operator)
        return {"operationType": "ENUMERATION", "operator": theirs, "values": str(values[0]).split(";")}
    return {"operationType": "ENUMERATION", "operator": _OTHER_WAY[operator], "values": values}


def _write_bool(operator: str, values: list[Any]) -> dict[str, Any]:
    return {"operationType": "BOOL", "operator": _OTHER_WAY[operator], "value": values[0]}


_WRITERS: dict[str, Callable[[str, list[Any]], dict[str, Any]]] = {
    Type.STRING: _write_string,
    Type.NUMBER: _write_number,
    Type.ENUMERATION: _write_enumeration,
    Type.BOOL: _write_bool,
}
