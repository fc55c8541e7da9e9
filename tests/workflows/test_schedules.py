"""When a schedule is due next: days, weeks, months, time zones and the hours that clocks skip."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from workflows.schedules import read_schedule

pytestmark = pytest.mark.once

BERLIN = "Europe/Berlin"


def due(raw: dict[str, Any], after: str) -> str:
    moment = read_schedule(raw).next_after(dt.datetime.fromisoformat(after))
    return moment.astimezone(ZoneInfo(raw.get("time_zone", "UTC"))).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("raw", "after", "expected"),
    [
        ({"frequency": "daily", "time": "09:00"}, "2026-11-23T08:59:59Z", "2026-11-23T09:00+00:00"),
        ({"frequency": "daily", "time": "09:00"}, "2026-11-23T09:00:00Z", "2026-11-24T09:00+00:00"),
        ({"frequency": "weekly", "time": "09:00", "weekday": 0}, "2026-11-23T10:00:00Z", "2026-11-30T09:00+00:00"),
        ({"frequency": "monthly", "time": "00:00", "day": 31}, "2026-02-01T00:00:00Z", "2026-02-28T00:00+00:00"),
        ({"frequency": "monthly", "time": "00:00", "day": 31}, "2026-02-28T00:00:00Z", "2026-03-31T00:00+00:00"),
        # 02:30 does not exist in the night of 29 March 2026, and exists twice in that of 25 October.
        (
            {"frequency": "daily", "time": "02:30", "time_zone": BERLIN},
            "2026-03-28T12:00:00Z",
            "2026-03-29T03:30+02:00",
        ),
        (
            {"frequency": "daily", "time": "02:30", "time_zone": BERLIN},
            "2026-10-25T00:31:00Z",
            "2026-10-26T02:30+01:00",
        ),
    ],
)
def test_it_is_due_next_at(raw: dict[str, Any], after: str, expected: str) -> None:
    assert due(raw, after) == expected


@given(
    st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1), timezones=st.just(dt.UTC)),
    st.sampled_from(["daily", "weekly", "monthly"]),
    st.times(),
    st.sampled_from(["UTC", BERLIN, "Pacific/Apia", "America/New_York"]),
    st.integers(0, 6),
    st.integers(1, 31),
)
def test_the_next_time_is_later_and_none_lies_between(
    moment: dt.datetime, frequency: str, time: dt.time, zone: str, weekday: int, day: int
) -> None:
    schedule = read_schedule(
        {"frequency": frequency, "time": time.isoformat(), "time_zone": zone, "weekday": weekday, "day": day}
    )
    first = schedule.next_after(moment)
    assert first > moment
    assert first - moment <= dt.timedelta(days={"daily": 2, "weekly": 8, "monthly": 32}[frequency])
    assert schedule.next_after(first - dt.timedelta(microseconds=1)) == first


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"frequency": "hourly", "time": "09:00"}, "frequency"),
        ({"frequency": "daily", "time": "25:00"}, "time"),
        ({"frequency": "daily"}, "time"),
        ({"frequency": "daily", "time": "09:00", "time_zone": "Mars/Olympus"}, "time_zone"),
        ({"frequency": "weekly", "time": "09:00"}, "weekday"),
        ({"frequency": "monthly", "time": "09:00", "day": 32}, "day"),
    ],
)
def test_what_is_no_schedule_is_refused_at_its_field(raw: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        read_schedule(raw)
    assert list(refusal.value.message_dict) == [field]
