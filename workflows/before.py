"""How things were before a set of change sets: the other half of "comes to meet".

Change sets remember what they changed: a record event keeps the properties as they were, the ledger what was added and
removed, and an association row names the change set that made it. So the same filters can be asked of the state before,
as conditions on today's rows, for a whole batch of change sets at once.

The change sets in question are those of ClaimedChangeSet. Called by criteria.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import models
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from associations import sql
from associations.models import Association, AssociationEnd, FormerAssociation, RecordEvent
from associations.types import DirectedType

# A test of properties, given the column in which they stand.
Test = Callable[[str], Q]


class ClaimedChangeSet(models.Model):
    """The change sets that the running transaction looks at (see workflows.sql.claim): a view, on SQLite a temporary
    table."""

    id = models.BigIntegerField(primary_key=True)

    class Meta:
        managed = False
        db_table = "workflows_claimedchangeset"

    def __str__(self) -> str:
        return str(self.id)


def claimed() -> QuerySet[ClaimedChangeSet, Any]:
    return ClaimedChangeSet.objects.values("id")


def claimed_events() -> QuerySet[RecordEvent]:
    return RecordEvent.objects.filter(sql.InArray(F("change_set"), claimed()))


def oldest_events() -> QuerySet[RecordEvent]:
    """The first event of each record: its `before` is how the record was before all of them."""
    return RecordEvent.objects.filter(sql.InArray(F("pk"), _first_of_each(claimed_events())))


def _first_of_each(events: QuerySet[RecordEvent]) -> QuerySet[Any, Any]:
    return events.order_by().values("record").annotate(first=Min("id")).values("first")


def gained(directed: DirectedType) -> Iterator[QuerySet[Any, Any]]:
    """The ids of records that got an association under a type, be it gone again (association by change set, former
    association by added_by). Of the tables themselves: through the view of both SQLite reads all there is."""
    for own, _ in directed.orientations:
        for table, came_by in ((Association, "change_set"), (FormerAssociation, "added_by")):
            yield table.objects.filter(sql.InArray(F(came_by), claimed()), type=directed.type.pk).values(own)


def lost(directed: DirectedType) -> Iterator[QuerySet[Any, Any]]:
    """The ids of records that lost an association under a type (former association by removed_by)."""
    for own, _ in directed.orientations:
        gone = FormerAssociation.objects.filter(sql.InArray(F("removed_by"), claimed()), type=directed.type.pk)
        yield gone.values(own)


def properties_q(test: Test, record: str = "pk", column: str = "properties") -> Q:
    """Whether the record named by `record`, whose properties stand in `column` today, met a test before."""
    first = _first_of_each(claimed_events().filter(record=OuterRef("record")))
    own = Exists(RecordEvent.objects.filter(test("before"), record=OuterRef(record), pk=Subquery(first)))
    changed = Exists(claimed_events().filter(record=OuterRef(record)))
    return Q(own) | (~Q(changed) & test(column))


def association_q(directed: DirectedType, record: str = "pk", test: Test | None = None) -> Q:
    """Whether the record had an associated one under a type before, whose properties then met a test."""
    ends = AssociationEnd.objects.filter(record_id=OuterRef(record), type_id=directed.type_id)
    stayed = ends.exclude(change_set__in=claimed()).filter(_was_live("other"))
    if test is not None:
        stayed = stayed.filter(properties_q(test, "other_id", "other__properties"))
    had = Q(Exists(stayed))
    for own, other in directed.orientations:
        gone = FormerAssociation.objects.filter(
            _was_live(other), type=directed.type.pk, removed_by__in=claimed(), **{f"{own}_id": OuterRef(record)}
        ).exclude(added_by__in=claimed())
        if test is not None:
            gone = gone.filter(properties_q(test, f"{other}_id", f"{other}__properties"))
        had |= Q(Exists(gone))
    return had


def _was_live(record: str) -> Q:
    """Whether a joined record was live before: what first happened to it says so, or it is as it was."""
    kinds = (RecordEvent.Kind.ARCHIVED, RecordEvent.Kind.MERGED, RecordEvent.Kind.RESTORED)
    events = claimed_events().filter(record=OuterRef(f"{record}_id"), kind__in=kinds)
    first = Coalesce(Subquery(events.order_by("id").values("kind")[:1]), Value(""))
    live_now = Q(**{f"{record}__archived_at__isnull": True})
    return ~Q(Exact(first, Value(RecordEvent.Kind.RESTORED))) & (~Q(Exact(first, Value(""))) | live_now)
