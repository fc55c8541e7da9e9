"""The pages on how well values match: the coverage of create actions, its lists, and the box to try two values in."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from associations.comparison import compare
from associations.querysets import Surroundings
from workflows.models import Workflow
from workflows.sentences import action_sentence
from workflows.services import coverage, lifecycle

from .pages import WorkflowPages
from .previewing import VIEW_RECORDS

PER_PAGE = 50
SIDES = {"own": coverage.OWN, "other": coverage.OTHER}


class CompareForm(forms.Form):
    one = forms.CharField(label="One value", max_length=1000, required=False, strip=False)
    other = forms.CharField(label="Another value", max_length=1000, required=False, strip=False)


class CoveragePages(WorkflowPages):
    def get_urls(self) -> list[URLPattern]:
        compare_url = path("compare/", self.admin_site.admin_view(self.compare), name="workflows_workflow_compare")
        listed = "coverage/<int:position>/<slug:side>/<slug:kind>/"
        return [
            compare_url,
            self.below("coverage/", self.coverage, "coverage"),
            self.below(listed, self.coverage_list, "coverage_list"),
            *super().get_urls(),
        ]

    def compare(self, request: HttpRequest) -> TemplateResponse:
        """Whether two values are equal, each way they can be compared."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = CompareForm(request.GET or None)
        compared = compare(form.cleaned_data["one"], form.cleaned_data["other"]) if form.is_valid() else []
        template = "admin/workflows/workflow/compare.html"
        return self.page(request, template, "Try two values", form=form, compared=compared)

    def coverage(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        workflow = self.opened(request, workflow_id, VIEW_RECORDS)
        try:
            covered = coverage.coverage_of(workflow)
        except ValidationError as error:
            return self._cannot(request, workflow, error)
        around = Surroundings(workflow.object_type)
        raw = lifecycle.definition_json(workflow)["actions"]
        shown = [
            {
                "number": each.position + 1,
                "position": each.position,
                "sentence": action_sentence(raw[each.position]["kind"], raw[each.position]["fields"], around),
                "is_read": each.own is not None,
                "sides": [
                    ("own", workflow.object_type, each.config.enrolled_property, _numbers("own", each.own)),
                    (
                        "other",
                        each.config.unlabeled.other_type,
                        each.config.associated_property,
                        _numbers("other", each.other),
                    ),
                ],
            }
            for each in covered
        ]
        return self.show(request, "coverage.html", workflow, "Coverage", covered=shown)

    def coverage_list(
        self, request: HttpRequest, workflow_id: int, position: int, side: str, kind: str
    ) -> HttpResponse:
        """The records behind one number."""
        workflow = self.opened(request, workflow_id, VIEW_RECORDS)
        after = request.GET.get("after", "0")
        last = int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0
        try:
            found = coverage.records_of(workflow, position, side, kind, after=last, most=PER_PAGE + 1)
        except ValidationError as error:
            return self._cannot(request, workflow, error)
        if found is None:
            raise Http404
        records, prop = found
        return self.show(
            request,
            "coverage_list.html",
            workflow,
            f"{prop.object_type.plural_label} {SIDES[side][kind]}",
            prop=prop,
            rows=[(each, each.properties.get(prop.name)) for each in records[:PER_PAGE]],
            next=records[PER_PAGE - 1].pk if len(records) > PER_PAGE else None,
            is_first=not last,
        )

    def _cannot(self, request: HttpRequest, workflow: Workflow, error: ValidationError) -> HttpResponse:
        self.message_user(request, f"“{workflow}” cannot be looked at yet. {' '.join(error.messages)}", messages.ERROR)
        return self.back(workflow)


def _numbers(side: str, counts: dict[str, int] | None) -> list[tuple[str, str, int]]:
    return [(kind, SIDES[side][kind], count) for kind, count in (counts or {}).items()]
