"""The editor's page: a workflow as one form, which the server draws anew for whatever was chosen.

Each change and each step (add, move, remove) sends the form and gets the page back as it is then; nothing is kept until
it is saved, whole. editor.js only puts what comes back in the place of what was there, without a jump; without it the
same buttons load the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.text import get_text_list
from django.views.decorators.http import require_POST

from associations.errors import Refused
from associations.querysets import Surroundings
from workflows.actions import ACTIONS
from workflows.admin.pages import ENABLE, RUN, WorkflowPages
from workflows.admin.review import to_review
from workflows.models import Workflow
from workflows.sentences import describe
from workflows.services import editing, lifecycle

from .draft import Draft
from .filters import empty_filter
from .starts import FILTERS
from .state import ENROLL, KEPT, State

SAVE, SAVE_AND_TURN_ON = "_save", "_turn_on"
# What a person calls the parts of a definition.
WORDS = {
    "triggers": "enrollment triggers",
    "events": "enrollment triggers",
    "schedule": "schedule",
    "suppression": "suppression",
    "should_re_enroll": "re-enrollment",
    "re_enrollment_properties": "re-enrollment",
    "unenroll": "unenrollment",
    "actions": "actions",
}
ENROLLING = ("triggers", "events", "schedule", "suppression")


class EditorPages(WorkflowPages):
    def get_urls(self) -> list[URLPattern]:
        return [self.below("duplicate/", require_POST(self.duplicate), "duplicate"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        workflow = self.get_object(request, object_id)
        if workflow is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        may = self.has_change_permission if request.method == "POST" else self.has_view_permission
        if not may(request, workflow):
            raise PermissionDenied
        definition, around = lifecycle.definition_json(workflow), Surroundings(workflow.object_type)
        if request.method != "POST":
            return self._show(
                request, workflow, Draft(_kept(workflow, definition, around), definition, around, checked=False)
            )
        saves = SAVE in request.POST or SAVE_AND_TURN_ON in request.POST
        state = State.sent(request.POST)
        if not saves:
            state.take(request.POST.get("do", ""))
        try:
            draft = Draft(state, definition, around, checked=saves)
        except LookupError:
            self.message_user(
                request, "Somebody else has changed this workflow; this is how it is now.", messages.ERROR
            )
            return self.back(workflow)
        if saves and draft.is_valid() and self._saved(request, workflow, draft):
            return self._go_on(request, workflow, definition)
        return self._show(request, workflow, draft)

    def _saved(self, request: HttpRequest, workflow: Workflow, draft: Draft) -> bool:
        """Whether it is saved. If not, the draft knows why."""
        try:
            editing.save_workflow(
                workflow,
                draft.to_json(),
                name=draft.settings.cleaned_data["name"],
                description=draft.settings.cleaned_data["description"],
                edits=_number(request.POST.get("seen", "")),
                user_id=request.user.pk,
            )
        except editing.Stale:
            draft.problems.append(
                "Somebody else has changed this workflow since you opened it. Look in another window what it is now;"
                " saving again puts yours in its place."
            )
        except Refused as error:
            draft.problems.append(str(error))
        except ValidationError as error:
            by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
            for name, errors in by_field.items():
                if name in draft.settings.fields:
                    draft.settings.add_error(name, errors)
                else:
                    draft.problems += [message for each in errors for message in each.messages]
        else:
            return True
        return False

    def _go_on(self, request: HttpRequest, old: Workflow, before: Mapping[str, Any]) -> HttpResponse:
        """Where it leads after it was saved: to the question that is due now, or back to the page."""
        workflow = Workflow.objects.select_related("object_type", "revision").get(pk=old.pk)
        after = lifecycle.definition_json(workflow)
        changed = [name for name in ("name", "description") if getattr(old, name) != getattr(workflow, name)]
        changed += dict.fromkeys(words for name, words in WORDS.items() if before[name] != after[name])
        if changed:
            self.log_change(request, workflow, f"Changed {get_text_list(changed, 'and')}.")
        if SAVE_AND_TURN_ON in request.POST and request.user.has_perm(ENABLE) and not workflow.is_enabled:
            return HttpResponseRedirect(reverse("admin:workflows_workflow_turn_on", args=[workflow.pk]))
        number = workflow.revision.number if workflow.revision and workflow.is_enabled else None
        runs = f" Revision {number} runs now." if number and changed else ""
        self.message_user(
            request, f"“{workflow}” is saved.{runs}" if changed else "Nothing was changed.", messages.SUCCESS
        )
        enrolls_others = any(before[name] != after[name] for name in ENROLLING)
        if workflow.is_enabled and enrolls_others and after["triggers"] and request.user.has_perm(RUN):
            return HttpResponseRedirect(reverse("admin:workflows_workflow_enroll_existing", args=[workflow.pk]))
        return self.back(workflow)

    def _show(self, request: HttpRequest, workflow: Workflow, draft: Draft) -> TemplateResponse:
        may_change = self.has_change_permission(request, workflow)
        return self.page(
            request,
            "admin/workflows/workflow/editor/page.html",
            workflow.name,
            original=workflow,
            draft=draft,
            description=None if may_change else describe(draft.definition, draft.around),
            records=workflow.object_type.plural_label.lower(),
            record=workflow.object_type.label.lower(),
            kinds=ACTIONS.values(),
            seen=_seen(request, workflow, draft),
            may_change=may_change,
            may_add=self.has_add_permission(request),
            may_delete=self.has_delete_permission(request, workflow),
            may_enable=request.user.has_perm(ENABLE),
            may_run=request.user.has_perm(RUN),
            to_review=to_review(request, workflow),
        )

    def duplicate(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        workflow = self.opened(request, workflow_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        copy = editing.duplicate_workflow(workflow, user_id=request.user.pk)
        self.log_addition(request, copy, f"Duplicated “{workflow}”.")
        self.message_user(request, f"This is a copy of “{workflow}”. It is off.", messages.SUCCESS)
        return self.back(copy)


def _kept(workflow: Workflow, definition: Mapping[str, Any], around: Surroundings) -> State:
    """As it is kept; a workflow in which there is nothing yet begins with an empty filter."""
    state = State.of(workflow.name, workflow.description, definition, around)
    is_new = workflow.revision_id is None and not definition["actions"] and not definition["suppression"]
    if is_new and not (definition["triggers"] or definition["events"] or definition["schedule"]):
        state.settings["start"] = FILTERS
        state.groups[ENROLL] = [[empty_filter()]]
    return state


def _number(sent: str) -> int | None:
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else None


def _seen(request: HttpRequest, workflow: Workflow, draft: Draft) -> str:
    """Which state of the workflow the edit began with. Whoever was told that there is another one by now may put theirs
    in its place, unless parts of theirs are named by their places in the old one."""
    rows = [
        *draft.state.events,
        *draft.state.actions,
        *(row for part in draft.state.groups.values() for g in part for row in g),
    ]
    keeps_parts = any(KEPT in row for row in rows)
    if request.method == "POST" and (not draft.problems or keeps_parts):
        return request.POST.get("seen", "")
    return (
        str(Workflow.objects.values_list("edits", flat=True).get(pk=workflow.pk))
        if draft.problems
        else str(workflow.edits)
    )
