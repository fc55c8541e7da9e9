"""The bulk job that enrolls selected records in a workflow. Named in settings.BULK_KINDS."""

from __future__ import annotations

from django.urls import reverse

from associations.services.bulk import BulkKind
from workflows.models import Workflow

from . import enrollment


class Enroll(BulkKind):
    """All of them in one run, which says itself how far it is and what came of it."""

    permission = "workflows.run_workflow"

    def count(self) -> int:
        return self.selection().records().count()

    def do(self) -> int | None:
        if self.job.link:
            return None
        workflow = Workflow.objects.select_related("object_type").get(pk=self.job.fields["workflow"])
        ids = list(self.selection().records().filter(archived_at=None).values_list("id", flat=True))
        run = enrollment.enroll_records(workflow, ids, user_id=self.job.started_by_id)
        self.job.link = reverse("admin:workflows_run_change", args=[run.pk])
        return len(ids)

    def finish(self) -> str:
        return f"A run was made for {self.job.done:,} records. Those that are enrolled already are left out of it."
