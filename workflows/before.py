"""How things were before a set of change sets: the other half of "comes to meet".

Change sets remember what they changed: a record event keeps the properties as they were, the ledger what was added and
removed, and an association row names the change set that made it. So the same filters can be asked of the state before,
as conditions on today's rows, for a whole batch of change sets at once.

The change sets in question are those of ClaimedChangeSet. Called by criteria.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.models import Exists, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from associations.models import AssociationChange, AssociationEnd, FormerAssociation, RecordEvent
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
    return RecordEvent.objects.filter(change_set__in=claimed())


def oldest_events() -> QuerySet[RecordEvent]:
    """The first event of each record: its `before` is how the record was before all of them."""
    first = claimed_events().order_by().values("record").annotate(first=Min("id")).values("first")
    return RecordEvent.objects.filter(id__in=first)


def claimed_changes(directed: DirectedType, *, added: bool) -> QuerySet[AssociationChange]:
    return AssociationChange.objects.filter(change_set__in=claimed(), type=directed.type.pk, added=added)


def properties_q(test: Test, record: str = "pk", column: str = "properties") -> Q:
    """Whether the record named by `record`, whose properties stand in `column` today, met a test before."""
    own = Exists(oldest_events().filter(test("before"), record=OuterRef(record)))
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
