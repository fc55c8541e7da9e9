"""What actions said of a record last: for a record that was not associated, why not, and what was looked for.

Reads for `why`; a number of queries that does not grow with anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef

from associations.comparison import match_key
from associations.models import Property, Record
from associations.querysets import Surroundings
from workflows.actions import ACTIONS
from workflows.actions.create_associations import CreateConfig
from workflows.models import ActionOutcome, ActionRun, Enrollment, Workflow
from workflows.querysets import outcomes_of
from workflows.sentences import Sentence, action_sentence

# How many enrollments of a record are looked at.
MOST_ENROLLMENTS = 20


@dataclass(frozen=True)
class Comparison:
    """How the values that an action matches on compare today."""

    own: Property
    other: Property
    own_value: str
    other_value: str
    matches: bool

    def __str__(self) -> str:
        words = [
            f"the {prop.object_type.label.lower()}’s {prop} {f'“{value}”' if value else 'without a value'}"
            for prop, value in ((self.own, self.own_value), (self.other, self.other_value))
        ]
        return f"{words[0]} {'matches' if self.matches else 'does not match'} {words[1]}"


@dataclass(frozen=True)
class Attempt:
    """What an action said of an enrolled record when it last ran. `outcome.action_run` has its batch, run, workflow and
    revision loaded."""

    record: Record
    outcome: ActionOutcome
    sentence: Sentence
    today: Comparison | None

    @property
    def action_run(self) -> ActionRun:
        return self.outcome.action_run


class Sentences:
    """Action runs in words, by the revision that they ran; what is around an object type is read once."""

    def __init__(self) -> None:
        self._around: dict[int, Surroundings] = {}

    def around(self, action_run: ActionRun) -> Surroundings:
        object_type = action_run.batch.run.workflow.object_type
        return self._around.setdefault(object_type.pk, Surroundings(object_type))

    def of(self, action_run: ActionRun) -> Sentence:
        raw = definition_of(action_run)
        return action_sentence(raw["kind"], raw["fields"], self.around(action_run))


def definition_of(action_run: ActionRun) -> dict[str, Any]:
    definition: dict[str, Any] = action_run.batch.run.revision.definition["actions"][action_run.position]
    return definition


def attempts(record: Record, other: Record | None = None) -> list[Attempt]:
    """The last outcomes of a record in each action that it went through, the newest first.

    With `other` only of actions about its object type, and how the values of the two compare today.
    """
    enrollments = list(
        Enrollment.objects.filter(record=record)
        .select_related("batch__run__workflow__object_type", "batch__run__revision")
        .order_by("-id")[:MOST_ENROLLMENTS]
    )
    outcomes = outcomes_of(enrollments)
    sentences = Sentences()
    seen: set[tuple[int, str]] = set()
    found = []
    for enrollment in enrollments:
        told = set()
        for outcome in outcomes.get(enrollment.pk, ()):
            outcome.action_run.batch = enrollment.batch
            raw = definition_of(outcome.action_run)
            action = (enrollment.workflow_id, repr(raw))
            told.add(action)
            if action in seen or not _is_about(raw, other):
                continue
            today = _compare(raw, sentences.around(outcome.action_run), record, other) if other else None
            found.append(Attempt(record, outcome, sentences.of(outcome.action_run), today))
        seen |= told
    return found


def never_enrolled(record: Record, other: Record) -> list[Workflow]:
    """The live workflows that would associate such records, and in which this one never was."""
    enrollments = Enrollment.objects.filter(workflow=OuterRef("pk"), record=record)
    live = Workflow.objects.filter(is_enabled=True, object_type=record.object_type).exclude(Exists(enrollments))
    return [each for each in live.select_related("revision") if _associates(each, other)]


def _associates(workflow: Workflow, other: Record) -> bool:
    actions: Iterable[dict[str, Any]] = workflow.revision.definition["actions"] if workflow.revision else ()
    return any(raw["kind"] == "create_associations" and _is_about(raw, other) for raw in actions)


def _is_about(raw: dict[str, Any], other: Record | None) -> bool:
    return other is None or raw["fields"].get("to_object_type") == other.object_type.type_id


def _compare(raw: dict[str, Any], around: Surroundings, record: Record, other: Record) -> Comparison | None:
    """None for an action that matches nothing, or that can no longer be read: its sentence says so."""
    try:
        config = ACTIONS[raw["kind"]].read(raw["fields"], around.object_type, around)
    except (KeyError, ValidationError):
        return None
    if not isinstance(config, CreateConfig):
        return None
    own, theirs = config.enrolled_property, config.associated_property
    values = (record.properties.get(own.name), other.properties.get(theirs.name))
    keys = [match_key(value, config.comparison) for value in values]
    own_value, other_value = ("" if value is None else str(value) for value in values)
    return Comparison(own, theirs, own_value, other_value, keys[0] is not None and keys[0] == keys[1])
