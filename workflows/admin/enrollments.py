"""Enrollments in the admin: which record is in which workflow, and what each action did for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join

from associations.models import Record
from associations.querysets import Surroundings
from workflows import querysets
from workflows.models import ActionOutcome, Enrollment, Outcome, Run
from workflows.sentences import action_sentence

from .reading import ReadOnlyAdmin, link

# Of what was changed for one record, on its enrollment's page; the record's own page has it all.
MOST_CHANGES = 200
# Of what was found for one record, in a cell of the list.
FOUND_SHOWN = 3


class RunFilter(admin.SimpleListFilter):
    """The enrollments of one run. Its page links here; a list of all runs to choose from would be too long."""

    title = "run"
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        run_id = str(self.used_parameters.get("run", ""))
        return [(run_id, f"Run {run_id}")] if run_id.isascii() and run_id.isdecimal() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
        run_id = self.value()
        return queryset.filter(batch__run_id=int(run_id)) if run_id else queryset


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return Outcome.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
        outcome = self.value()
        return querysets.with_outcome(queryset, outcome) if outcome else queryset


class EnrollmentChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """The outcomes of all the enrollments of a page at once."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        outcomes, found = querysets.outcomes_of(self.result_list), querysets.found_for(self.result_list)
        for enrollment in self.result_list:
            enrollment.outcomes = [
                (each, found.get((enrollment.pk, each.action_run.position), []) if each.count else [])
                for each in outcomes[enrollment.pk]
            ]


@admin.register(Enrollment)
class EnrollmentAdmin(ReadOnlyAdmin):
    list_display = ("record", "workflow", "state", "enrolled_at", "outcomes")
    list_filter = ("workflow", "state", OutcomeFilter, RunFilter)
    list_select_related = ("workflow", "record__object_type")
    search_fields = ("record_id",)
    fields = ("record_link", "workflow", "run", "state", "enrolled_at", "ended_at", "times_before")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EnrollmentChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Of one run it is the log of that run."""
        run_id = _run_id(request)
        run = Run.objects.filter(pk=run_id).first() if run_id else None
        context = {
            "title": f"Log of run {run_id}" if run_id else "Enrollments",
            "run_id": run_id,
            "is_pruned": run is not None and querysets.is_pruned(run),
            "outcome": request.GET.get("outcome", ""),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """All of one run are in one workflow."""
        return tuple(name for name in self.list_display if name != "workflow" or not _run_id(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        return (
            super()
            .get_queryset(request)
            .select_related("record__object_type", "batch__run__revision", "workflow__object_type")
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Enrollment], search_term: str
    ) -> tuple[QuerySet[Enrollment], bool]:
        for word in search_term.split():
            is_id = word.isascii() and word.isdecimal() and len(word) < 19
            queryset = queryset.filter(record_id=int(word)) if is_id else queryset.none()
        return queryset, False

    @admin.display(description="what came of it, for which value")
    def outcomes(self, enrollment: Any) -> str:
        return format_html_join("", '<div class="outcome">{}{}{}</div>', map(_told, enrollment.outcomes))

    @admin.display(description="record")
    def record_link(self, enrollment: Enrollment) -> str:
        return link(enrollment.record)

    @admin.display(description="run")
    def run(self, enrollment: Enrollment) -> str:
        return link(enrollment.batch.run)

    @admin.display(description="times enrolled before")
    def times_before(self, enrollment: Enrollment) -> str:
        return "-" if enrollment.ordinal is None else str(enrollment.ordinal)

    def more_shown(self, request: HttpRequest, obj: Enrollment) -> dict[str, Any]:
        return {"done_actions": _done_actions(obj), "is_pruned": querysets.is_pruned(obj.batch.run)}


def _run_id(request: HttpRequest) -> str:
    run_id = request.GET.get("run", "")
    return run_id if run_id.isascii() and run_id.isdecimal() else ""


def _told(outcome: tuple[ActionOutcome, list[Record]]) -> tuple[str, str, str]:
    """An outcome in a cell: what it was, the value that was looked for, and the first of what was found."""
    told, others = outcome
    value = format_html(" <i>“{}”</i>", told.value) if told.value else ""
    shown = format_html_join(", ", "{}", [(link(other),) for other in others[:FOUND_SHOWN]])
    more = f" and {told.count - FOUND_SHOWN:,} more" if shown and told.count > FOUND_SHOWN else ""
    return told.said, value, format_html(" → {}{}", shown, more) if shown else ""


def _done_actions(enrollment: Enrollment) -> list[dict[str, Any]]:
    """Each action of the run's revision with what it did for this record so far."""
    outcomes = querysets.outcomes_of([enrollment])[enrollment.pk]
    changes = querysets.pair_changes(enrollment, MOST_CHANGES)
    around = Surroundings(enrollment.workflow.object_type)
    return [
        {
            "sentence": action_sentence(raw["kind"], raw["fields"], around),
            "outcomes": [each for each in outcomes if each.action_run.position == position],
            "changes": [(each, link(each.other)) for each in changes if each.position == position],
        }
        for position, raw in enumerate(enrollment.batch.run.revision.definition["actions"])
    ]
