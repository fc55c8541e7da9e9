"""What a workflow does, in plain words, for whoever shows definitions to people.

A part that cannot be read (in an old revision, whose label is gone) says so in its place; nothing here raises for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from associations.querysets import Surroundings
from associations.types import DirectedType

from .actions import ACTIONS
from .criteria import AssociatedPropertyFilter, AssociationFilter, Filter, PropertyFilter, read_filter
from .flows.problems import UNSUPPORTED
from .operators import OPERATORS, value_words
from .schedules import read_schedule
from .triggers import ASSOCIATED, LABEL_ADDED, EventTrigger, read_event


@dataclass(frozen=True)
class Sentence:
    """`title` is the kind of action; `is_broken` where the text is the reason why it cannot be read."""

    text: str
    title: str = ""
    is_broken: bool = False


@dataclass(frozen=True)
class Description:
    """A definition in words: when it starts, by events or a schedule, if not by coming to meet the filters; groups of
    filters (all of any one group) that enroll, and that keep out; the actions in order."""

    starts: list[Sentence]
    groups: list[list[Sentence]]
    suppression: list[list[Sentence]]
    actions: list[Sentence]


def describe(definition: Mapping[str, Any], around: Surroundings) -> Description:
    """The words of a definition, as revisions keep it. Several definitions share what is around."""
    return Description(
        starts=_starts(definition, around),
        groups=[[filter_sentence(raw, around) for raw in group] for group in definition.get("triggers", [])],
        suppression=[[filter_sentence(raw, around) for raw in group] for group in definition.get("suppression", [])],
        actions=[action_sentence(raw["kind"], raw["fields"], around) for raw in definition["actions"]],
    )


def action_sentence(kind: str, fields: Mapping[str, Any], around: Surroundings) -> Sentence:
    action = ACTIONS.get(kind)
    if kind == UNSUPPORTED:
        return Sentence(fields["reason"], fields["title"], is_broken=True)
    if action is None:
        return Sentence(f"There is no kind of action called {kind!r}.", kind, is_broken=True)
    return _sentence(lambda: action.sentence(action.read(fields, around.object_type, around)), action.label)


def filter_sentence(raw: Mapping[str, Any], around: Surroundings) -> Sentence:
    return _sentence(lambda: _filter_words(read_filter(raw, around.object_type, around)))


def _starts(definition: Mapping[str, Any], around: Surroundings) -> list[Sentence]:
    starts = [_event_sentence(raw, around) for raw in definition.get("events", [])]
    if schedule := definition.get("schedule"):
        starts.append(_sentence(lambda: str(read_schedule(schedule))))
    problems = definition.get("unsupported", [])
    return [*starts, *(Sentence(f"{each['in']}: {each['message']}", is_broken=True) for each in problems)]


def _event_sentence(raw: Mapping[str, Any], around: Surroundings) -> Sentence:
    return _sentence(lambda: _event_words(read_event(raw, around)))


def _sentence(read: Callable[[], str], title: str = "") -> Sentence:
    try:
        return Sentence(read(), title)
    except ValidationError as error:
        return Sentence(" ".join(error.messages), title, is_broken=True)


def _event_words(given: EventTrigger) -> str:
    if given.prop:
        to = " or ".join(value_words(given.prop, value) for value in given.values) or "any value" * given.known
        return f"when {given.prop} changes" + (f" to {to}" if to else "")
    if given.directed is None:
        return "when it is created"
    if given.event == ASSOCIATED:
        return f"when an associated {given.directed.other_type.label.lower()} is added"
    return f"when the label {given.directed} is {'added' if given.event == LABEL_ADDED else 'removed'}"


def _filter_words(given: Filter) -> str:
    match given:
        case PropertyFilter():
            return _property_words(given)
        case AssociatedPropertyFilter():
            return f"has {_other(given.directed)} whose {_property_words(given.filter)}"
        case AssociationFilter(has=True):
            return f"has {_other(given.directed)}"
        case AssociationFilter():
            return f"has no {_other(given.directed).partition(' ')[2]}"
    raise AssertionError(given)


def _other(directed: DirectedType) -> str:
    other = f"an associated {directed.other_type.label.lower()}"
    return other if directed.type.is_unlabeled else f"{other} labelled {directed}"


def _property_words(given: PropertyFilter) -> str:
    operator = OPERATORS[given.prop.type][given.operator]
    values = [value_words(given.prop, value) for value in given.values]
    if "…" in operator:
        words = f"{given.prop} {operator.replace('…', values[0])}"
    else:
        joint = " and " if given.operator == "is_between" else " or "
        words = f"{given.prop} {operator} {joint.join(values)}".rstrip()
    return f"{words}, or has no value" if given.or_no_value else words


def in_lines(definition: Mapping[str, Any], around: Surroundings) -> list[str]:
    """A definition in words, a line for each part, so that two of them can be compared."""
    described = describe(definition, around)
    names = {each.name: each.label for each in around.properties(around.object_type)}
    lines = [f"Starts: {start.text}" for start in described.starts]
    for title, groups in (("Enrolls", described.groups), ("Keeps out", described.suppression)):
        for number, group in enumerate(groups, 1):
            lines += [f"{title}, group {number}: {each.text}" for each in group]
    lines.append(f"Re-enrollment is {'on' if definition.get('should_re_enroll') else 'off'}")
    marked = definition.get("re_enrollment_properties", [])
    lines += [f"Enrolls again when {names.get(name, name)} changes" for name in marked]
    if definition.get("unenroll"):
        lines.append("Unenrolls those who no longer meet the filters")
    return [*lines, *(f"{each.title}: {each.text}" for each in described.actions)]
