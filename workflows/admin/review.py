"""The pages on which a person picks the record that is meant, where several matched."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from associations.admin.paging import CappedPaginator
from associations.errors import Refused
from associations.models import Property
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
        outcomes = review.questions().select_related("action_run__batch__run__workflow")
        shown = CappedPaginator(outcomes, QUESTIONS_PER_PAGE).get_page(request.GET.get("p"))
        return self.page(
            request, "admin/workflows/review/list.html", "Review", page=shown, questions=review.opened(shown)
        )

    def pick(self, request: HttpRequest, action_run_id: int, record_id: int) -> HttpResponse:
        """The record and those that match, side by side."""
        _refuse_others(request)
        try:
            if request.method == "POST":
                other = request.POST.get("other", "")
                other_id = int(other) if other.isascii() and other.isdecimal() and len(other) < 19 else 0
                review.pick(action_run_id, record_id, other_id, user_id=request.user.pk)
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


def _refuse_others(request: HttpRequest) -> None:
    if not request.user.has_perms((RUN, "associations.view_record")):
        raise PermissionDenied


def _side_by_side(asked: review.Question) -> list[dict[str, Any]]:
    """The properties that one of the candidates has, the one that matched first."""
    matched = asked.config.associated_property
    rows = []
    for prop in Property.objects.filter(object_type=matched.object_type):
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
