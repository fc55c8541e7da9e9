"""The pages that say what a workflow would do: with all records, and with one. They change nothing."""

from __future__ import annotations

import math
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern

from associations.errors import Refused
from associations.querysets import Surroundings
from workflows.models import Outcome, Preview, Workflow
from workflows.sentences import action_sentence
from workflows.services import lifecycle, preview, trial
from workflows.services.preview_figures import ActionFigures, Figures, Row
from workflows.services.static_check import warnings_of

from .pages import WorkflowPages

VIEW_RECORDS = "associations.view_record"


class RecordForm(forms.Form):
    record = forms.CharField(label="Record", help_text="An id, a unique value such as an e-mail address, or a name")


class PreviewPages(WorkflowPages):
    def get_urls(self) -> list[URLPattern]:
        return [
            self.below("preview/", self.preview, "preview"),
            self.below("preview.csv", self.preview_csv, "preview_csv"),
            self.below("test/", self.test_with_record, "test"),
            *super().get_urls(),
        ]

    def preview(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        """First figures at once; a worker counts exactly when asked to."""
        workflow = self.opened(request, workflow_id, VIEW_RECORDS)
        try:
            if request.method == "POST":
                preview.request(workflow, user_id=request.user.pk)
                return redirect("admin:workflows_workflow_preview", workflow.pk)
            asked = preview.latest(workflow)
            figures = asked.figures if asked else preview.first_figures(workflow)
        except ValidationError as error:
            return self._not_yet(request, workflow, error)
        done, steps = preview.progress_of(asked) if asked else (0, 0)
        return self.show(
            request,
            "preview.html",
            workflow,
            "Preview",
            asked=asked,
            is_waiting=asked is not None and asked.state == Preview.State.WAITING,
            percent=100 * done // steps if steps else 0,
            figures=figures,
            is_exact=figures["looked_at"] == figures["of"],
            enrolled=_count(figures["enrolled"], figures),
            actions=_shown(workflow, figures),
            warnings=warnings_of(workflow),
            follows=preview.what_follows(workflow),
            everybody=not lifecycle.definition_json(workflow)["triggers"],
        )

    def preview_csv(self, request: HttpRequest, workflow_id: int) -> HttpResponseBase:
        """All rows: those that a worker has kept, or of few records counted anew."""
        workflow = self.opened(request, workflow_id, VIEW_RECORDS)
        try:
            rows = preview.whole_csv(workflow)
        except ValidationError as error:
            return self._not_yet(request, workflow, error)
        if rows is not None:
            return _csv(rows, workflow)
        self.message_user(request, "Count exactly first; then all rows can be downloaded.", messages.WARNING)
        return redirect("admin:workflows_workflow_preview", workflow.pk)

    def test_with_record(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        """[H] Filter by filter and action by action; nothing is kept."""
        workflow = self.opened(request, workflow_id, VIEW_RECORDS)
        form = RecordForm(request.GET or None)
        tried = None
        if form.is_bound and form.is_valid():
            try:
                record = trial.record_meant(workflow, form.cleaned_data["record"])
                tried = trial.try_record(workflow, record.pk)
            except Refused as error:
                form.add_error("record", str(error))
            except ValidationError as error:
                return self._not_yet(request, workflow, error)
        actions = [(each.sentence, [_row(row) for row in each.rows]) for each in tried.actions] if tried else []
        return self.show(request, "test.html", workflow, "Test with a record", form=form, tried=tried, actions=actions)

    def _not_yet(self, request: HttpRequest, workflow: Workflow, error: ValidationError) -> HttpResponse:
        words = " ".join(error.messages)
        self.message_user(request, f"“{workflow}” cannot be tried yet. {words}", messages.ERROR)
        return self.back(workflow)


def _csv(parts: Any, workflow: Workflow) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="preview-{workflow.pk}.csv"'}
    return StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8", headers=headers)


def _count(number: int, figures: Figures) -> str:
    """A figure as it is, or what a sample says of all: two digits of it, for more would be made up."""
    if figures["looked_at"] in (0, figures["of"]) or not number:
        return f"{number:,}"
    estimate = number * figures["of"] / figures["looked_at"]
    return f"about {round(estimate, 1 - math.floor(math.log10(estimate))):,.0f}"


def _shown(workflow: Workflow, figures: Figures) -> list[dict[str, Any]]:
    """Each action with its sentence and its figures as people read them."""
    around = Surroundings(workflow.object_type)
    raw = lifecycle.definition_json(workflow)["actions"]
    return [
        _shown_action(each, figures) | {"sentence": action_sentence(given["kind"], given["fields"], around)}
        for given, each in zip(raw, figures["actions"], strict=False)
    ]


def _shown_action(action: ActionFigures, figures: Figures) -> dict[str, Any]:
    return {
        "outcomes": [
            {
                "label": Outcome(each["outcome"]).label,
                "records": _count(each["records"], figures),
                "pairs": _count(each["pairs"], figures) if each["pairs"] else "",
            }
            for each in action["outcomes"]
        ],
        "changes": [
            {
                "label": each["label"] or "Associations",
                "added": _count(each["added"], figures),
                "removed": _count(each["removed"], figures),
            }
            for each in action["changes"]
        ],
        "rows": [_row(row) for row in action["rows"]],
    }


def _row(row: Row) -> dict[str, Any]:
    """With the changes gathered by the other record."""
    others: dict[int, dict[str, Any]] = {}
    for change in sorted(row["changes"], key=lambda change: change["label"]):
        words = ("" if change["added"] else "no longer ") + (change["label"] or "associated")
        other = others.setdefault(change["other"]["id"], {**change["other"], "value": None, "words": []})
        other["value"] = other["value"] or change["other_value"]
        other["words"].append(words)
    return {**row, "outcome": Outcome(row["outcome"]).label, "others": list(others.values())}
