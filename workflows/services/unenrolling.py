"""Take records out of a workflow by hand. Called by the API."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from associations import querysets
from workflows.models import Enrollment, Workflow


def unenroll_records(workflow: Workflow, ids: Iterable[int]) -> int:
    """Leave out the actions that are not done yet for these records; how many were enrolled. Those that are not, or
    no longer, are no error."""
    with transaction.atomic():
        enrolled = Enrollment.objects.filter(workflow=workflow, state=Enrollment.State.ACTIVE, ordinal__isnull=False)
        mine = enrolled.filter(record__in=querysets.live_records(workflow.object_type, ids))
        return mine.update(state=Enrollment.State.UNENROLLED, ended_at=timezone.now())
