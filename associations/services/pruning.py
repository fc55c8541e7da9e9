"""Forget what happened long ago: events of records, associations that are gone with the claims on them, and changes
that left nothing else.

What is there keeps its provenance however old it is: a change that an association names stays. Called by the workflows'
pruning; change by change in small transactions, so that nobody waits for it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from associations import sql
from associations.models import Association, ChangeSet, FormerAssociation, RecordEvent

CHANGE_SETS = 1_000


def prune_changes(before: dt.datetime, keep: QuerySet[ChangeSet] | None = None) -> Counter[str]:
    """Forget the changes made before a moment, that workflows have looked at; how many rows of what went.

    `keep`: change sets that somebody else refers to; they stay, without their events.
    """
    gone: Counter[str] = Counter()
    last = 0
    old = (
        ChangeSet.objects.filter(at__lt=before, processed_at__isnull=False).order_by("id").values_list("id", flat=True)
    )
    while ids := list(old.filter(id__gt=last)[:CHANGE_SETS]):
        last = ids[-1]
        with transaction.atomic():
            gone += _prune(ids, keep)
    if stale := sql.forget_stale_claims(last + 1):
        gone["claims"] = stale
    return gone


def _prune(ids: Iterable[int], keep: QuerySet[ChangeSet] | None) -> Counter[str]:
    sets = ChangeSet.objects.filter(id__in=ids)
    gone = {
        "record events": RecordEvent.objects.filter(change_set__in=ids)._raw_delete(using=sets.db),
        "former associations": FormerAssociation.objects.filter(removed_by__in=ids)._raw_delete(using=sets.db),
    }
    unnamed = sets.filter(
        ~Exists(Association.objects.filter(change_set=OuterRef("pk"))),
        ~Exists(Association.objects.filter(origin=OuterRef("pk"))),
        ~Exists(FormerAssociation.objects.filter(added_by=OuterRef("pk"))),
    )
    if keep is not None:
        unnamed = unnamed.exclude(pk__in=keep.values("pk"))
    gone["changes"] = unnamed._raw_delete(using=sets.db)
    return Counter(gone)
