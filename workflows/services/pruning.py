"""Forget the history that is older than it is kept for: what actions said of each record, and old changes.

Called by the command `prune_history`. Runs stay with their sums, and so do enrollments: who was enrolled before is not
enrolled again without re-enrollment, however long ago it was.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

from django.db import transaction
from django.utils import timezone

from associations.models import ChangeSet
from associations.services import pruning
from workflows.models import ActionOutcome, ActionRun


def prune_history(days: int) -> Counter[str]:
    """Forget what is older than so many days; how many rows of what went. Doing it again finds nothing."""
    before = timezone.now() - dt.timedelta(days=days)
    gone: Counter[str] = Counter()
    done = ActionRun.objects.filter(finished_at__lt=before, batch__run__finished_at__lt=before).order_by("id")
    for action_run_id in done.values_list("id", flat=True).iterator():
        with transaction.atomic():  # a batch at a time
            outcomes = ActionOutcome.objects.filter(action_run=action_run_id)
            gone["outcomes"] += outcomes._raw_delete(using=outcomes.db)
    named = ChangeSet.objects.filter(pk__in=ActionRun.objects.filter(change_set__isnull=False).values("change_set"))
    return gone + pruning.prune_changes(before, keep=named)
