"""The pages that turn a workflow on and off, and enroll records in it by hand."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern

from associations import querysets
from associations.errors import Refused
from associations.querysets import Surroundings
from workflows.models import Run, Workflow
from workflows.sentences import describe
from workflows.services import enrollment, lifecycle, preview
from workflows.services.static_check import warnings_of

from .pages import ENABLE, RUN, WorkflowPages

MATCHING, ALL, NAMED = "matching", "all", "named"
MOST_NAMED = 10_000


class EnrollForm(forms.Form):
    whom = forms.ChoiceField(label="Whom to enroll", widget=forms.RadioSelect)
    ids = forms.CharField(
        label="Record ids",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60}),
        help_text="For the last choice: ids with spaces, commas or line breaks between them",
    )

    def __init__(self, *args: Any, workflow: Workflow, matching: int | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        records = workflow.object_type.plural_label.lower()
        choices = [(ALL, f"All {records}"), (NAMED, f"These {records}:")]
        if matching is not None:
            choices.insert(0, (MATCHING, f"Those that meet the triggers now: {_count(matching, workflow)}"))
        cast(forms.ChoiceField, self.fields["whom"]).choices = choices

    def clean_ids(self) -> list[int]:
        if self.cleaned_data.get("whom") != NAMED:
            return []  # what was entered before another choice was made
        words = re.split(r"[\s,;]+", self.cleaned_data["ids"])
        ids = [word for word in words if word]
        for word in ids:
            if not (word.isascii() and word.isdecimal() and len(word) < 19):
                raise ValidationError(f"{word[:40]!r} is not a record id.")
        if len(ids) > MOST_NAMED:
            raise ValidationError(f"At most {MOST_NAMED:,} records can be named; use a trigger for more.")
        return [int(word) for word in ids]

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("whom") == NAMED and self.cleaned_data.get("ids") == []:
            raise ValidationError({"ids": "Say which records."})
        return self.cleaned_data


class SwitchPages(WorkflowPages):
    def get_urls(self) -> list[URLPattern]:
        return [
            self.below("turn-on/", self.turn_on, "turn_on"),
            self.below("turn-off/", self.turn_off, "turn_off"),
            self.below("enroll/", self.enroll, "enroll"),
            self.below("enroll-existing/", self.enroll_existing, "enroll_existing"),
            *super().get_urls(),
        ]

    def turn_on(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        """Asks whether those who meet the triggers now should be enrolled, too [H]."""
        workflow = self.opened(request, workflow_id, ENABLE)
        if workflow.is_enabled:
            self.message_user(request, f"“{workflow}” is on already.")
            return self.back(workflow)
        definition = lifecycle.definition_json(workflow)
        try:
            if request.method == "POST":
                return self._turn_on(request, workflow, enroll="enroll" in request.POST)
            matching = _count_matching(definition, workflow)
            if not definition["actions"]:
                raise ValidationError("It has no action.")
        except ValidationError as error:
            words = " ".join(error.messages)
            self.message_user(request, f"“{workflow}” cannot be turned on yet. {words}", messages.ERROR)
            return self.back(workflow)
        return self.show(
            request,
            "turn_on.html",
            workflow,
            "Turn on",
            has_triggers=bool(definition["triggers"]),
            matching=f"{_count(matching, workflow)} {'meets' if matching == 1 else 'meet'} the triggers",
            description=describe(definition, Surroundings(workflow.object_type)),
            may_run=request.user.has_perm(RUN),
            follows=preview.what_follows(workflow),
            warnings=warnings_of(workflow),
        )

    def _turn_on(self, request: HttpRequest, workflow: Workflow, *, enroll: bool) -> HttpResponse:
        if enroll and not request.user.has_perm(RUN):
            enroll = False
        with transaction.atomic():
            revision = lifecycle.turn_on(workflow, user_id=request.user.pk)
            self.log_change(request, workflow, f"Turned on, revision {revision.number}.")
            if enroll:
                run = enrollment.enroll_matching(workflow, cause=Run.Cause.TURNED_ON, user_id=request.user.pk)
        self.message_user(request, f"“{workflow}” is on.", messages.SUCCESS)
        return self._to_run(request, run) if enroll else self.back(workflow)

    def turn_off(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        workflow = self.opened(request, workflow_id, ENABLE)
        if request.method == "POST":
            with transaction.atomic():
                lifecycle.turn_off(workflow)
                self.log_change(request, workflow, "Turned off.")
            self.message_user(request, f"“{workflow}” is off.", messages.SUCCESS)
            return self.back(workflow)
        text = "Nobody will be enrolled any more. Actions still due for enrolled records are skipped."
        return self.show(request, "confirm.html", workflow, "Turn off?", text=text, button="Yes, turn it off")

    def enroll_existing(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        """Asks once more, after the triggers of a live workflow were changed [H]."""
        workflow = self.opened(request, workflow_id, RUN)
        if not workflow.is_enabled or workflow.revision is None:
            return self.back(workflow)
        if request.method == "POST":
            with transaction.atomic():
                run = enrollment.enroll_matching(workflow, cause=Run.Cause.TURNED_ON, user_id=request.user.pk)
                self.log_change(request, workflow, f"Enrolled those who meet the new triggers (run {run.pk}).")
            return self._to_run(request, run)
        try:
            matching = _count_matching(workflow.revision.definition, workflow)
        except ValidationError as error:
            return self._cannot_enroll(request, workflow, error)
        return self.show(
            request,
            "enroll_existing.html",
            workflow,
            "Enroll those who meet the new triggers?",
            matching=f"{_count(matching, workflow)} {'meets' if matching == 1 else 'meet'} the new triggers",
        )

    def enroll(self, request: HttpRequest, workflow_id: int) -> HttpResponse:
        workflow = self.opened(request, workflow_id, RUN)
        if not workflow.is_enabled or workflow.revision is None:
            self.message_user(request, f"“{workflow}” is off; turn it on to enroll records.", messages.ERROR)
            return self.back(workflow)
        definition = workflow.revision.definition
        try:
            matching = _count_matching(definition, workflow) if definition["triggers"] else None
        except ValidationError as error:
            return self._cannot_enroll(request, workflow, error)
        form = EnrollForm(request.POST or None, workflow=workflow, matching=matching)
        if request.method == "POST" and form.is_valid():
            try:
                run = self._enroll(request, workflow, form)
            except ValidationError as error:
                return self._cannot_enroll(request, workflow, error)
            except Refused as error:
                form.add_error("ids" if form.cleaned_data["whom"] == NAMED else None, str(error))
            else:
                return self._to_run(request, run)
        return self.show(request, "enroll.html", workflow, "Enroll records", form=form)

    def _cannot_enroll(self, request: HttpRequest, workflow: Workflow, error: ValidationError) -> HttpResponse:
        """What runs cannot be read any more: an option that a filter names is gone, for instance."""
        words = f"Nobody can be enrolled in “{workflow}” until it is mended. {' '.join(error.messages)}"
        self.message_user(request, words, messages.ERROR)
        return self.back(workflow)

    def _enroll(self, request: HttpRequest, workflow: Workflow, form: EnrollForm) -> Run:
        whom = form.cleaned_data["whom"]
        with transaction.atomic():
            if whom == NAMED:
                run = enrollment.enroll_records(workflow, form.cleaned_data["ids"], user_id=request.user.pk)
            else:
                criteria = [[]] if whom == ALL else None  # type: ignore[var-annotated]
                run = enrollment.enroll_matching(workflow, criteria, user_id=request.user.pk)
            self.log_change(request, workflow, f"Enrolled records by hand (run {run.pk}).")
        return run

    def _to_run(self, request: HttpRequest, run: Run) -> HttpResponse:
        self.message_user(request, f"Run {run.pk} enrolls the records.", messages.SUCCESS)
        if request.user.has_perm("workflows.view_run"):
            return redirect("admin:workflows_run_change", run.pk)
        return self.back(run.workflow)


def _count(records: int, workflow: Workflow) -> str:
    object_type = workflow.object_type
    return f"{records:,} {(object_type.label if records == 1 else object_type.plural_label).lower()}"


def _count_matching(definition: dict[str, Any], workflow: Workflow) -> int:
    """How many records meet the filters now and are not kept out. Raises ValidationError for a part that is wrong."""
    triggers = lifecycle.read_definition(definition, workflow.object_type).triggers
    records = querysets.live_records(workflow.object_type).filter(triggers.criteria.q())
    return (records.exclude(triggers.suppression.q()) if triggers.suppression.groups else records).count()
