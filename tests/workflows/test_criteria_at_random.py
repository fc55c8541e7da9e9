"""The compiled conditions agree with a plain evaluation of the same tree, on random records, on whichever database:
who meets it now, and who met it before a set of change sets."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from associations.models import ChangeSet, Property, Record
from associations.property_values import read_value
from associations.services import archiving, linking, merging
from associations.services.records import RecordInput
from associations.types import DirectedType
from tests.factories import ORIGIN, make_label, make_property, object_type, save, unlabeled
from tests.workflows.plain_criteria import Plain, World, meeting
from tests.workflows.random_filters import KINDS, NOW, OPTIONS, RECORDS, Pool, filters
from workflows import sql
from workflows.criteria import read_criteria

ROOTS = ("contact", "company")


@dataclass
class Schema:
    """The types under which the random records are associated, as contacts see them."""

    properties: dict[str, dict[str, Property]]
    pairs: dict[str, DirectedType]
    labels: dict[str, list[DirectedType]]

    def type_ids(self, root: str) -> list[int]:
        """The type ids that filters on this type of record can name."""
        seen = [self.pairs["company"], *self.labels["company"]]
        if root == "company":
            return [each.reverse.type_id for each in seen]
        own = [self.pairs["contact"], *self.labels["contact"]]
        return sorted({each.type_id for each in [*seen, *own, *(each.reverse for each in own)]})


@pytest.fixture
def schema(db: None, monkeypatch: pytest.MonkeyPatch) -> Schema:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    for type_name in ROOTS:
        for name, (type_, field_type) in KINDS.items():
            options = [{"value": each, "label": each} for each in OPTIONS] if type_ == "enumeration" else []
            make_property(type_name, name, type=type_, field_type=field_type, options=options)
    return Schema(
        properties={name: {each.name: each for each in object_type(name).properties.all()} for name in ROOTS},
        pairs={name: unlabeled("contact", name) for name in ROOTS},
        labels={
            "company": [make_label("contact", "company", "Partner")],
            "contact": [
                make_label("contact", "contact", "Colleague"),
                make_label("contact", "contact", "Mentor", "Student"),
            ],
        },
    )


# What happens -----------------------------------------------------------------------------------


class Story:
    """The same happens to the product and to the plain world."""

    def __init__(self, schema: Schema, data: st.DataObject) -> None:
        self.schema, self.data, self.world = schema, data, World()
        self.ids: dict[str, list[int]] = {name: [] for name in ROOTS}

    def make(self, name: str) -> None:
        values = self.data.draw(RECORDS, label=f"new {name}")
        (record,) = save(name, [values]).records
        self.ids[name].append(record.pk)
        self.world[record.pk] = Plain(self.schema.properties[name], typed(self.schema.properties[name], values))

    def change(self, name: str) -> None:
        id_, values = self._live(name), self.data.draw(RECORDS, label="values")
        if id_ is not None:
            save(name, [RecordInput(values, id=id_)])
            self.world[id_].values = typed(self.schema.properties[name], values)

    def link(self, name: str) -> None:
        record, other = self._live("contact"), self._live(name)
        labels = self.data.draw(st.lists(st.sampled_from(self.schema.labels[name]), unique=True), label="labels")
        if record is None or other is None or record == other:
            return
        pair = self.schema.pairs[name]
        linking.associate(pair, [(record, other)], labels=labels, origin=ORIGIN)
        for directed in (pair, *labels):
            self.world.put(record, other, directed)

    def unlink(self, name: str) -> None:
        """Take off one label, or all."""
        if (pair := self._pair(name)) is None:
            return
        label = self.data.draw(st.sampled_from([None, *self.schema.labels[name]]), label="label")
        if label is None:
            linking.disassociate(self.schema.pairs[name], [pair], origin=ORIGIN)
            self.world.part(*pair)
        else:
            linking.remove_labels([label], [pair], origin=ORIGIN)
            self.world.take(*pair, label)

    def archive(self, name: str) -> None:
        if (id_ := self._live(name)) is not None:
            archiving.archive_records(object_type(name), [id_], origin=ORIGIN)
            self.world[id_].is_archived = True

    def restore(self, name: str) -> None:
        archived = Record.objects.filter(object_type__name=name, archived_at__isnull=False, merged_into=None)
        for id_ in archived.values_list("id", flat=True):
            archiving.restore_records(object_type(name), [id_], origin=ORIGIN)
            self.world[id_].is_archived = False

    def merge(self, name: str) -> None:
        survivor, merged = self._live(name), self._live(name)
        if survivor is not None and merged is not None and survivor != merged:
            merging.merge_records(object_type(name), survivor, merged, origin=ORIGIN)
            self.world.merge(survivor, merged)

    def go_on(self, steps: int) -> None:
        most_likely = [self.change, self.link, self.link, self.unlink]
        steps_taken = st.sampled_from([*most_likely, self.archive, self.restore, self.merge, self.make])
        for _ in range(self.data.draw(st.integers(0, steps), label="steps")):
            self.data.draw(steps_taken, label="step")(self.data.draw(st.sampled_from(ROOTS), label="of"))

    def pool(self, *names: str) -> Pool:
        records = [self.world[id_] for name in names for id_ in self.ids[name]]
        return {kind: [each.values[kind] for each in records if kind in each.values] for kind in KINDS}

    def _live(self, name: str) -> int | None:
        live = [id_ for id_ in self.ids[name] if not self.world[id_].is_archived]
        return self.data.draw(st.sampled_from(live), label=name) if live else None

    def _pair(self, name: str) -> tuple[int, int] | None:
        type_id = self.schema.pairs[name].type_id
        pairs = [(id_, other) for id_ in self.ids["contact"] for end, other in self.world[id_].ends if end == type_id]
        return self.data.draw(st.sampled_from(sorted(pairs)), label="pair") if pairs else None


def typed(properties: Mapping[str, Property], raw: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: read_value(properties[name], value) for name, value in raw.items()}
    return {name: value for name, value in values.items() if value is not None}


# The test ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("root", ROOTS)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_conditions_agree_with_a_plain_evaluation(schema: Schema, root: str, data: st.DataObject) -> None:
    with transaction.atomic():
        story = Story(schema, data)
        for name in ("contact", "contact", "contact", "company", "company"):
            story.make(name)
        story.go_on(8)
        before, known = deepcopy(story.world), set(story.ids[root])
        last = ChangeSet.objects.order_by("-id").values_list("id", flat=True)[0]
        story.go_on(6)
        sql.claim(list(ChangeSet.objects.filter(id__gt=last).values_list("id", flat=True)))

        own, others = story.pool(root), story.pool(*ROOTS)
        alone = data.draw(filters(schema.type_ids(root), own, others), label="filters")
        group = st.lists(st.sampled_from(alone), min_size=1, max_size=3)
        trees = data.draw(st.lists(st.lists(group, min_size=1, max_size=3), max_size=5), label="trees")
        trees += [[[raw]] for raw in alone]
        criteria = [read_criteria(groups, object_type(root)) for groups in trees]

        now = set(story.ids[root])
        records = Record.objects.filter(id__in=now)
        for groups, met in zip(trees, answers(records, [each.q() for each in criteria]), strict=True):
            assert met == meeting(groups, story.world, now, NOW), groups
        # The state before is dear to ask for: some of the filters, and none of them less often than others.
        some = range(len(trees))[data.draw(st.integers(0, 3)) :: 4]
        conditions = [criteria[number].before_q() for number in some]
        met_before = answers(records.filter(id__in=known), conditions)
        not_before = answers(records.filter(id__in=known), [~condition for condition in conditions])
        for number, met, not_met in zip(some, met_before, not_before, strict=True):
            assert met == known - not_met == meeting(trees[number], before, known, NOW), trees[number]
        transaction.set_rollback(True)


def answers(records: QuerySet[Record], conditions: list[Q]) -> list[set[int]]:
    """For each condition the records that meet it, by one query for all of them."""
    columns = [
        Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())
        for condition in conditions
    ]
    answered = list(records.values_list("id", *columns))
    return [{id_ for id_, *met in answered if met[number]} for number in range(len(conditions))]


@pytest.mark.parametrize("groups", [[], [[]], [[], []]])
def test_no_group_is_met_by_nobody_and_an_empty_one_by_everybody(groups: list[list[Any]], schema: Schema) -> None:
    contact = save("contact", [{"words": "x"}]).records[0]
    criteria = read_criteria(groups, contact.object_type)
    assert list(Record.objects.filter(criteria.q())) == ([contact] if groups else [])
