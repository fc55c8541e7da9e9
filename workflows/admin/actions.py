"""The pages on which the actions of a workflow are added, changed, moved and removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.views.decorators.http import require_POST

from associations.errors import Refused
from associations.querysets import Surroundings
from workflows.actions import ACTIONS
from workflows.actions.base import ActionForm
from workflows.models import Action, Workflow
from workflows.sentences import action_sentence
from workflows.services import editing

from .pages import WorkflowPages

# The button that shows the form anew for another associated object, without saving.
CHOOSE = "_choose"


class ActionPages(WorkflowPages):
    def get_urls(self) -> list[URLPattern]:
        return [
            self.below("actions/add/<slug:kind>/", self.add_action, "add_action"),
            self.below("actions/<int:action_id>/", self.change_action, "change_action"),
            self.below("actions/<int:action_id>/move/", require_POST(self.move_action), "move_action"),
            self.below("actions/<int:action_id>/remove/", self.remove_action, "remove_action"),
            *super().get_urls(),
        ]

    def add_action(self, request: HttpRequest, workflow_id: int, kind: str) -> HttpResponse:
        workflow = self.opened(request, workflow_id, change=True)
        if kind not in ACTIONS:
            raise Http404
        form = _form(request, kind, workflow, {})

        def save() -> None:
            editing.add_action(workflow, kind, form.kept(), user_id=request.user.pk)

        if self._saved(request, form, save):
            self._tell(request, workflow, f"Added the action “{ACTIONS[kind].label}”.")
            return self.back(workflow)
        return self._show_form(request, workflow, kind, form, f"Add action: {ACTIONS[kind].label}")

    def change_action(self, request: HttpRequest, workflow_id: int, action_id: int) -> HttpResponse:
        """For those who may not change the workflow, the same to read."""
        workflow = self.opened(request, workflow_id, change=request.method == "POST")
        action = get_object_or_404(Action, pk=action_id, workflow=workflow)
        form = _form(request, action.kind, workflow, action.fields)

        def save() -> None:
            editing.change_action(workflow, action_id, form.kept(), user_id=request.user.pk)

        if self._saved(request, form, save):
            self._tell(request, workflow, f"Changed action {action.position + 1}, “{ACTIONS[action.kind].label}”.")
            return self.back(workflow)
        title = f"Action {action.position + 1}: {ACTIONS[action.kind].label}"
        sentence = action_sentence(action.kind, action.fields, Surroundings(workflow.object_type))
        return self._show_form(request, workflow, action.kind, form, title, sentence=sentence)

    def move_action(self, request: HttpRequest, workflow_id: int, action_id: int) -> HttpResponse:
        workflow = self.opened(request, workflow_id, change=True)
        by = -1 if request.POST.get("direction") == "up" else 1
        return self._edit(
            request,
            workflow,
            lambda: editing.move_action(workflow, action_id, by, user_id=request.user.pk),
            "Moved an action.",
        )

    def remove_action(self, request: HttpRequest, workflow_id: int, action_id: int) -> HttpResponse:
        workflow = self.opened(request, workflow_id, change=True)
        action = get_object_or_404(Action, pk=action_id, workflow=workflow)
        label = ACTIONS[action.kind].label
        if request.method == "POST":
            return self._edit(
                request,
                workflow,
                lambda: editing.remove_action(workflow, action_id, user_id=request.user.pk),
                f"Removed the action “{label}”.",
            )
        return self.show(
            request,
            "confirm.html",
            workflow,
            f"Remove action {action.position + 1}: {label}?",
            text=action_sentence(action.kind, action.fields, Surroundings(workflow.object_type)).text,
            button="Yes, remove it",
        )

    def _edit(self, request: HttpRequest, workflow: Workflow, edit: Callable[[], None], done: str) -> HttpResponse:
        try:
            edit()
        except (ValidationError, Refused) as error:
            self.message_user(request, f"Nothing was changed. {_words(error)}", messages.ERROR)
        else:
            self._tell(request, workflow, done)
        return self.back(workflow)

    def _saved(self, request: HttpRequest, form: ActionForm, save: Callable[[], None]) -> bool:
        """Whether what was sent is saved. If not, the form knows why."""
        if not form.is_bound or not form.is_valid():
            return False
        try:
            save()
        except (ValidationError, Refused) as error:
            form.add_error(None, _words(error))
            return False
        return True

    def _tell(self, request: HttpRequest, workflow: Workflow, done: str) -> None:
        self.log_change(request, workflow, done)
        self.message_user(request, done, messages.SUCCESS)

    def _show_form(
        self, request: HttpRequest, workflow: Workflow, kind: str, form: ActionForm, title: str, **context: Any
    ) -> HttpResponse:
        """The object comes first: what else there is to choose depends on it."""
        may_change = self.has_change_permission(request, workflow)
        names = list(form.fields) if form.chosen else ["to_object_type"]
        for field in form.fields.values():
            field.disabled = not may_change
        return self.show(
            request,
            "action_form.html",
            workflow,
            title,
            form=form,
            adminform=helpers.AdminForm(cast(Any, form), [(None, {"fields": names})], {}),
            kind=kind,
            may_change=may_change,
            choose=CHOOSE,
            **context,
        )


def _form(request: HttpRequest, kind: str, workflow: Workflow, fields: dict[str, Any]) -> ActionForm:
    """The kind's form: as it was sent; only filled in with it, where another object was chosen; or as it is kept."""
    form_class = ACTIONS[kind].form
    if request.method != "POST":
        form = form_class(object_type=workflow.object_type, initial=fields)
    elif CHOOSE in request.POST:
        initial = {
            name: field.widget.value_from_datadict(request.POST, request.FILES, name)
            for name, field in form_class.base_fields.items()
        }
        form = form_class(object_type=workflow.object_type, initial=initial)
    else:
        form = form_class(request.POST, object_type=workflow.object_type)
    for field in form.fields.values():
        if isinstance(field, forms.MultipleChoiceField):
            field.widget = forms.CheckboxSelectMultiple(choices=cast(Any, field.choices))
    return form


def _words(error: ValidationError | Refused) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
