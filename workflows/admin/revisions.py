"""The revisions of a workflow: what ran and what runs, what is different in another one, and back to it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern

from associations.errors import Refused
from associations.querysets import Surroundings
from workflows.models import Workflow, WorkflowRevision
from workflows.sentences import describe, in_lines
from workflows.services import editing, lifecycle

from .pages import WorkflowPages

REVISIONS_PER_PAGE = 20
SAME, GONE, NEW = "same", "gone", "new"


class RevisionPages(WorkflowPages):
    def get_urls(self) -> list[URLPattern]:
        return [
            self.below("revisions/", self.revisions, "revisions"),
            self.below("revisions/compare/", self.compare_revisions, "compare_revisions"),
            self.below("revisions/<int:number>/restore/", self.restore, "restore"),
            *super().get_urls(),
        ]

    def revisions(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        """Newest first, in words."""
        workflow = self.opened(request, workflow_id)
        revisions = workflow.revisions.order_by("-number").select_related("created_by")
        page = Paginator(revisions, REVISIONS_PER_PAGE).get_page(request.GET.get("p"))
        around = Surroundings(workflow.object_type)
        described = [(each, describe(each.definition, around)) for each in page]
        may_change = self.has_change_permission(request, workflow)
        return self.show(
            request, "revisions.html", workflow, "Revisions", revisions=described, page=page, may_change=may_change
        )

    def compare_revisions(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        """What two revisions have in common and what not: `old` and `new` are their numbers."""
        workflow = self.opened(request, workflow_id)
        old, new = sorted((self._revision(workflow, request.GET.get(name)) for name in ("old", "new")), key=_number)
        return self.show(
            request,
            "compare_revisions.html",
            workflow,
            f"Revisions {old.number} and {new.number}",
            old=old,
            new=new,
            lines=_compared(workflow, old.definition, new.definition),
            may_change=self.has_change_permission(request, workflow),
        )

    def restore(self, request: HttpRequest, workflow_id: int, number: int) -> HttpResponse:
        """Asks, showing what would change, and makes the workflow what it was."""
        workflow = self.opened(request, workflow_id, change=True)
        revision = self._revision(workflow, number)
        if request.method == "POST":
            try:
                editing.restore_revision(revision, user_id=request.user.pk)
            except (ValidationError, Refused) as error:
                words = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
                self.message_user(request, f"Revision {number} cannot be restored. {words}", messages.ERROR)
            else:
                self.log_change(request, workflow, f"Restored revision {number}.")
                self.message_user(request, f"“{workflow}” is what it was in revision {number}.", messages.SUCCESS)
            return self.back(workflow)
        lines = _compared(workflow, lifecycle.definition_json(workflow), revision.definition)
        return self.show(
            request, "restore.html", workflow, f"Restore revision {number}?", revision=revision, lines=lines
        )

    def _revision(self, workflow: Workflow, number: Any) -> WorkflowRevision:
        known = str(number) if str(number).isascii() and str(number).isdecimal() and len(str(number)) < 10 else "0"
        revisions = WorkflowRevision.objects.select_related("workflow", "created_by")
        return get_object_or_404(revisions, workflow=workflow, number=int(known))


def _number(revision: WorkflowRevision) -> int:
    return revision.number


def _compared(workflow: Workflow, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The lines of both in words, each with whether it is the same, gone, or new."""
    around = Surroundings(workflow.object_type)
    before, after = (in_lines(each, around) for each in (old, new))
    lines: list[tuple[str, str]] = []
    for _, first, last, new_first, new_last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if before[first:last] == after[new_first:new_last]:
            lines += [(SAME, line) for line in before[first:last]]
        else:
            lines += [(GONE, line) for line in before[first:last]]
            lines += [(NEW, line) for line in after[new_first:new_last]]
    return lines
