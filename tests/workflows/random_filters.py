"""Random values of every type of property, and random filters on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from associations.models import Property
from associations.property_values import read_value
from workflows.operators import OPERATORS, PARTS

NOW = dt.datetime(2026, 3, 1, 11, 30, tzinfo=dt.UTC)
KINDS = {
    "words": ("string", "textarea"),
    "amount": ("number", "number"),
    "day": ("date", "date"),
    "at": ("datetime", "date"),
    "one": ("enumeration", "select"),
    "many": ("enumeration", "checkbox"),
    "flag": ("bool", "booleancheckbox"),
}
OPTIONS = ["a", "b", "B", "50% \"o'b\\"]

# Values -----------------------------------------------------------------------------------------

_characters = st.one_of(
    st.sampled_from("aAbB %_'\"\\.;$[]{}:,*?\n1é\u0301ßİı😀\u202e\ufeff\uffff"),
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
)
_words = st.one_of(
    st.lists(st.sampled_from(["ab", "aB", "B%", "é ", "😀"]), min_size=1, max_size=4).map("".join),
    st.text(_characters, max_size=6),
)
_amounts = st.one_of(
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.1 + 0.2, 0.3, 2**53, 2**53 + 1, 2**63, 2**64 + 1, 10**23, 1e23, -1e308, 5e-324, 1e-7, "1e3"]),
)
_days = st.one_of(
    st.dates(),
    st.integers(-3, 3).map(lambda days: (NOW + dt.timedelta(days=days)).date()),
    st.sampled_from([dt.date.min, dt.date.max, dt.date(1969, 12, 31), dt.date(2024, 2, 29)]),
).map(dt.date.isoformat)
_zones = st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=14)), dt.timezone(dt.timedelta(hours=-12))])
_instants = st.one_of(
    st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30), timezones=_zones),
    st.builds(
        lambda days, milliseconds: NOW + dt.timedelta(days=days, milliseconds=milliseconds),
        st.integers(-3, 3),
        st.integers(-1, 1),
    ),
).map(lambda each: each.isoformat(timespec="milliseconds"))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "words": _words,
    "amount": _amounts,
    "day": _days,
    "at": _instants,
    "one": st.sampled_from(OPTIONS),
    "many": st.lists(st.sampled_from(OPTIONS), min_size=1, unique=True).map(";".join),
    "flag": st.booleans(),
}
RECORDS = st.fixed_dictionaries({name: st.one_of(values, values, st.none()) for name, values in VALUES.items()})
Pool = Mapping[str, list[Any]]

# Filters ----------------------------------------------------------------------------------------


@st.composite
def property_filters(draw: st.DrawFn, name: str, operator: str, pool: Pool) -> dict[str, Any]:
    """A filter on one property; most of its values, or parts of them, are in the pool of what records have."""
    known = VALUES[name].map(lambda value: value if str(value).strip() else "a")
    if there := pool[name]:
        known = st.one_of(st.sampled_from(there), st.sampled_from(there), known)
    values: list[Any]
    if operator in ("is_known", "is_unknown"):
        values = []
    elif operator in ("in_last_days", "in_next_days"):
        values = [draw(st.integers(1, 4))]
    elif operator in ("is_any_of", "is_none_of"):
        values = draw(st.lists(known, min_size=1, max_size=3))
    elif operator == "is_between":
        prop = Property(name=name, type=KINDS[name][0], field_type=KINDS[name][1])
        values = sorted([draw(known), draw(known)], key=lambda value: read_value(prop, value) or 0)
    elif operator in PARTS:
        value, length = str(draw(known)), draw(st.integers(1, 3))
        part = {"starts_with": value[:length], "ends_with": value[-length:]}.get(operator, value[1:][:length])
        values = [part or "a"]
    else:
        values = [draw(known)]
    more = {"or_no_value": True} if draw(st.booleans()) else {}
    return {"kind": "property", "property": name, "operator": operator, "values": values, **more}


@st.composite
def filters(draw: st.DrawFn, type_ids: list[int], own: Pool, others: Pool) -> list[dict[str, Any]]:
    """A filter of every operator of every property, each of the record itself or of one associated with it, and
    whether there is an association of each type."""
    made = []
    for name, (type_, _) in KINDS.items():
        for operator in OPERATORS[type_]:
            type_id = draw(st.sampled_from([None, None, *type_ids]))
            raw = draw(property_filters(name, operator, others if type_id else own))
            made.append({**raw, "kind": "associated_property", "type_id": type_id} if type_id else raw)
    return made + [{"kind": "association", "type_id": type_id, "has": draw(st.booleans())} for type_id in type_ids]
