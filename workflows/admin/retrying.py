"""The button on a run's page that tries its failed batches again."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from workflows.models import Batch, Run
from workflows.services import isolation

from .pages import RUN
from .reading import ReadOnlyAdmin


class RetryPages(ReadOnlyAdmin):
    def get_urls(self) -> list[URLPattern]:
        retry = self.admin_site.admin_view(require_POST(self.retry))
        return [path("<int:run_id>/retry/", retry, name="workflows_run_retry"), *super().get_urls()]

    def retry(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """From the action that failed; what was done before stays done."""
        run = get_object_or_404(Run.objects.select_related("workflow"), pk=run_id)
        if not (self.has_view_permission(request, run) and request.user.has_perm(RUN)):
            raise PermissionDenied
        count = isolation.retry(run.batches.filter(state=Batch.State.FAILED))
        if count:
            words = f"{count:,} failed {'batch is' if count == 1 else 'batches are'} tried again."
            self.log_change(request, run, words)
            self.message_user(request, words, messages.SUCCESS)
        else:
            self.message_user(request, "Nothing of this run has failed.", messages.INFO)
        return redirect("admin:workflows_run_change", run.pk)
