"""Runs in the admin: how far they are, and what came of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from associations.querysets import Surroundings
from workflows.models import Batch, Run
from workflows.querysets import outcomes_by_action, progress_of
from workflows.sentences import action_sentence, describe

from .reading import ReadOnlyAdmin

BATCHES_PER_PAGE = 100


class RunChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """The progress of all the runs of a page at once."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        progress = progress_of(self.result_list)
        for run in self.result_list:
            run.progress = progress[run.pk]


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "cause", "state", "created_at", "batches_done", "outcomes")
    list_filter = ("state", "cause", "workflow")
    list_select_related = ("workflow",)
    fields = ("workflow", "ran", "cause", "whom", "state", "created_at", "finished_at", "started_by", "depth")

    def get_fields(self, request: HttpRequest, obj: Run | None = None) -> tuple[Any, ...]:
        return (*self.fields, "note") if obj and obj.note else self.fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RunChangeList

    @admin.display(description="batches done")
    def batches_done(self, run: Any) -> str:
        return f"{run.progress.done + run.progress.failed:,} of {run.progress.batches:,}"

    @admin.display(description="outcomes, in records")
    def outcomes(self, run: Any) -> str:
        sums = [(f"{each.records:,}", each.outcome.label) for each in run.progress.outcomes]
        return format_html_join("", '<div class="outcome"><b>{}</b> {}</div>', sums)

    @admin.display(description="revision")
    def ran(self, run: Run) -> str:
        url = reverse("admin:workflows_workflow_revisions", args=[run.workflow_id])
        return format_html('<a href="{}">{}</a>', url, run.revision.number)

    @admin.display(description="whom it enrolls")
    def whom(self, run: Run) -> str:
        if run.criteria is None:
            return "Named records, or those that a change made meet the triggers"
        if run.criteria == [[]]:
            return f"All {run.workflow.object_type.plural_label.lower()}"
        described = describe({"triggers": run.criteria, "actions": []}, Surroundings(run.workflow.object_type))
        return "; or ".join(" and ".join(each.text for each in group) for group in described.groups)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Run | None = None,
    ) -> HttpResponse:
        if obj:
            batches = obj.batches.order_by("id")
            context |= {
                "progress": progress_of([obj])[obj.pk],
                "done_actions": _done_actions(obj),
                "failed": batches.filter(state=Batch.State.FAILED)[:BATCHES_PER_PAGE],
                "page": Paginator(batches, BATCHES_PER_PAGE).get_page(request.GET.get("p")),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)


def _done_actions(run: Run) -> list[dict[str, Any]]:
    """Each action of the run's revision with what it did so far."""
    outcomes = outcomes_by_action(run)
    around = Surroundings(run.workflow.object_type)
    return [
        {
            "sentence": action_sentence(raw["kind"], raw["fields"], around),
            "outcomes": outcomes.get((position, raw["kind"]), []),
        }
        for position, raw in enumerate(run.revision.definition["actions"])
    ]
