"""The page that says why two records are associated, or are not. The page of a record links here."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from workflows.services import why

from .pages import WorkflowPages


class WhyPages(WorkflowPages):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.why)
        return [path("why/<int:record_id>/<int:other_id>/", view, name="workflows_workflow_why"), *super().get_urls()]

    def why(self, request: HttpRequest, record_id: int, other_id: int) -> HttpResponse:
        if not request.user.has_perm("associations.view_record"):
            raise PermissionDenied
        records = why.find_records([record_id, other_id])
        if len(records) != 2 or record_id == other_id:
            raise Http404
        found = why.of_pair(*records)
        return self.page(
            request,
            "admin/workflows/why.html",
            f"{found.record} and {found.other}",
            why=found,
            before=[each for each in found.earlier if each not in found.there],
            may_view=self.has_view_permission(request),
        )
