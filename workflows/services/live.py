"""The workflows that are on, and which of them what happened may concern.

With fifty of them on, nearly every change concerns one or two: to ask each for itself would take more time than all
that is done then. Read once, and remembered as long as none is turned on, off or changed. Called by services.events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db.models import Case, F, Max, QuerySet, Value, When

from associations import sql as all_sql
from associations.models import Record, RecordEvent
from associations.querysets import Surroundings
from workflows import sql
from workflows.before import claimed_events
from workflows.models import Workflow
from workflows.triggers import Triggers

from . import remembered
from .syncing import Synced, read_synced

# Restoring a record does not enroll it [H]; archiving takes it out.
KINDS = (RecordEvent.Kind.CREATED, RecordEvent.Kind.CHANGED, RecordEvent.Kind.MERGED)
# Of how many workflows one statement asks.
AT_A_TIME = 50


@dataclass(frozen=True)
class Live:
    """A workflow that is on, and what is looked for on its behalf."""

    workflow: Workflow
    triggers: Triggers
    synced: Synced
    version: remembered.Version  # of the schema that it was read in

    def is_concerned(self, happened: sql.Happened) -> bool:
        """Whether anybody may come in or go out, or is to be kept in sync: by what happened to the records it is for,
        or where it asks for associations by whatever happened."""
        if self.synced or self.workflow.object_type_id in happened.kinds:
            return True
        return bool(self.triggers.association_type_ids and (happened.kinds or happened.to_associations))

    def finds_new_ones_only(self, happened: sql.Happened) -> bool:
        """Whether those who can come in have all just been created: then nobody need be asked how he was before."""
        kinds = happened.kinds.get(self.workflow.object_type_id)
        return self.asks_for_properties_alone and kinds == frozenset([RecordEvent.Kind.CREATED.value])

    @property
    def asks_for_properties_alone(self) -> bool:
        """Whether nobody can come in but records to which something happened and whose own properties are such now."""
        triggers = self.triggers
        return bool(triggers.criteria.groups and all(triggers.criteria.groups)) and not (
            triggers.events or triggers.moves or triggers.criteria.association_type_ids
        )


@lru_cache(maxsize=1)
def live_workflows(version: remembered.Version, _of_live: tuple[str, ...]) -> list[Live]:
    """Those that records enroll in by what happens to them, or that are kept in sync, as they are in these versions of
    the schema and of the workflows that are on (see sql.begin_look)."""
    found = []
    around: dict[int, Surroundings] = {}
    for workflow in Workflow.objects.filter(is_enabled=True).select_related("revision", "object_type"):
        assert workflow.revision is not None  # live_workflow_has_revision
        of_type = around.setdefault(workflow.object_type_id, Surroundings(workflow.object_type))
        try:
            triggers = remembered.triggers_of(workflow.revision, of_type, version)
            synced = read_synced(workflow, of_type)
        except ValidationError:  # something it refers to is gone; the page of the workflow says what
            continue
        if triggers.by_what_happens or synced:
            found.append(Live(workflow, triggers, synced, version))
    return found


def without_candidates(workflows: Iterable[Live]) -> set[int]:
    """The ids of workflows in which none of the records that the claimed change sets touched can be enrolled, for none
    is as they want it now. One statement for many workflows, which reads those records once."""
    by_type: dict[int, list[Live]] = {}
    for live in workflows:
        if live.asks_for_properties_alone:
            by_type.setdefault(live.workflow.object_type_id, []).append(live)
    return {
        live.workflow.pk
        for of_type in by_type.values()
        if len(of_type) > 1  # one alone is asked all at once
        for first in range(0, len(of_type), AT_A_TIME)
        for live in _unwanted(of_type[first : first + AT_A_TIME])
    }


def _unwanted(workflows: Sequence[Live]) -> list[Live]:
    asked = [live.triggers for live in workflows]

    def compiled() -> remembered.Statement:
        return all_sql.compiled(_wanted(workflows))

    [wanted] = all_sql.fetch(*remembered.statement_of("wanted", asked, compiled))
    return [live for live, is_wanted in zip(workflows, wanted, strict=True) if not is_wanted]


def _wanted(workflows: Sequence[Live]) -> QuerySet[Record, tuple[int, ...]]:
    """One row, with 1 for each workflow that some touched record is as it wants it; 0 or NULL for the others."""
    touched = Record.objects.filter(
        all_sql.InArray(F("pk"), claimed_events().filter(kind__in=KINDS).values("record")),
        all_sql.unindexed("object_type_id", workflows[0].workflow.object_type_id),
        archived_at=None,
    )
    all_of_them = touched.order_by().annotate(one=Value(1)).values("one")
    wants = {
        f"wanted_{place}": Max(Case(When(live.triggers.criteria.q(), then=Value(1)), default=Value(0)))
        for place, live in enumerate(workflows)
    }
    return all_of_them.annotate(**wants).values_list(*wants)
