"""Whom the claimed change sets bring into a workflow: one statement, which reads what they touched and no more.

Those to whom something happened are found first, by their ids; then each of them is asked for itself. Left alone the
planner answers the filters for all records at once, which takes the longer the more there are, however few happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, F, Q, QuerySet

from associations import sql as all_sql
from associations.models import Association, Record, RecordEvent
from workflows.before import claimed_events, gained, lost
from workflows.models import Enrollment, Workflow
from workflows.triggers import Triggers, changed

from . import remembered
from .enrollment import of_record
from .live import KINDS, Live

# Rows with the id of a record.
Touched = QuerySet[Any, Any]


def ids_coming_in(live: Live, *, all_new: bool) -> list[int]:
    """Whom the claimed change sets bring into a workflow, in order; `all_new`: they have all just been created."""

    def compiled() -> remembered.Statement:
        records = _coming_in(live.workflow, live.triggers, all_new=all_new)
        return all_sql.compiled(records.order_by("id").values("id"))

    question = "enroll new" if all_new else "enroll"
    return [id_ for (id_,) in all_sql.fetch(*remembered.statement_of(question, [live.triggers], compiled))]


def _coming_in(workflow: Workflow, triggers: Triggers, *, all_new: bool) -> QuerySet[Record]:
    if triggers.events:
        touched = [each for event in triggers.events for each in event.touched()]
        wanted = triggers.criteria.q() if triggers.criteria.groups else Q()
    elif all_new:
        touched, wanted = [claimed_events().values("record")], triggers.criteria.q()
    else:
        touched, wanted = list(_touched(triggers)), triggers.criteria.q() & _newly(triggers)
    if triggers.suppression.groups:
        wanted &= ~triggers.suppression.q()
    wanted &= ~_is_enrolled(workflow)
    first, *more = touched
    records = Record.objects.filter(all_sql.InArray(F("pk"), first.union(*more) if more else first))
    of_type = all_sql.unindexed("object_type_id", workflow.object_type_id)
    return records.filter(of_type, all_sql.each_asked(wanted), archived_at=None)


def _is_enrolled(workflow: Workflow) -> Q:
    """Whether a record is enrolled now; without re-enrollment, whether it ever was."""
    enrolled = of_record(workflow)
    if workflow.revision and workflow.revision.definition["should_re_enroll"]:
        enrolled = enrolled.filter(state=Enrollment.State.ACTIVE)
    return Q(Exists(enrolled))


def _touched(triggers: Triggers) -> Iterator[Touched]:
    """Whom a filter may answer otherwise now: who was changed, whose associations were, and who is associated with one
    that was (record event by change set, association by either end)."""
    yield claimed_events().filter(kind__in=KINDS).values("record")
    for directed in {directed for each in triggers.criteria.filters for directed in each.directed_types}:
        yield from gained(directed)
        yield from lost(directed)
        for own, other in directed.orientations:
            of_changed = all_sql.InArray(F(other), claimed_events().values("record"))
            yield Association.objects.filter(of_changed, type=directed.type.pk).values(own)


def _newly(triggers: Triggers) -> Q:
    """Whether a record did not meet the filters before. Several events of one record are one change, from how it was
    before all of them to now."""
    created = claimed_events().filter(kind=RecordEvent.Kind.CREATED)
    new = Q(pk__in=created.values("record")) | ~triggers.criteria.before_q()
    for prop in triggers.re_enrollment_properties:
        new |= Q(pk__in=changed(prop).values("record"))
    return new
