"""Test a workflow with one record: the triggers' verdict filter by filter, then what each action would do; nothing is
kept. [H]

The actions are rehearsed whatever the verdict is, as HubSpot's test does. Called by admin, API and command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper

from associations import querysets
from associations.errors import Refused
from associations.models import AssociationEnd, Property, Record
from associations.querysets import Surroundings
from associations.types import DirectedType
from workflows.criteria import AssociatedPropertyFilter, Criteria, Filter, PropertyFilter
from workflows.models import Enrollment, Workflow
from workflows.operators import value_words
from workflows.sentences import Sentence, action_sentence, filter_sentence

from . import lifecycle
from .preview_figures import Row, figures_of
from .rehearsal import read_complete, rehearsed_records

MOST_SHOWN = 5


@dataclass(frozen=True)
class Verdict:
    """Whether the record meets a filter, and with which value; "" where it has none."""

    filter: str
    met: bool
    value: str


@dataclass(frozen=True)
class TriedAction:
    sentence: Sentence
    rows: list[Row]


@dataclass(frozen=True)
class Trial:
    """`groups` enroll, `suppression` keeps out; `note` says where earlier enrollments stand in the way."""

    record: Record
    groups: list[list[Verdict]]
    suppression: list[list[Verdict]]
    note: str
    actions: list[TriedAction]

    @property
    def meets(self) -> bool:
        return _met(self.groups)

    @property
    def is_kept_out(self) -> bool:
        return _met(self.suppression)


def _met(groups: list[list[Verdict]]) -> bool:
    return any(all(verdict.met for verdict in group) for group in groups)


def try_record(workflow: Workflow, record_id: int) -> Trial:
    """Test the workflow, as it is edited, with a live record of its type. Raises Refused where there is no such record,
    ValidationError for what could not be turned on."""
    definition = lifecycle.definition_json(workflow)
    read = read_complete(definition, workflow)
    record = querysets.live_records(workflow.object_type, [record_id]).select_related("object_type").first()
    if record is None:
        raise Refused(f"There is no {workflow.object_type.label.lower()} {record_id}, or it is archived.")
    around = Surroundings(workflow.object_type)
    with rehearsed_records(workflow, definition, [record.pk], whatever=True) as run:
        tried = figures_of(run, looked_at=1, of=1)["actions"]
    sentences = [action_sentence(each["kind"], each["fields"], around) for each in definition["actions"]]
    return Trial(
        record=record,
        groups=_verdicts(record, read.triggers.criteria, definition["triggers"], around),
        suppression=_verdicts(record, read.triggers.suppression, definition["suppression"], around),
        note=_note(workflow, record, again=definition["should_re_enroll"]),
        actions=[TriedAction(words, each["rows"]) for words, each in zip(sentences, tried, strict=True)],
    )


def record_meant(workflow: Workflow, text: str) -> Record:
    """The record that a person means by an id, a unique value or its name. Refused where there is none, or several."""
    found = querysets.records_known_as(workflow.object_type, text)
    what = workflow.object_type.label.lower()
    if not found:
        raise Refused(f"There is no {what} {text!r}.")
    if len(found) > 1:
        raise Refused(f"Several records are called {text!r}; give the id of the {what}.")
    return found[0]


def _note(workflow: Workflow, record: Record, *, again: bool) -> str:
    enrolled = Enrollment.objects.filter(workflow=workflow, record=record, ordinal__isnull=False)
    if enrolled.filter(state=Enrollment.State.ACTIVE).exists():
        return "It is enrolled now, and is not enrolled a second time."
    if not again and enrolled.exists():
        return "It was enrolled before, and re-enrollment is off."
    return ""


def _verdicts(
    record: Record, criteria: Criteria, raw: Sequence[Sequence[Mapping[str, Any]]], around: Surroundings
) -> list[list[Verdict]]:
    """All filters are asked by one query."""
    asked = [ExpressionWrapper(each.q(), output_field=BooleanField()) for each in criteria.filters]
    met = iter(Record.objects.filter(pk=record.pk).values_list(*asked).get() if asked else ())
    return [
        [
            Verdict(filter_sentence(given, around).text, bool(next(met)), _value(each, record))
            for given, each in zip(raw_group, group, strict=True)
        ]
        for raw_group, group in zip(raw, criteria.groups, strict=True)
    ]


def _value(given: Filter, record: Record) -> str:
    """What the record has for a filter: its value, those of the associated records, or which these are."""
    if isinstance(given, PropertyFilter):
        return _words(given.prop, record)
    others = _associated(record, given.directed_types[0])
    shown = others.select_related("other__object_type").order_by("other")[: MOST_SHOWN + 1]
    of = given.filter.prop if isinstance(given, AssociatedPropertyFilter) else None
    texts = [_words(of, each.other) or "no value" if of else str(each.other) for each in shown]
    return ", ".join(texts[:MOST_SHOWN]) + (", …" if len(texts) > MOST_SHOWN else "")


def _associated(record: Record, directed: DirectedType) -> Any:
    return AssociationEnd.objects.filter(record=record, type_id=directed.type_id, other__archived_at__isnull=True)


def _words(prop: Property, record: Record) -> str:
    value = record.properties.get(prop.name)
    return "" if value is None else value_words(prop, value)
