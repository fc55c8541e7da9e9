"""Coverage of a create action: how well the values of the two properties cover each other, over all records.

Which records have no value, no match, several; and which on the other side share a value. Counted as sets by match
keys; each number has its list of records. Called by admin and API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from associations import querysets
from associations.models import MatchIndex, Property, Record
from associations.services import match_keys
from associations.sql import coverage as sql
from workflows.actions.create_associations import CreateConfig
from workflows.models import Workflow

from . import lifecycle
from .rehearsal import read_complete

# So many records are read within a moment, where their values were never compared before.
MOST_READ = 10_000
# Those of the enrolled side, and those of the other one.
OWN = {
    sql.NO_VALUE: "without a value",
    sql.NO_MATCH: "without a match",
    sql.ONE_MATCH: "with one match",
    sql.SEVERAL: "with several matches",
}
OTHER = {
    sql.NO_VALUE: "without a value",
    sql.DUPLICATE: "with a value that others have, too",
    sql.SINGLE: "with a value of their own",
}


@dataclass(frozen=True)
class Coverage:
    """Of the action at `position`: how many records of each kind, see OWN and OTHER. None where the values were never
    read and there are too many to do it now."""

    position: int
    config: CreateConfig
    own: dict[str, int] | None
    other: dict[str, int] | None


def coverage_of(workflow: Workflow) -> list[Coverage]:
    """Of each create action of the workflow as it is edited. Raises ValidationError for what could not be turned on."""
    read = read_complete(lifecycle.definition_json(workflow), workflow)
    return [
        _coverage(workflow, position, config)
        for position, (_, config) in enumerate(read.actions)
        if isinstance(config, CreateConfig)
    ]


def _coverage(workflow: Workflow, position: int, config: CreateConfig) -> Coverage:
    indexes = _indexes(config)
    if indexes is None:
        return Coverage(position, config, None, None)
    own = sql.count_kinds(sql.matches(_enrolled(workflow), *indexes))
    others = querysets.live_records(config.unlabeled.other_type)
    other = sql.count_kinds(sql.holders(others, indexes[1]))
    return Coverage(
        position,
        config,
        {kind: own.get(kind, 0) for kind in OWN},
        {kind: other.get(kind, 0) for kind in OTHER},
    )


def records_of(
    workflow: Workflow, position: int, side: str, kind: str, *, after: int = 0, most: int = 50
) -> tuple[list[Record], Property] | None:
    """The records behind one number, in id order after an id, and the property in question. None where there is no such
    number."""
    read = read_complete(lifecycle.definition_json(workflow), workflow)
    config: Any = read.actions[position][1] if position < len(read.actions) else None
    if not isinstance(config, CreateConfig) or kind not in {"own": OWN, "other": OTHER}.get(side, {}):
        return None
    if (indexes := _indexes(config)) is None:
        return None
    if side == "own":
        select, prop = sql.matches(_enrolled(workflow), *indexes), config.enrolled_property
    else:
        others = querysets.live_records(config.unlabeled.other_type)
        select, prop = sql.holders(others, indexes[1]), config.associated_property
    ids = sql.ids_of_kind(select, kind, after, most)
    return list(Record.objects.filter(id__in=ids).select_related("object_type").order_by("id")), prop


def _enrolled(workflow: Workflow) -> Any:
    """The records that the triggers are about: those that meet them, or all where there are none."""
    triggers = read_complete(lifecycle.definition_json(workflow), workflow).triggers
    records = querysets.live_records(workflow.object_type)
    if triggers.criteria.groups:
        records = records.filter(triggers.criteria.q())
    return records.exclude(triggers.suppression.q()) if triggers.suppression.groups else records


def _indexes(config: CreateConfig) -> tuple[MatchIndex, MatchIndex] | None:
    """Of both properties, built where few records are to be read."""
    found = []
    for prop in (config.enrolled_property, config.associated_property):
        index = MatchIndex.objects.filter(property=prop, comparison=config.comparison, built_at__isnull=False).first()
        if index is None:
            if Record.objects.filter(object_type=prop.object_type_id)[: MOST_READ + 1].count() > MOST_READ:
                return None
            index = match_keys.ensure_match_index(prop, config.comparison)
        found.append(index)
    return found[0], found[1]
