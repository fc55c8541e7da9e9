"""What revisions mean, read once and remembered as long as nothing that they may refer to changes.

To read a definition takes more time than the statements of an action for one record. A revision never changes; labels,
properties and limits do, so what was read is good for one version of the schema. Called by execution and events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from associations import sql
from associations.models import ObjectType
from associations.querysets import Surroundings
from workflows.models import WorkflowRevision
from workflows.triggers import Triggers, read_triggers

from .lifecycle import Definition, read_definition

T = TypeVar("T")
MOST = 1_000
Version = tuple[str, ...]
Statement = tuple[str, Sequence[Any]]
_statements: dict[tuple[object, ...], tuple[Sequence[object], Statement]] = {}
_remembered: dict[tuple[str, int, int, int], tuple[Version, Any, Any]] = {}


def schema_version() -> Version:
    """Another one after every change of an object type, a property or a label."""
    return sql.schema_version()


def definition_of(revision: WorkflowRevision, object_type: ObjectType, version: Version) -> Definition:
    """What a revision says. Raises ValidationError where it refers to something that is gone."""
    return _remember(
        "definition", revision, object_type, version, lambda: read_definition(revision.definition, object_type)
    )


def triggers_of(revision: WorkflowRevision, around: Surroundings, version: Version) -> Triggers:
    """The triggers of a revision. Raises ValidationError where they refer to something that is gone."""
    object_type = around.object_type
    read = partial(read_triggers, revision.definition, object_type, around)
    return _remember("triggers", revision, object_type, version, read)


def statement_of(question: str, asked: Sequence[object], compile_it: Callable[[], Statement]) -> Statement:
    """The statement that asks something of the claimed change sets for triggers or actions that are remembered: the
    same every time, unless they move. To put it together takes several times as long as to run it."""
    if any(getattr(each, "moves", False) for each in asked):
        return compile_it()
    key = question, *map(id, asked)
    if known := _statements.get(key):  # which keeps them, so that no other ones have their ids
        return known[1]
    statement = compile_it()
    if len(_statements) >= MOST:
        _statements.clear()
    _statements[key] = asked, statement
    return statement


def _remember(
    what: str, revision: WorkflowRevision, object_type: ObjectType, version: Version, read: Callable[[], T]
) -> T:
    key = (what, revision.pk, revision.workflow_id, object_type.pk)
    known = _remembered.get(key)
    if known and known[:2] == (version, revision.definition):
        return cast(T, known[2])
    value = read()
    if len(_remembered) >= MOST:
        _remembered.clear()
    _remembered[key] = version, revision.definition, value
    return value
