"""Records put up for review: several records matched, and a person is to pick the one that is meant.

A question is not stored: it is the last outcome `ambiguous` of a record in an action, as long as some record still
matches and the record is associated with none of them in that way. So a question cannot be stale: it goes when values
change, when it is answered here or anywhere else, or when the action runs again and finds one. What is stored is that a
person said "none of these": the candidates ruled out (RuledOut). Called by admin and API.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from associations import sql
from associations.errors import LimitReached, Refused
from associations.models import AssociationEnd, ChangeSet, MatchIndex, MatchKey, Record
from associations.querysets import Surroundings, counted
from associations.services import linking
from associations.services.origin import Origin, open_change_set
from workflows.actions import ACTIONS
from workflows.actions.create_associations import CreateConfig
from workflows.models import ActionOutcome, ActionRun, Enrollment, Outcome, RuledOut, Workflow, WorkflowRevision

# How many of those that match are shown for a question.
MOST_CANDIDATES = 20
# How many questions are counted, among how many of the newest outcomes that may be one. Answered ones stay outcomes.
MOST_COUNTED = 100
MOST_LOOKED_AT = 5_000


@dataclass(frozen=True)
class Asking:
    """An action that puts records up for review, the same one in some revisions of a workflow; `own` and `other` are
    the match indexes of the two values."""

    workflow_id: int
    position: int
    config: CreateConfig
    own: int
    other: int
    revisions: list[int]

    @property
    def type_id(self) -> int:
        return (self.config.label or self.config.unlabeled).type_id

    def matching(self, record_id: Any) -> QuerySet[MatchKey]:
        """The match keys equal to that of a record."""
        key = MatchKey.objects.filter(index=self.own, record_id=_further_in(record_id)).values("key")[:1]
        return MatchKey.objects.filter(index=self.other, key=Subquery(key)).exclude(record_id=record_id)

    def candidates(self, record_id: Any) -> QuerySet[MatchKey]:
        """Those of them that nobody has ruled out since the record was enrolled last."""
        again = Enrollment.objects.filter(
            record=OuterRef("record"),
            workflow=self.workflow_id,
            ordinal__isnull=False,
            batch__gt=OuterRef("action_run__batch"),
            batch__run__undone_at=None,
        )
        ruled_out = RuledOut.objects.filter(
            ~Exists(again),
            record=_further_in(record_id),
            other=OuterRef("record_id"),
            action_run__position=self.position,
            action_run__batch__run__workflow=self.workflow_id,
        )
        return self.matching(record_id).exclude(Exists(ruled_out))


def _further_in(expression: Any) -> Any:
    """What a query refers to, said in a query within it."""
    return OuterRef(expression) if isinstance(expression, OuterRef) else expression


@dataclass(frozen=True)
class Question:
    """Which of `candidates`, the oldest first, belongs to `record`? `count` is how many there are."""

    outcome: ActionOutcome
    asked: Asking
    record: Record
    candidates: list[Record]
    count: int

    @property
    def action_run(self) -> ActionRun:
        return self.outcome.action_run

    @property
    def config(self) -> CreateConfig:
        return self.asked.config


@dataclass(frozen=True)
class Waiting:
    """How many questions are open; `is_more`: or more, counting ended there."""

    count: int
    is_more: bool

    def __str__(self) -> str:
        return counted(self.count + self.is_more, self.count)

    def __bool__(self) -> bool:
        return self.count > 0


def questions(workflow: Workflow | None = None) -> QuerySet[ActionOutcome]:
    """The open questions, the newest first, of all workflows or of one: three queries, and two for each object type of
    a workflow that puts up for review, before the one that this is (up_for_review, match key lookup, enrolled once)."""
    is_open = Q(pk__in=[])
    for each in _asking(workflow):
        of_action = Q(action_run__batch__run__revision__in=each.revisions, action_run__position=each.position)
        matching: Any = each.matching(OuterRef(OuterRef("record_id")))
        answered = AssociationEnd.objects.filter(
            record_id=OuterRef("record_id"), type_id=each.type_id, other_id__in=matching.values("record_id")
        )
        is_open |= of_action & Q(Exists(each.candidates(OuterRef("record_id")))) & ~Q(Exists(answered))
    later = Enrollment.objects.filter(  # also those without an ordinal: looked at again, to keep in sync
        record=OuterRef("record"),
        workflow=OuterRef("action_run__batch__run__workflow"),
        batch__action_runs__gt=OuterRef("action_run"),
        batch__action_runs__position=OuterRef("action_run__position"),
        batch__action_runs__record_outcomes__record=OuterRef("record"),
    )
    is_open &= Q(action_run__batch__run__undone_at=None, record__archived_at=None) & ~Q(Exists(later))
    # As a CASE, asked of one outcome after the other until there are enough: as joins the planner would read all the
    # associations and match keys there are, however few are shown.
    asked = ActionOutcome.objects.filter(outcome=Outcome.AMBIGUOUS).alias(is_open=Case(When(is_open, then=True)))
    return asked.filter(is_open=True).order_by("-action_run_id", "-record_id")


def waiting(workflow: Workflow | None = None, *, most: int = MOST_COUNTED) -> Waiting:
    """How many questions are open, of all workflows or of one, for a page that must not wait for it."""
    newest = ActionOutcome.objects.filter(outcome=Outcome.AMBIGUOUS).order_by("-action_run_id", "-record_id")
    oldest = newest.values("action_run_id")[MOST_LOOKED_AT : MOST_LOOKED_AT + 1]
    among = questions(workflow).filter(action_run_id__gte=Coalesce(Subquery(oldest), 0))
    count = len(among.values_list("record_id")[: most + 1])
    return Waiting(min(count, most), is_more=count > most or oldest.exists())


def opened(outcomes: Iterable[ActionOutcome]) -> list[Question]:
    """Open questions with their candidates; two or three queries each, so for a page of them, or for one."""
    asking = {(revision, each.position): each for each in _asking() for revision in each.revisions}
    found = []
    for outcome in outcomes:
        asked = asking[outcome.action_run.batch.run.revision_id, outcome.action_run.position]
        candidates = asked.candidates(Value(outcome.record_id)).order_by("record_id")
        ids = list(candidates.values_list("record_id", flat=True)[: MOST_CANDIDATES + 1])
        count = len(ids) if len(ids) <= MOST_CANDIDATES else candidates.count()
        records = Record.objects.select_related("object_type").in_bulk([outcome.record_id, *ids[:MOST_CANDIDATES]])
        shown = [records[id_] for id_ in ids[:MOST_CANDIDATES]]
        found.append(Question(outcome, asked, records[outcome.record_id], shown, count))
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
        if other is None or not asked.asked.matching(Value(record_id)).filter(record_id=other_id).exists():
            raise Refused(f"Record {other_id} does not match, or no longer does.")
        _stage(config, asked.record, other)
        note = f"review of run {run.pk}, {run.workflow}"
        origin = Origin(ChangeSet.Source.USER, user_id=user_id, source_id=action_run_id, note=note)
        linking.associate_staged(config.unlabeled, config.label, open_change_set(origin))
        if sql.refused_pairs(sql.LIMIT_REACHED, 1):
            raise LimitReached(f"{record_id} and {other_id} cannot be associated: a limit is reached.")


def rule_out(action_run_id: int, record_id: int, other_ids: Collection[int], *, user_id: int | None) -> int:
    """A person says that none of these candidates is meant. Returns how many are left; with none the record leaves the
    review, until another one matches or it is enrolled again. The outcome tells who said so.

    Raises Refused where one of them is no candidate, or no longer one.
    """
    asked = question(action_run_id, record_id)
    candidates = set(asked.asked.candidates(Value(record_id)).filter(record_id__in=other_ids).values_list("record_id"))
    if not other_ids or len(candidates) < len(set(other_ids)):
        raise Refused("These are not those that match, or no longer: please look again.")
    RuledOut.objects.bulk_create(
        [
            RuledOut(record_id=record_id, other_id=other, action_run_id=action_run_id, user_id=user_id)
            for (other,) in sorted(candidates)
        ],
        ignore_conflicts=True,  # somebody else says so at the same moment
    )
    return asked.count - len(candidates)


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


def _asking(workflow: Workflow | None = None) -> list[Asking]:
    """The actions that put records up for review and can still be read, of all revisions there were."""
    indexes = {(each.property_id, each.comparison): each.pk for each in MatchIndex.objects.all()}
    written = WorkflowRevision.objects.annotate(written=Cast("definition", TextField())).order_by("id")
    revisions = written.filter(written__contains='"review"', **({"workflow": workflow} if workflow else {}))
    around: dict[int, Surroundings] = {}
    found: dict[tuple[object, ...], Asking] = {}
    for revision in revisions.select_related("workflow__object_type"):
        of_type = revision.workflow.object_type
        known = around.setdefault(of_type.pk, Surroundings(of_type))
        for position, config in _that_ask(revision, known):
            own, other = (
                indexes.get((prop.pk, config.comparison))
                for prop in (config.enrolled_property, config.associated_property)
            )
            if own is not None and other is not None:
                each = Asking(revision.workflow_id, position, config, own, other, [])
                same = (each.workflow_id, position, own, other, each.type_id)
                found.setdefault(same, each).revisions.append(revision.pk)
    return list(found.values())


def _that_ask(revision: WorkflowRevision, around: Surroundings) -> Iterator[tuple[int, CreateConfig]]:
    for position, raw in enumerate(revision.definition["actions"]):
        if raw["fields"].get("several") == "review":
            with suppress(KeyError, ValidationError):
                config = ACTIONS[raw["kind"]].read(raw["fields"], around.object_type, around)
                if isinstance(config, CreateConfig):
                    yield position, config
