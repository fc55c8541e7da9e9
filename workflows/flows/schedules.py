"""Enrollment schedules: HubSpot's as ours, and ours as HubSpot's.

HubSpot's times are those of the account's time zone; `timeZone` is a member of our own that names another one.
Called by reading and writing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings

from workflows.schedules import DAILY, MONTHLY, WEEKDAYS, WEEKLY, read_schedule

from .problems import UNSUPPORTED, CannotRun, a_list, a_number, a_text, an_object, invalid, unsupported

_DAYS = [name.upper() for name in WEEKDAYS]


def read_enrollment_schedule(raw: Any, place: str) -> dict[str, Any] | None:
    """The schedule that it means; one of a kind that this product has not is kept as it was sent."""
    if raw is None:
        return None
    given = an_object(raw, place)
    kind = a_text(given.get("type"), f"{place}.type")
    try:
        on = _read_days(kind, given, place)
    except CannotRun as error:
        return {"frequency": UNSUPPORTED, **unsupported(dict(given), f"This product cannot enroll {error}.")}
    time = an_object(given.get("timeOfDay"), f"{place}.timeOfDay")
    hour, minute = (a_number(time.get(name), f"{place}.timeOfDay.{name}") for name in ("hour", "minute"))
    try:
        at = dt.time(hour, minute).isoformat("minutes")
    except ValueError:
        raise invalid(f"{place}.timeOfDay", "there is no such time.") from None
    zone = a_text(given.get("timeZone") or settings.TIME_ZONE, f"{place}.timeZone")
    return {"time": at, "time_zone": zone, **on}


def _read_days(kind: str, given: Any, place: str) -> dict[str, Any]:
    if kind == "DAILY":
        return {"frequency": DAILY}
    if kind == "WEEKLY":
        days = a_list(given.get("daysOfWeek"), f"{place}.daysOfWeek")
        if unknown := [day for day in days if day not in _DAYS] or not days:
            raise invalid(f"{place}.daysOfWeek", f"should be days like MONDAY, not {unknown!r:.60}.")
        if len(set(days)) > 1:
            raise CannotRun("on several days of the week")
        return {"frequency": WEEKLY, "weekday": _DAYS.index(days[0])}
    if kind == "MONTHLY_SPECIFIC_DAYS":
        days = [a_number(day, f"{place}.daysOfMonth") for day in a_list(given.get("daysOfMonth"), place)]
        if not days or not all(1 <= day <= 31 for day in days):
            raise invalid(f"{place}.daysOfMonth", "should be days of the month, 1 to 31.")
        if len(set(days)) > 1:
            raise CannotRun("on several days of the month")
        return {"frequency": MONTHLY, "day": days[0]}
    if kind == "MONTHLY_RELATIVE_DAYS" and given.get("monthlyRelativeDays") == "LAST_DAY_OF_MONTH":
        return {"frequency": MONTHLY, "day": 31}  # in a shorter month its last day
    raise CannotRun(f"by a schedule of the kind {kind:.40}")


def write_enrollment_schedule(schedule: dict[str, Any]) -> dict[str, Any]:
    if schedule.get("frequency") == UNSUPPORTED:
        return dict(schedule["flow"])
    read = read_schedule(schedule)
    days: dict[str, Any] = {"type": read.frequency.upper()}
    if read.frequency == WEEKLY:
        days["daysOfWeek"] = [_DAYS[read.weekday or 0]]
    elif read.frequency == MONTHLY:
        days = {"type": "MONTHLY_SPECIFIC_DAYS", "daysOfMonth": [read.day]}
    time = {"hour": read.time.hour, "minute": read.time.minute}
    return {**days, "timeOfDay": time, "timeZone": str(read.time_zone)}
