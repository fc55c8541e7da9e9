"""What the pages below a workflow share: which workflow it is, and who may open it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from associations.admin.base import ServiceAdmin
from workflows.models import Workflow

ENABLE, RUN = "workflows.enable_workflow", "workflows.run_workflow"


class WorkflowPages(ServiceAdmin[Workflow]):
    def below(self, route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
        """The address of a page below a workflow."""
        return path(f"<int:workflow_id>/{route}", self.admin_site.admin_view(view), name=f"workflows_workflow_{name}")

    def opened(self, request: HttpRequest, workflow_id: int, *permissions: str, change: bool = False) -> Workflow:
        """The workflow, for those who may see it and have these permissions, or may change it."""
        workflow = get_object_or_404(Workflow.objects.select_related("object_type", "revision"), pk=workflow_id)
        may = self.has_change_permission if change else self.has_view_permission
        if not may(request, workflow) or not request.user.has_perms(permissions):
            raise PermissionDenied
        return workflow

    def show(
        self, request: HttpRequest, template: str, workflow: Workflow, title: str, **context: Any
    ) -> TemplateResponse:
        """A page of ours about a workflow, below the workflow's own in the breadcrumbs."""
        template = f"admin/workflows/workflow/{template}"
        return self.page(request, template, title, original=workflow, subtitle=workflow.name, **context)

    def back(self, workflow: Workflow) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.change_url(workflow.pk))
