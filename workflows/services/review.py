"""Records put up for review: several records matched, and a person is to pick the one that is meant.

A question is not stored: it is the last outcome `ambiguous` of a record in an action, as long as some record still
matches and the record is associated with none of them in that way. So a question cannot be stale: it goes when values
change, when it is answered here or anywhere else, or when the action runs again and finds one. Called by admin and API.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import BigIntegerField, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, TextField, Value

from associations import sql
from associations.errors import LimitReached, Refused
from associations.models import AssociationEnd, ChangeSet, MatchIndex, MatchKey, Record
from associations.querysets import Surroundings
from associations.services import linking
from associations.services.origin import Origin, open_change_set
from workflows.actions import ACTIONS
from workflows.actions.create_associations import CreateConfig
from workflows.models import ActionOutcome, ActionRun, Outcome, WorkflowRevision

# How many of those that match are shown for a question.
MOST_CANDIDATES = 20


@dataclass(frozen=True)
class Question:
    """Which of `candidates`, the oldest first, belongs to `record`? `count` is how many there are."""

    outcome: ActionOutcome
    config: CreateConfig
    record: Record
    candidates: list[Record]
    count: int

    @property
    def action_run(self) -> ActionRun:
        return self.outcome.action_run


def questions() -> QuerySet[ActionOutcome]:
    """The open questions, the newest first: two queries for each action that has some, before the one that this is."""
    is_open = Q(pk__in=[])
    for revision, position, config in _asking():
        of_action = Q(action_run__batch__run__revision=revision, action_run__position=position)
        candidates = _candidates(config, OuterRef("record_id"))
        if candidates is not None:
            matching: Any = _candidates(config, OuterRef(OuterRef("record_id")))
            answered = AssociationEnd.objects.filter(
                record_id=OuterRef("record_id"),
                type_id=(config.label or config.unlabeled).type_id,
                other_id__in=matching.values("record_id"),
            )
            is_open |= of_action & Q(Exists(candidates)) & ~Q(Exists(answered))
    later = ActionOutcome.objects.filter(
        record=OuterRef("record"),
        action_run__gt=OuterRef("action_run"),
        action_run__position=OuterRef("action_run__position"),
        action_run__batch__run__workflow=OuterRef("action_run__batch__run__workflow"),
    )
    found = ActionOutcome.objects.filter(
        is_open, outcome=Outcome.AMBIGUOUS, action_run__batch__run__undone_at=None, record__archived_at=None
    )
    return found.exclude(Exists(later)).order_by("-action_run", "record")


def opened(outcomes: Iterable[ActionOutcome]) -> list[Question]:
    """Open questions with their candidates; two queries each, so for a page of them, or for one."""
    configs = {(revision.pk, position): config for revision, position, config in _asking()}
    found = []
    for outcome in outcomes:
        config = configs[outcome.action_run.batch.run.revision_id, outcome.action_run.position]
        matching = _candidates(config, Value(outcome.record_id))
        assert matching is not None  # it is open
        records = Record.objects.filter(pk__in=matching.values("record_id")).select_related("object_type")
        record = Record.objects.select_related("object_type").get(pk=outcome.record_id)
        candidates = list(records.order_by("id")[: MOST_CANDIDATES + 1])
        count = len(candidates) if len(candidates) <= MOST_CANDIDATES else records.count()
        found.append(Question(outcome, config, record, candidates[:MOST_CANDIDATES], count))
    return found


def question(action_run_id: int, record_id: int) -> Question:
    """One open question. Raises Refused where it is answered, or its values have changed."""
    outcome = questions().filter(action_run=action_run_id, record=record_id).first()
    if outcome is None:
        raise Refused("This is no longer to be decided: it was, or the values have changed.")
    return opened([outcome])[0]


def pick(action_run_id: int, record_id: int, other_id: int, *, user_id: int | None) -> None:
    """Associate the record with the one that a person has picked, as the action would have: with its label, and with
    the values that matched. It is that person's, so no action takes it back.

    Raises Refused where the two no longer match, LimitReached where a limit forbids it.
    """
    asked = question(action_run_id, record_id)
    config = asked.config
    run = asked.action_run.batch.run
    with transaction.atomic():
        linking.hold_ends(config.unlabeled)
        other = Record.objects.filter(pk=other_id, archived_at=None).first()
        matching = _candidates(config, Value(record_id))
        if other is None or matching is None or not matching.filter(record_id=other_id).exists():
            raise Refused(f"Record {other_id} does not match, or no longer does.")
        _stage(config, asked.record, other)
        note = f"review of run {run.pk}, {run.workflow}"
        origin = Origin(ChangeSet.Source.USER, user_id=user_id, source_id=action_run_id, note=note)
        linking.associate_staged(config.unlabeled, config.label, open_change_set(origin))
        if sql.refused_pairs(sql.LIMIT_REACHED, 1):
            raise LimitReached(f"{record_id} and {other_id} cannot be associated: a limit is reached.")


def _stage(config: CreateConfig, record: Record, other: Record) -> None:
    """The pair, with the values that match."""
    values = (
        record.properties.get(config.enrolled_property.name),
        other.properties.get(config.associated_property.name),
    )
    pair = Record.objects.filter(pk=other.pk).values_list(
        Value(record.pk, output_field=BigIntegerField()),
        "pk",
        *(Value(str(value), output_field=TextField()) for value in values),
        Value(sql.ADMITTED, output_field=IntegerField()),
    )
    sql.clear_stage()
    sql.stage_select(*sql.compiled(pair))


def _candidates(config: CreateConfig, record_id: Any) -> QuerySet[MatchKey] | None:
    """The match keys equal to that of a record; None where none are kept any more."""
    indexes = {
        (index.property_id, index.comparison): index.pk
        for index in MatchIndex.objects.filter(
            property__in=[config.enrolled_property, config.associated_property], comparison=config.comparison
        )
    }
    own = indexes.get((config.enrolled_property.pk, config.comparison))
    other = indexes.get((config.associated_property.pk, config.comparison))
    if own is None or other is None:
        return None
    within = OuterRef(record_id) if isinstance(record_id, OuterRef) else record_id  # one query further in
    key = MatchKey.objects.filter(index=own, record_id=within).values("key")[:1]
    return MatchKey.objects.filter(index=other, key=Subquery(key)).exclude(record_id=record_id)


def _asking() -> list[tuple[WorkflowRevision, int, CreateConfig]]:
    """The actions, by revision and position, that have put records up for review and can still be read."""
    asking = ActionRun.objects.filter(kind="create_associations", outcomes__has_key=Outcome.AMBIGUOUS)
    places: dict[int, set[int]] = defaultdict(set)
    for revision_id, position in asking.values_list("batch__run__revision", "position").distinct().order_by():
        places[revision_id].add(position)
    found = []
    around: dict[int, Surroundings] = {}
    for revision in WorkflowRevision.objects.filter(pk__in=places).select_related("workflow__object_type"):
        of_type = revision.workflow.object_type
        known = around.setdefault(of_type.pk, Surroundings(of_type))
        for position in sorted(places[revision.pk]):
            raw = revision.definition["actions"][position]
            try:
                config = ACTIONS[raw["kind"]].read(raw["fields"], of_type, known)
            except (KeyError, ValidationError):
                continue
            if isinstance(config, CreateConfig):
                found.append((revision, position, config))
    return found
