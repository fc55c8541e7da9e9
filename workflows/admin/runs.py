"""Runs in the admin: how far they are, what came of them, and the log of their records as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from associations.querysets import Surroundings
from workflows.models import Batch, Outcome, Run
from workflows.querysets import outcomes_by_action, progress_of
from workflows.sentences import action_sentence, describe
from workflows.services.run_log import log_rows

from .outcomes import bars_of
from .reading import link
from .retrying import RetryPages
from .review import to_review
from .undoing import UndoPages

BATCHES_PER_PAGE = 100


class RunChangeList(ChangeList):
    is_moving = False

    def get_results(self, request: HttpRequest) -> None:
        """The progress of all the runs of a page at once."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        progress = progress_of(self.result_list)
        for run in self.result_list:
            run.progress = progress[run.pk]
        self.is_moving = any(run.finished_at is None for run in self.result_list)


@admin.register(Run)
class RunAdmin(RetryPages, UndoPages):
    list_display = ("name", "how_it_stands", "outcomes", "cause", "created_at")
    list_filter = ("state", "cause", "workflow")
    list_select_related = ("workflow", "revision")

    def get_urls(self) -> list[URLPattern]:
        log = self.admin_site.admin_view(self.log)
        return [path("<int:run_id>/log.csv", log, name="workflows_run_log"), *super().get_urls()]

    # The list -------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RunChangeList

    @admin.display(description="run", ordering="id")
    def name(self, run: Run) -> str:
        return format_html('{} <span class="quiet">run {}</span>', run.workflow, run.pk)

    @admin.display(description="state", ordering="state")
    def how_it_stands(self, run: Any) -> SafeString:
        return render_to_string("admin/workflows/run/progress.html", standing(run, run.progress))

    @admin.display(description="outcomes, in records")
    def outcomes(self, run: Any) -> str:
        sums = [(f"{each.records:,}", each.outcome.label) for each in run.progress.outcomes]
        return format_html_join("", '<div class="outcome"><b>{}</b> {}</div>', sums)

    # A run ----------------------------------------------------------------------------------------

    def whom(self, run: Run) -> str:
        records = run.workflow.object_type.plural_label.lower()
        if run.cause == Run.Cause.KEEP_IN_SYNC:
            return f"Enrolled {records} that the changed values concern"
        if run.criteria is None:
            return "Named records, or those that a change made meet the triggers"
        if run.criteria == [[]]:
            return f"All {records}"
        described = describe({"triggers": run.criteria, "actions": []}, Surroundings(run.workflow.object_type))
        return "; or ".join(" and ".join(each.text for each in group) for group in described.groups)

    def more_shown(self, request: HttpRequest, obj: Run) -> dict[str, Any]:
        batches = obj.batches.order_by("id")
        progress = progress_of([obj])[obj.pk]
        return {
            "title": "Run",
            "progress": progress,
            "standing": standing(obj, progress),
            "facts": self._facts(obj, may_view_workflow=request.user.has_perm("workflows.view_workflow")),
            "done_actions": _done_actions(obj),
            "failed": batches.filter(state=Batch.State.FAILED)[:BATCHES_PER_PAGE],
            "to_review": to_review(request, obj.workflow),
            "page": Paginator(batches, BATCHES_PER_PAGE).get_page(request.GET.get("p")),
        }

    def _facts(self, run: Run, *, may_view_workflow: bool) -> list[tuple[str, object]]:
        """What a run was: names and values, those that say something."""
        revision, number = reverse("admin:workflows_workflow_revisions", args=[run.workflow_id]), run.revision.number
        facts: list[tuple[str, object]] = [
            ("Workflow", link(run.workflow) if may_view_workflow else run.workflow),
            ("Revision", format_html('<a href="{}">{}</a>', revision, number) if may_view_workflow else number),
            ("Why it ran", run.get_cause_display()),
            ("Whom it enrolls", self.whom(run)),
            ("Begun", run.created_at),
            ("Finished", run.finished_at),
            ("Undone", run.undone_at),
            ("Started by", run.started_by),
            ("Workflows that led to it", run.depth or None),
            ("Why it was refused" if run.state == Run.State.REFUSED else "What went wrong", run.note),
        ]
        return [(name, value) for name, value in facts if value]

    def log(self, request: HttpRequest, run_id: int) -> HttpResponseBase:
        """The log of a run's records as CSV, all or those with one outcome; written as it is read."""
        run = get_object_or_404(Run.objects.select_related("workflow__object_type", "revision"), pk=run_id)
        outcome = request.GET.get("outcome", "")
        if not (self.has_view_permission(request, run) and request.user.has_perm("associations.view_record")):
            raise PermissionDenied
        rows = log_rows(run, outcome if outcome in Outcome.values else None)
        name = f"run-{run.pk}{f'-{outcome}' if outcome in Outcome.values else ''}.csv"
        return csv_response(rows, name)


def csv_response(rows: Iterable[list[str]], name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8", headers=headers)


class _Echo:
    """What csv writes to: it gives back each line."""

    def write(self, line: str) -> str:
        return line


def _lines(rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow(row)


def standing(run: Run, progress: Any) -> dict[str, Any]:
    """How far a run is, for progress.html."""
    percent = 100 if run.finished_at else progress.percent(len(run.revision.definition["actions"]))
    batches = f"{progress.done + progress.failed:,} of {progress.batches:,} batches"
    return {
        "run": run,
        "is_moving": run.finished_at is None,
        "percent": percent,
        "words": batches if progress.batches else "waits for a worker",
        "failed": progress.failed,
    }


def _done_actions(run: Run) -> list[dict[str, Any]]:
    """Each action of the run's revision with what it did so far."""
    outcomes = outcomes_by_action(run)
    around = Surroundings(run.workflow.object_type)
    return [
        {
            "sentence": action_sentence(raw["kind"], raw["fields"], around),
            "bars": bars_of(outcomes.get((position, raw["kind"]), [])),
        }
        for position, raw in enumerate(run.revision.definition["actions"])
    ]
