"""Moments in HubSpot's filters: points and ranges of time, absolute or counted from today.

A date property's value is a day; what HubSpot says of a moment is read as the day it names. A point without a time of
day means the whole day. Called by operations only.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from associations.models import Property

from .problems import CannotRun, a_number, a_text, an_object, invalid

MONTHS = [name.upper() for name in calendar.month_name]
_TIMES = ("hour", "minute", "second", "millisecond")
_MILLISECOND = dt.timedelta(milliseconds=1)
_DAY = dt.timedelta(days=1)
_FROM_NOW = ("TODAY", "NOW")


def month_of(raw: Any, place: str) -> int:
    if isinstance(raw, str) and raw.upper() in MONTHS[1:]:
        return MONTHS.index(raw.upper())
    return a_number(raw, place)


def read_day(raw: Mapping[str, Any], place: str) -> str:
    year, month = a_number(raw.get("year"), f"{place}.year"), month_of(raw.get("month"), f"{place}.month")
    try:
        return dt.date(year, month, a_number(raw.get("day"), f"{place}.day")).isoformat()
    except (ValueError, OverflowError):
        raise invalid(place, "there is no such day.") from None


def write_day(value: str) -> dict[str, Any]:
    day = dt.date.fromisoformat(value)
    return {"year": day.year, "month": MONTHS[day.month], "day": day.day}


def read_timestamp(raw: Any, place: str, type_: str) -> str:
    """A moment from milliseconds since 1970, as the property type keeps it."""
    try:
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=a_number(raw, place))
    except OverflowError:
        raise invalid(place, "is out of the range of dates.") from None
    return moment.date().isoformat() if type_ == Property.Type.DATE else _iso(moment)


def write_timestamp(value: str) -> int:
    moment = dt.datetime.fromisoformat(value)
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // _MILLISECOND


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


# Points -----------------------------------------------------------------------------------------


def read_point(raw: Any, place: str, type_: str, *, end_of_day: bool) -> str:
    """An absolute point of time, as the property type keeps it; one without a time of day is the day's begin or end."""
    point = an_object(raw, place)
    if point.get("timeType") != "DATE":
        raise CannotRun(f"a date compared with {point.get('timeType') or 'something else'!s:.40}")
    day = read_day(point, place)
    if type_ == Property.Type.DATE:
        return day
    zone = str(point.get("zoneId") or "UTC")
    if zone not in available_timezones():
        raise invalid(f"{place}.zoneId", f"there is no time zone {zone!r:.60}.")
    midnight = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), ZoneInfo(zone))
    given = {name: a_number(point[name], f"{place}.{name}") for name in _TIMES if point.get(name) is not None}
    try:
        if not given:
            return _iso(midnight + _DAY - _MILLISECOND if end_of_day else midnight)
        hour, minute, second, millisecond = (given.get(name, 0) for name in _TIMES)
        return _iso(midnight.replace(hour=hour, minute=minute, second=second, microsecond=millisecond * 1000))
    except (ValueError, OverflowError):
        raise invalid(place, "there is no such time.") from None


def write_point(value: str, type_: str) -> dict[str, Any]:
    point = {"timeType": "DATE", "timezoneSource": "CUSTOM", "zoneId": "UTC"}
    if type_ == Property.Type.DATE:
        day = dt.date.fromisoformat(value)
        return {**point, "year": day.year, "month": day.month, "day": day.day}
    moment = dt.datetime.fromisoformat(value)
    times = (moment.hour, moment.minute, moment.second, moment.microsecond // 1000)
    return {
        **point,
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
        **dict(zip(_TIMES, times, strict=True)),
    }


# Days around now --------------------------------------------------------------------------------


def read_days_around_now(operation: Mapping[str, Any], place: str) -> tuple[str, int] | None:
    """in_last_days or in_next_days and how many, if a range is counted from today; None if it is not."""
    bounds = [
        an_object(operation.get(name), f"{place}.{name}") for name in ("lowerBoundTimePoint", "upperBoundTimePoint")
    ]
    if not any(bound.get("timeType") == "INDEXED" for bound in bounds):
        return None
    lower, upper = (_offset(bound, place) for bound in bounds)
    if lower < 0 and upper == 0:
        return "in_last_days", -lower
    if lower == 0 and upper > 0:
        return "in_next_days", upper
    raise CannotRun("a range of days that does not begin or end today")


def _offset(point: Mapping[str, Any], place: str) -> int:
    reference = point.get("indexReference")
    kind = reference.get("referenceType") if isinstance(reference, Mapping) else None
    if point.get("timeType") != "INDEXED" or kind not in _FROM_NOW:
        raise CannotRun("a range of time that is counted from something other than today")
    offset = an_object(point.get("offset") or {}, f"{place}.offset")
    if any(amount for unit, amount in offset.items() if unit != "days"):
        raise CannotRun("a range of time that is counted in something other than days")
    return a_number(offset.get("days") or 0, f"{place}.offset.days")


def write_days_around_now(operator: str, days: int, type_: str) -> dict[str, Any]:
    def point(offset: int) -> dict[str, Any]:
        reference = "TODAY" if type_ == Property.Type.DATE else "NOW"
        return {
            "timeType": "INDEXED",
            "timezoneSource": "CUSTOM",
            "zoneId": "UTC",
            "indexReference": {"referenceType": reference},
            "offset": {"days": offset},
        }

    bounds = (-days, 0) if operator == "in_last_days" else (0, days)
    return {"lowerBoundTimePoint": point(bounds[0]), "upperBoundTimePoint": point(bounds[1])}


def endpoint(operation: Mapping[str, Any], name: str, default: str) -> bool:
    """Whether an end of a range belongs to it."""
    said = operation.get(name) or default
    if said not in ("INCLUSIVE", "EXCLUSIVE"):
        raise invalid(name, "should be INCLUSIVE or EXCLUSIVE.")
    return bool(said == "INCLUSIVE")


def check_parser(operation: Mapping[str, Any]) -> None:
    if (parser := operation.get("propertyParser") or "VALUE") != "VALUE":
        raise CannotRun(f"when a property was last set ({a_text(parser, 'propertyParser')!s:.40})")


def write_moment(operator: str, values: list[Any], type_: str) -> dict[str, Any]:
    """The operation that compares a date, or a date and time."""
    if operator in ("is_equal_to", "is_not_equal_to"):
        if type_ == Property.Type.DATE:
            return {"operationType": "DATE", "operator": operator.upper(), **write_day(values[0])}
        return {
            "operationType": "DATETIME",
            "operator": operator.upper(),
            "timestamp": write_timestamp(values[0]),
            "requiresTimeZoneConversion": False,
        }
    if operator in ("in_last_days", "in_next_days"):
        bounds = write_days_around_now(operator, values[0], type_)
    elif operator == "is_between":
        points = [write_point(value, type_) for value in values]
        bounds = dict(zip(("lowerBoundTimePoint", "upperBoundTimePoint"), points, strict=True))
    else:
        return {
            "operationType": "TIME_POINT",
            "type": "TIME_POINT",
            "operator": "IS_BEFORE" if operator.startswith("is_less") else "IS_AFTER",
            "endpointBehavior": "INCLUSIVE" if operator.endswith("or_equal_to") else "EXCLUSIVE",
            "timePoint": write_point(values[0], type_),
        }
    return {
        "operationType": "TIME_RANGED",
        "type": "TIME_RANGED",
        "operator": "IS_BETWEEN",
        "lowerBoundEndpointBehavior": "INCLUSIVE",
        "upperBoundEndpointBehavior": "INCLUSIVE",
        **bounds,
    }
