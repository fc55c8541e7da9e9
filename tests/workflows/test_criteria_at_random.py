"""The compiled condition agrees with a plain evaluation of the same tree, on random records and whichever database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from associations.models import Property, Record, RecordEvent
from associations.property_values import read_value
from associations.services import archiving
from associations.services.records import RecordInput
from associations.types import DirectedType
from tests.factories import ORIGIN, associate, make_label, make_property, object_type, save, unlabeled
from tests.workflows import plain_criteria
from tests.workflows.plain_criteria import Plain
from workflows.criteria import read_criteria
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
_records = st.fixed_dictionaries({name: st.one_of(values, values, st.none()) for name, values in VALUES.items()})
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


@dataclass
class Schema:
    """The types under which the random records are associated, as contacts and as companies see them."""

    properties: dict[str, dict[str, Property]]
    company: DirectedType
    partner: DirectedType
    contact: DirectedType
    colleague: DirectedType
    mentor: DirectedType

    def ids(self, root: str) -> list[int]:
        between = [self.company, self.partner]
        if root == "company":
            return [each.reverse.type_id for each in between]
        own = [self.contact, self.colleague, self.mentor, self.mentor.reverse]
        return [each.type_id for each in between + own]


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


# Worlds -----------------------------------------------------------------------------------------


@pytest.fixture
def schema(db: None, monkeypatch: pytest.MonkeyPatch) -> Schema:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    for type_name in ("contact", "company"):
        for name, (type_, field_type) in KINDS.items():
            options = [{"value": each, "label": each} for each in OPTIONS] if type_ == "enumeration" else []
            make_property(type_name, name, type=type_, field_type=field_type, options=options)
    return Schema(
        properties={
            name: {each.name: each for each in object_type(name).properties.all()} for name in ("contact", "company")
        },
        company=unlabeled("contact", "company"),
        partner=make_label("contact", "company", "Partner"),
        contact=unlabeled("contact", "contact"),
        colleague=make_label("contact", "contact", "Colleague"),
        mentor=make_label("contact", "contact", "Mentor", "Student"),
    )


World = dict[str, list[tuple[Record, Plain]]]


def make_world(schema: Schema, data: st.DataObject) -> World:
    """Up to four contacts and three companies, all changed once, some associated with each other, some archived."""
    world: World = {}
    for name, most in (("contact", 4), ("company", 3)):
        before = data.draw(st.lists(_records, min_size=1, max_size=most), label=f"{name} before")
        saved = save(name, before).records
        changes = [
            {**dict.fromkeys(KINDS), **data.draw(_records, label=f"{name} now"), "city": "changed"} for _ in saved
        ]
        save(name, [RecordInput(values, id=each.pk) for each, values in zip(saved, changes, strict=True)])
        properties = schema.properties[name]
        world[name] = [
            (record, Plain(properties, now=typed(properties, values), before=typed(properties, was)))
            for record, was, values in zip(saved, before, changes, strict=True)
        ]
    contacts, companies = world["contact"], world["company"]
    for contact in contacts:
        for company in data.draw(st.lists(st.sampled_from(companies), unique_by=id, max_size=2)):
            link(contact, company, schema.company, data.draw(st.sets(st.sampled_from(["partner"]))), schema)
        for other in contacts[: contacts.index(contact)]:
            if data.draw(st.booleans()):
                link(
                    contact, other, schema.contact, data.draw(st.sets(st.sampled_from(["colleague", "mentor"]))), schema
                )
    for records in world.values():
        for record, plain in data.draw(st.lists(st.sampled_from(records), unique_by=id, max_size=1), label="archived"):
            archiving.archive_records(record.object_type, [record.pk], origin=ORIGIN)
            plain.is_archived = True
    return world


def typed(properties: Mapping[str, Property], raw: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: read_value(properties[name], value) for name, value in raw.items()}
    return {name: value for name, value in values.items() if value is not None}


def link(
    one: tuple[Record, Plain], other: tuple[Record, Plain], plain_type: DirectedType, labels: set[str], schema: Schema
) -> None:
    types = [getattr(schema, name) for name in labels]
    associate(one[0], other[0], *types)
    for directed in (plain_type, *types):
        one[1].ends.append((directed.type_id, other[1]))
        other[1].ends.append((directed.reverse.type_id, one[1]))


@pytest.mark.parametrize("root", ["contact", "company"])
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_condition_agrees_with_a_plain_evaluation(schema: Schema, root: str, data: st.DataObject) -> None:
    with transaction.atomic():
        world = make_world(schema, data)
        own, others = pool_of(world[root]), pool_of([each for records in world.values() for each in records])
        each_alone = data.draw(filters(schema.ids(root), own, others), label="filters")
        group = st.lists(st.sampled_from(each_alone), min_size=1, max_size=3)
        trees = data.draw(st.lists(st.lists(group, min_size=1, max_size=3), max_size=5), label="trees")
        check([*([[raw]] for raw in each_alone), *trees], world[root], root)
        transaction.set_rollback(True)


def pool_of(records: list[tuple[Record, Plain]]) -> Pool:
    return {
        name: [values[name] for _, plain in records for values in (plain.now, plain.before) if name in values]
        for name in KINDS
    }


def check(trees: list[list[list[dict[str, Any]]]], records: list[tuple[Record, Plain]], root: str) -> None:
    """All trees by one query for each way in which criteria are asked."""
    criteria = [read_criteria(groups, object_type(root)) for groups in trees]
    ids = [record.pk for record, _ in records]
    people = Record.objects.filter(id__in=ids)
    events = RecordEvent.objects.filter(record__in=ids, kind=RecordEvent.Kind.CHANGED)
    now = [each.q() for each in criteria]
    joined = [each.q(record="record_id", column="record__properties") for each in criteria]
    before = [each.q(record="record_id", column="before") for each in criteria]
    met_now, met_joined = answers(people, "id", now), answers(events, "record", joined)
    met_before, not_before = answers(events, "record", before), answers(events, "record", [~each for each in before])
    for number, groups in enumerate(trees):
        means_now = {record.pk for record, plain in records if plain_criteria.meets(groups, plain, NOW)}
        means_before = {record.pk for record, plain in records if plain_criteria.meets(groups, plain, NOW, before=True)}
        assert met_now[number] == met_joined[number] == means_now, groups
        assert met_before[number] == set(ids) - not_before[number] == means_before, groups


def answers(rows: QuerySet[Any], record: str, conditions: list[Q]) -> list[set[int]]:
    """For each condition the records that meet it."""
    columns = [
        Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())
        for condition in conditions
    ]
    answered = list(rows.values_list(record, *columns))
    return [{id_ for id_, *met in answered if met[number]} for number in range(len(conditions))]


@pytest.mark.parametrize("groups", [[], [[]], [[], []]])
def test_no_group_is_met_by_nobody_and_an_empty_one_by_everybody(groups: list[list[Any]], schema: Schema) -> None:
    contact = save("contact", [{"words": "x"}]).records[0]
    criteria = read_criteria(groups, contact.object_type)
    assert list(Record.objects.filter(criteria.q())) == ([contact] if groups else [])
