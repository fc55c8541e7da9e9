"""What a property may hold: every type, every kind of bad value, and that a kept value is read as itself."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from associations.models import Property
from associations.property_values import MAX_TEXT, read_part, read_value

pytestmark = pytest.mark.once

OPTIONS = [{"value": value, "label": value.upper()} for value in ("a", "b", "c")]


def a(type_: str, field_type: str, **more: object) -> Property:
    return Property(name="it", type=type_, field_type=field_type, **more)


TEXT = a("string", "text")
TEXTAREA = a("string", "textarea")
HTML = a("string", "html")
PHONE = a("string", "phonenumber")
EMAIL = Property(name="email", type="string", field_type="text", is_builtin=True)
NUMBER = a("number", "number")
DATE = a("date", "date")
DATETIME = a("datetime", "date")
SELECT = a("enumeration", "select", options=OPTIONS)
RADIO = a("enumeration", "radio", options=OPTIONS)
CHECKBOX = a("enumeration", "checkbox", options=OPTIONS)
BOOL = a("bool", "booleancheckbox")
ALL = [TEXT, TEXTAREA, HTML, PHONE, EMAIL, NUMBER, DATE, DATETIME, SELECT, RADIO, CHECKBOX, BOOL]


@pytest.mark.parametrize(
    ("prop", "raw", "kept"),
    [
        (TEXT, "  Ann  ", "Ann"),
        (TEXT, "two\nlines\r\nhere", "two lines here"),
        (TEXT, 42, "42"),
        (TEXT, "0", "0"),
        (TEXTAREA, "two\nlines", "two\nlines"),
        (HTML, "<p>\n</p>", "<p>\n</p>"),
        (PHONE, "+1 (617) 555-0123", "+1 (617) 555-0123"),
        (EMAIL, " Ann@Example.com ", "Ann@Example.com"),
        (NUMBER, "1.5", 1.5),
        (NUMBER, " 007 ", 7),
        (NUMBER, "-0", 0),
        (NUMBER, "1e3", 1000),
        (NUMBER, 2.0, 2),
        (NUMBER, 10, 10),
        (DATE, "2026-11-23", "2026-11-23"),
        (DATE, dt.date(2026, 11, 23), "2026-11-23"),
        (DATE, dt.datetime(2026, 11, 23, 23, 30), "2026-11-23"),
        (DATE, "2026-11-23T08:00:00Z", "2026-11-23"),
        (DATE, "2024-02-29", "2024-02-29"),
        (DATETIME, "2026-11-23T08:00:00Z", "2026-11-23T08:00:00.000Z"),
        (DATETIME, "2026-11-23T08:00:00+02:00", "2026-11-23T06:00:00.000Z"),
        (DATETIME, "2026-11-23 08:00", "2026-11-23T08:00:00.000Z"),
        (DATETIME, "2026-11-23", "2026-11-23T00:00:00.000Z"),
        (DATETIME, dt.date(2026, 11, 23), "2026-11-23T00:00:00.000Z"),
        (DATETIME, dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC), "2026-11-23T08:00:00.000Z"),
        (DATETIME, 1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
        (SELECT, " b ", "b"),
        (RADIO, "c", "c"),
        (CHECKBOX, "b", "b"),
        (CHECKBOX, "c;a", "a;c"),
        (CHECKBOX, ["c", "a", "a"], "a;c"),
        (CHECKBOX, ";a;;", "a"),
        (BOOL, True, True),
        (BOOL, "Yes", True),
        (BOOL, "0", False),
        (BOOL, 1, True),
        (BOOL, "off", False),
    ],
)
def test_a_value_is_kept_in_the_form_of_its_type(prop: Property, raw: object, kept: object) -> None:
    value = read_value(prop, raw)
    assert (value, type(value)) == (kept, type(kept))


@pytest.mark.parametrize("prop", ALL, ids=lambda prop: prop.field_type)
@pytest.mark.parametrize("raw", [None, "", "   ", "\n\t", "\u00a0"])
def test_empty_text_is_no_value_of_any_type(prop: Property, raw: object) -> None:
    assert read_value(prop, raw) is None


def test_checkboxes_of_which_none_is_chosen_are_no_value() -> None:
    assert read_value(CHECKBOX, []) is None
    assert read_value(CHECKBOX, ";;") is None


@pytest.mark.parametrize(
    ("prop", "raw", "reason"),
    [
        (TEXT, True, "must be text"),
        (TEXT, ["a"], "must be text"),
        (TEXT, {"a": 1}, "must be text"),
        (TEXT, "a\x00b", "NUL"),
        (TEXT, "a\ud800", "surrogate"),
        (TEXT, "a" * (MAX_TEXT + 1), "65,537 characters long; at most 65,536"),
        (EMAIL, "ann", "is not an e-mail address: 'ann'"),
        (EMAIL, "ann@example", "is not an e-mail address"),
        (EMAIL, "ann@@example.com", "is not an e-mail address"),
        (EMAIL, "a nn@example.com", "is not an e-mail address"),
        (NUMBER, "many", "is not a number: 'many'"),
        (NUMBER, "1,000", "is not a number"),
        (NUMBER, "1_000", "is not a number"),
        (NUMBER, True, "is not a number"),
        (NUMBER, [1], "is not a number"),
        (NUMBER, "nan", "is not a finite number"),
        (NUMBER, float("inf"), "is not a finite number"),
        (NUMBER, 10**400, "is not a number"),
        (DATE, "23.11.2026", "is not a date like"),
        (DATE, "2026-02-30", "is not a date like"),
        (DATE, "2026-11-23 at noon", "is not a date like"),
        (DATE, 20261123, "is not a date like"),
        (DATETIME, "noon", "is not a date and time like"),
        (DATETIME, "2026-11-23T25:00:00Z", "is not a date and time like"),
        (DATETIME, True, "is not a date and time like"),
        (DATETIME, 10**30, "is not a date and time like"),
        (DATETIME, "0001-01-01T00:00:00+14:00", "is out of the range of dates"),
        (SELECT, "d", "has no option 'd'; the options are: a, b, c"),
        (SELECT, "A", "has no option 'A'"),
        (SELECT, "a;b", "has no option 'a;b'"),
        (SELECT, ["a"], "is not an option"),
        (SELECT, True, "is not an option"),
        (CHECKBOX, "a;d", "has no option 'd'"),
        (CHECKBOX, {"a": 1}, "is not an option"),
        (BOOL, "perhaps", "is neither true nor false"),
        (BOOL, 2, "is neither true nor false"),
        (BOOL, 1.0, "is neither true nor false"),
        (BOOL, [], "is neither true nor false"),
    ],
)
def test_a_bad_value_is_refused_with_the_reason(prop: Property, raw: object, reason: str) -> None:
    with pytest.raises(ValueError) as refusal:
        read_value(prop, raw)
    assert reason in str(refusal.value)


def test_only_the_first_ten_of_many_options_are_named() -> None:
    many = a("enumeration", "select", options=[{"value": str(number), "label": "?"} for number in range(30)])
    with pytest.raises(ValueError, match=r"the options are: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …$"):
        read_value(many, "x")


def test_an_email_property_of_ones_own_may_hold_any_text() -> None:
    own = Property(name="email", type="string", field_type="text")
    assert read_value(own, "not an address") == "not an address"


# Whatever is accepted ---------------------------------------------------------------------------

RAW = st.one_of(
    st.text(max_size=30),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=4),
    st.dates().map(str),
    st.datetimes().map(str),
    st.floats().map(str),
    st.integers().map(str),
    st.lists(st.sampled_from(["a", "b", "c"])).map(";".join),
    st.none(),
)


@given(prop=st.sampled_from(ALL), raw=RAW)
def test_a_kept_value_read_again_is_itself(prop: Property, raw: object) -> None:
    try:
        value = read_value(prop, raw)
    except ValueError:
        return
    again = read_value(prop, value)
    assert (again, type(again)) == (value, type(value))


@given(prop=st.sampled_from(ALL), raw=RAW)
def test_a_kept_value_survives_json(prop: Property, raw: object) -> None:
    try:
        value = read_value(prop, raw)
    except ValueError:
        return
    assert json.loads(json.dumps(value, allow_nan=False)) == value


@given(prop=st.sampled_from(ALL), raw=st.one_of(RAW, st.dictionaries(st.text(), st.none()), st.binary()))
def test_whatever_comes_is_kept_or_refused_in_words(prop: Property, raw: object) -> None:
    try:
        value = read_value(prop, raw)
    except ValueError as error:
        reason = str(error)
        assert reason
    else:
        assert value is None or isinstance(value, str | int | float | bool)
        assert value != ""


@given(first=st.datetimes(), second=st.datetimes())
def test_the_order_of_kept_times_is_the_order_of_time(first: dt.datetime, second: dt.datetime) -> None:
    kept = [read_value(DATETIME, each.replace(tzinfo=dt.UTC)) for each in (first, second)]
    if first.replace(microsecond=0) < second.replace(microsecond=0):
        assert str(kept[0]) < str(kept[1])


@pytest.mark.parametrize("raw", ["a\x00b", "\ud800", "x" * (MAX_TEXT + 1)])
def test_a_part_of_a_value_is_no_text_that_no_value_could_contain(raw: str) -> None:
    assert read_part(42) == "42"
    with pytest.raises(ValueError):
        read_part(raw)
