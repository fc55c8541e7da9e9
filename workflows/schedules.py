"""When a scheduled workflow enrolls: daily, weekly or monthly at a time, in a time zone.

{"frequency": "weekly", "time": "09:00", "time_zone": "Europe/Berlin", "weekday": 0}; monthly has "day" (1 to 31; in a
shorter month its last day). Pure functions, called by triggers and services.scheduling.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError

DAILY, WEEKLY, MONTHLY = "daily", "weekly", "monthly"
WEEKDAYS = list(calendar.day_name)


@dataclass(frozen=True)
class Schedule:
    frequency: str
    time: dt.time
    time_zone: ZoneInfo
    weekday: int | None = None
    day: int | None = None

    def next_after(self, moment: dt.datetime) -> dt.datetime:
        """The first time after an aware moment. A time that the clocks skip comes when they have jumped."""
        date = moment.astimezone(self.time_zone).date()
        while True:
            if self._is_on(date):
                local = dt.datetime.combine(date, self.time, self.time_zone)
                due = local.astimezone(dt.UTC)
                if due > moment:
                    return due
            date += dt.timedelta(days=1)

    def _is_on(self, date: dt.date) -> bool:
        if self.frequency == WEEKLY:
            return date.weekday() == self.weekday
        if self.frequency == MONTHLY:
            assert self.day is not None
            return date.day == min(self.day, calendar.monthrange(date.year, date.month)[1])
        return True

    def __str__(self) -> str:
        on = {
            DAILY: "every day",
            WEEKLY: f"every {WEEKDAYS[self.weekday or 0]}",
            MONTHLY: f"on day {self.day} of every month",
        }[self.frequency]
        return f"{on} at {self.time:%H:%M} ({self.time_zone})"


def read_schedule(raw: Mapping[str, Any]) -> Schedule:
    """A schedule from its JSON. Raises ValidationError by field."""
    errors = {}
    frequency = raw.get("frequency")
    if frequency == "unsupported":  # of a flow of HubSpot's, see flows/
        raise ValidationError({"frequency": str(raw.get("reason"))})
    if frequency not in (DAILY, WEEKLY, MONTHLY):
        errors["frequency"] = "Choose daily, weekly or monthly."
    try:
        time = dt.time.fromisoformat(str(raw.get("time") or ""))
    except ValueError:
        errors["time"] = f"{raw.get('time')!r:.20} is not a time of day like 09:00."
    zone = str(raw.get("time_zone") or "UTC")
    if zone not in available_timezones():
        errors["time_zone"] = f"There is no time zone {zone!r:.60}; one is called Europe/Berlin, for instance."
    weekday, day = raw.get("weekday"), raw.get("day")
    if frequency == WEEKLY and not (isinstance(weekday, int) and 0 <= weekday <= 6):
        errors["weekday"] = "Choose the day of the week: 0 for Monday to 6 for Sunday."
    if frequency == MONTHLY and not (isinstance(day, int) and 1 <= day <= 31):
        errors["day"] = "Choose the day of the month, 1 to 31."
    if errors:
        raise ValidationError(errors)
    return Schedule(str(frequency), time, ZoneInfo(zone), weekday, day)
