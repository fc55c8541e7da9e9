"""The pages on which a person picks the record that is meant, where several matched."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path

from associations.admin.paging import CappedPaginator
from associations.errors import Refused
from associations.querysets import told_apart
from workflows.models import Workflow
from workflows.services import review

from .pages import RUN, WorkflowPages

QUESTIONS_PER_PAGE = 25


class ReviewPages(WorkflowPages):
    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Any, name: str) -> URLPattern:
            return path(f"review/{route}", self.admin_site.admin_view(view), name=f"workflows_workflow_{name}")

        return [
            page("", self.review, "review"),
            page("<int:action_run_id>/<int:record_id>/", self.pick, "pick"),
            *super().get_urls(),
        ]

    def review(self, request: HttpRequest) -> HttpResponse:
        _refuse_others(request)
        chosen = request.GET.get("workflow", "")
        workflow = get_object_or_404(Workflow, pk=chosen) if chosen.isascii() and chosen.isdecimal() else None
        outcomes = review.questions(workflow).select_related("action_run__batch__run__workflow")
        shown = _QuestionPaginator(outcomes, QUESTIONS_PER_PAGE).get_page(request.GET.get("p"))
        return self.page(
            request,
            "admin/workflows/review/list.html",
            "Review",
            page=shown,
            questions=review.opened(shown),
            workflow=workflow,
        )

    def pick(self, request: HttpRequest, action_run_id: int, record_id: int) -> HttpResponse:
        """The record and those that match, side by side."""
        _refuse_others(request)
        try:
            if request.method == "POST" and "none" in request.POST:
                others = [_id(each) for each in request.POST.getlist("candidate")]
                if review.rule_out(action_run_id, record_id, others, user_id=request.user.pk):
                    return redirect("admin:workflows_workflow_pick", action_run_id, record_id)
                self.message_user(request, "None of them: the record stays as it is.", messages.SUCCESS)
                return redirect("admin:workflows_workflow_review")
            if request.method == "POST":
                review.pick(action_run_id, record_id, _id(request.POST.get("other", "")), user_id=request.user.pk)
                self.message_user(request, "The records are associated.", messages.SUCCESS)
                return redirect("admin:workflows_workflow_review")
            asked = review.question(action_run_id, record_id)
        except Refused as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:workflows_workflow_review")
        return self.page(
            request,
            "admin/workflows/review/pick.html",
            str(asked.record),
            asked=asked,
            rows=_side_by_side(asked),
        )


def _may_review(request: HttpRequest) -> bool:
    return request.user.has_perms((RUN, "associations.view_record"))


def _refuse_others(request: HttpRequest) -> None:
    if not _may_review(request):
        raise PermissionDenied


def to_review(request: HttpRequest, workflow: Workflow) -> review.Waiting | None:
    """How many records of a workflow wait for somebody to pick, for those who may."""
    return review.waiting(workflow) if _may_review(request) else None


class _QuestionPaginator(CappedPaginator):
    """Counted in their order, one after the other: what a count reads at once is all that was ever under review."""

    MOST = 500

    @cached_property
    def _counted(self) -> int:
        questions: Any = self.object_list
        return len(questions.values_list("record_id")[: self.MOST + 1])


def _id(sent: str) -> int:
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 19 else 0


def _side_by_side(asked: review.Question) -> list[dict[str, Any]]:
    """The properties that one of the candidates has, the one that matched first."""
    matched = asked.config.associated_property
    rows = []
    for prop in told_apart(matched.object_type.properties.all()):
        values = [each.properties.get(prop.name) for each in asked.candidates]
        if any(value is not None for value in values):
            rows.append(
                {
                    "prop": prop,
                    "is_matched": prop == matched,
                    "values": values,
                    "differs": len(set(map(str, values))) > 1,
                }
            )
    return sorted(rows, key=lambda row: not row["is_matched"])
