"""What may be wrong with a workflow that could be turned on: read from its definition and from the others that are on.

Findings with their reason, never hindrances. Nothing of the records is counted here (see preview for that); whether a
label is on any association at all is the one thing that is asked of them. Called by admin, API and command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from associations.comparison import match_key
from associations.models import Association, ChangeSet, ObjectType, Property
from associations.services import figures
from associations.types import DirectedType
from workflows.actions.apply_label import MATCHING, ApplyConfig
from workflows.actions.create_associations import CreateConfig
from workflows.actions.remove_labels import RemoveConfig
from workflows.actions.update_labels import REPLACE, UpdateConfig
from workflows.models import Workflow
from workflows.triggers import LABEL_REMOVED

from . import lifecycle
from .contradictions import contradiction
from .lifecycle import Definition, read_definition


@dataclass(frozen=True)
class Finding:
    """`where` is the part of the workflow that it is about."""

    where: str
    text: str


@dataclass(frozen=True)
class Effects:
    """The association types, by id, of which an action may add and remove rows, in the order of its doing so."""

    adds: frozenset[int]
    removes: frozenset[int]


def warnings_of(workflow: Workflow) -> list[Finding]:
    """What is worth a look in the workflow as it is edited. Raises ValidationError for what cannot be read."""
    definition = lifecycle.definition_json(workflow)
    read = read_definition(definition, workflow.object_type)
    others = _others_on(workflow)
    return [
        *_never_met(definition, read),
        *_never_matching(read),
        *_undone(read, others),
        *_doing_nothing(read, others),
        *_circles(workflow, read, others),
    ]


def _others_on(workflow: Workflow) -> list[tuple[Workflow, Definition]]:
    found = []
    on = Workflow.objects.filter(is_enabled=True).exclude(pk=workflow.pk).select_related("object_type", "revision")
    for other in on:
        assert other.revision is not None  # live_workflow_has_revision
        try:
            found.append((other, read_definition(other.revision.definition, other.object_type)))
        except ValidationError:  # its own page says what is wrong with it
            continue
    return found


# Triggers ---------------------------------------------------------------------------------------


def _never_met(definition: Mapping[str, Any], read: Definition) -> Iterator[Finding]:
    groups = read.criteria.groups
    reasons = [contradiction(group) for group in groups]
    kept_out = [list(group) for group in definition["suppression"]]
    for place, raw in enumerate(definition["triggers"]):
        if any(all(each in raw for each in group) for group in kept_out if group):
            reasons[place] = reasons[place] or "whoever meets it is kept out by the suppression filters"
    for number, reason in enumerate(reasons, 1):
        if reason:
            yield Finding(f"Triggers, group {number}", f"can never be met: {reason}.")
    if groups and all(reasons):
        yield Finding("Triggers", "Nobody can ever meet them.")


# Values -----------------------------------------------------------------------------------------


def _never_matching(read: Definition) -> Iterator[Finding]:
    for number, (_, config) in enumerate(read.actions, 1):
        if isinstance(config, CreateConfig) or (isinstance(config, ApplyConfig) and config.apply_to == MATCHING):
            own, theirs = config.enrolled_property, config.associated_property
            assert own is not None
            assert theirs is not None
            if reason := _incomparable(own, theirs, config.comparison):
                yield Finding(f"Action {number}", f"can never match: {reason}.")


def _incomparable(own: Property, theirs: Property, comparison: str) -> str | None:
    """Why two properties can never hold equal values."""
    one, other = _possible(own), _possible(theirs)
    if one is not None and other is not None and not _keys(one, comparison) & _keys(other, comparison):
        return f"{own} and {theirs} have no option in common"
    for prop, options in ((own, one), (theirs, other)):
        if options is not None and not _keys(options, comparison):
            return f"no option of {prop} is a value when compared as a {comparison}"
    if comparison in ("phone", "domain"):
        for prop in (own, theirs):
            if prop.type in (Property.Type.BOOL, Property.Type.DATE, Property.Type.DATETIME):
                return f"{prop} never holds a {'phone number' if comparison == 'phone' else comparison}"
    return None


def _possible(prop: Property) -> list[str] | None:
    """All values that a property can have; None where there is no end of them."""
    if prop.type == Property.Type.BOOL:
        return ["true", "false"]
    if prop.type == Property.Type.ENUMERATION and prop.field_type != Property.FieldType.CHECKBOX:
        return prop.option_values
    return None


def _keys(values: Iterable[str], comparison: str) -> set[bytes]:
    return {key for value in values if (key := match_key(value, comparison)) is not None}


# Effects ----------------------------------------------------------------------------------------


def effects_of(config: Any) -> Effects:
    """Which association types an action writes. Where associations go, all their labels go."""
    match config:
        case CreateConfig():
            return Effects(_ids([config.unlabeled, *([config.label] if config.label else [])]), frozenset())
        case ApplyConfig():
            return Effects(_ids([config.label]), frozenset())
        case UpdateConfig():
            gone = [config.existing_label] if config.mode == REPLACE else []
            return Effects(_ids([config.new_label]), _ids(gone))
        case RemoveConfig():
            gone = [config.unlabeled] if config.remove_associations else []
            return Effects(frozenset(), _ids([*config.labels, *gone]))
    return Effects(frozenset(), frozenset())


def _ids(types: Iterable[DirectedType]) -> frozenset[int]:
    return frozenset(directed.type.pk for directed in types)


def _needed(config: Any) -> list[DirectedType]:
    """The types of which there must be rows for an action to do anything."""
    match config:
        case ApplyConfig():
            return [config.unlabeled]
        case UpdateConfig():
            return [config.existing_label]
        case RemoveConfig():
            return list(config.labels)
    return []


def _undone(read: Definition, others: list[tuple[Workflow, Definition]]) -> Iterator[Finding]:
    """A label, or an association, that somebody else takes off again, or that this takes off after another."""
    for number, (_, config) in enumerate(read.actions, 1):
        mine = effects_of(config)
        for later, (_, after) in enumerate(read.actions[number:], number + 1):
            if both := mine.adds & effects_of(after).removes:
                yield Finding(f"Action {number}", f"adds {_words(read, both)}, which action {later} removes again.")
        for other, theirs in others:
            effects = [effects_of(each) for _, each in theirs.actions]
            removed = frozenset().union(*(each.removes for each in effects)) if effects else frozenset()
            added = frozenset().union(*(each.adds for each in effects)) if effects else frozenset()
            if both := mine.adds & removed:
                yield Finding(f"Action {number}", f"adds {_words(read, both)}, which “{other}” removes again.")
            if both := mine.removes & added:
                yield Finding(f"Action {number}", f"removes {_words(read, both)}, which “{other}” adds.")


def _doing_nothing(read: Definition, others: list[tuple[Workflow, Definition]]) -> Iterator[Finding]:
    added: set[int] = set()
    usage = figures.usage_of_types()
    by_others = {id_ for _, theirs in others for _, each in theirs.actions for id_ in effects_of(each).adds}
    for number, (_, config) in enumerate(read.actions, 1):
        needed = _needed(config)
        if needed and not any(_may_be_there(each, added | by_others, usage) for each in needed):
            words = " or ".join(str(each) if each.label else f"{each.other_type.label} at all" for each in needed)
            yield Finding(f"Action {number}", f"can do nothing now: no {_record(needed[0])} is associated as {words}.")
        effects = effects_of(config)
        added = (added | effects.adds) - effects.removes


def _may_be_there(directed: DirectedType, added: set[int], usage: Mapping[int, int]) -> bool:
    """By the sums of what came and went, and by what is not yet summed (association by change set): to look for a type
    that nobody has would be to read all associations."""
    of_type, unsummed = directed.type.pk, ChangeSet.objects.filter(processed_at=None)
    return (
        of_type in added
        or usage.get(of_type, 0) > 0
        or Association.objects.filter(change_set__in=unsummed, type=of_type).exists()
    )


def _record(directed: DirectedType) -> str:
    return directed.record_type.label.lower()


def _words(read: Definition, ids: frozenset[int]) -> str:
    named = {
        directed.type.pk: f"the label {directed.label}" if directed.label else _pair(directed.other_type)
        for references in read.references
        for directed in references.association_types
    }
    return " and ".join(named[id_] for id_ in sorted(ids))


def _pair(other: ObjectType) -> str:
    return f"associations with {other.plural_label.lower()}"


# Circles ----------------------------------------------------------------------------------------


def _circles(workflow: Workflow, read: Definition, others: list[tuple[Workflow, Definition]]) -> Iterator[Finding]:
    """Workflows whose changes enroll in each other: the shortest way from this one back to itself."""
    definitions = {workflow.pk: (workflow, read)} | {other.pk: (other, theirs) for other, theirs in others}
    ways: list[list[int]] = [[workflow.pk]]
    seen: set[int] = set()
    while ways:
        way = ways.pop(0)
        for pk, (_, triggered) in definitions.items():
            if not _sets_off(definitions[way[-1]][1], triggered):
                continue
            if pk == workflow.pk:
                yield _circle([definitions[each] for each in way])
                return
            if pk not in seen:
                seen.add(pk)
                ways.append([*way, pk])


def _sets_off(one: Definition, other: Definition) -> bool:
    if not other.triggers.by_what_happens:
        return False
    effects = [effects_of(config) for _, config in one.actions]
    adds = {id_ for each in effects for id_ in each.adds}
    removes = {id_ for each in effects for id_ in each.removes}
    if events := other.triggers.events:  # what is filtered besides sets nothing off
        named = [(each.directed.type.pk, each.event) for each in events if each.directed]
        return any(id_ in (removes if event == LABEL_REMOVED else adds) for id_, event in named)
    return bool((adds | removes) & other.triggers.criteria.association_type_ids)


def _circle(way: list[tuple[Workflow, Definition]]) -> Finding:
    again = all(workflow.should_re_enroll for workflow, _ in way)
    end = (
        "With re-enrollment on in all of them this goes on until 16 workflows have led to a change, and stops there."
        if again
        else "Without re-enrollment it comes to an end, for a record enrolls once."
    )
    if len(way) == 1:
        return Finding("Triggers", f"What its own actions change can enroll records in it again. {end}")
    names = " → ".join(f"“{workflow}”" for workflow, _ in [*way, way[0]])
    return Finding("Triggers", f"Workflows trigger each other: {names}. {end}")
