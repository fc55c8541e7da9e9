"""What records have on their pages because there are workflows: their enrollments, and enrolling those selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from associations.admin.record_list import is_across, listed_object_type
from associations.admin.record_page import Associated
from associations.admin.records import RecordAdmin as RecordAdminOfAssociations
from associations.errors import Refused
from associations.models import Record
from workflows import querysets
from workflows.models import Enrollment, Workflow
from workflows.services import enrollment, why

from .pages import RUN

# How many of its enrollments a record's page shows.
SHOWN = 10


class RecordAdmin(RecordAdminOfAssociations):
    actions = ("enroll_selected", *RecordAdminOfAssociations.actions)

    # The page -------------------------------------------------------------------------------------

    def tell(self, record: Record, associated: Sequence[Associated]) -> None:
        """Say of every association and label which workflow made it, and for which values."""
        stories = why.of_associations(record, [each.record.pk for each in associated])
        for each in associated:
            for put in each.puts:
                put.story = stories.get((each.record.pk, put.directed.type_id))

    def more_shown(self, request: HttpRequest, obj: Record | None) -> dict[str, Any]:
        shown = super().more_shown(request, obj)
        if obj and request.user.has_perm("workflows.view_enrollment"):
            shown["enrollments"] = _enrollments_of(obj)
        return shown

    # The list -------------------------------------------------------------------------------------

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RUN)

    @admin.action(permissions=["run"], description="Enroll in a workflow")
    def enroll_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> HttpResponse | None:
        """Asks in which one, then enrolls: at once what was selected on the page, by a worker all that is listed."""
        object_type = listed_object_type(request)
        workflows = list(Workflow.objects.filter(object_type=object_type, is_enabled=True).order_by("name"))
        if not workflows:
            told = f"No workflow for {object_type.plural_label.lower()} is on: turn one on first."
            self.message_user(request, told, messages.ERROR)
            return None
        chosen = next((each for each in workflows if str(each.pk) == request.POST.get("workflow")), None)
        if chosen is None:
            return self._ask_which(request, queryset, workflows)
        if is_across(request):
            return self.start_job(request, "enroll", f"Enroll in “{chosen}”:", queryset, workflow=chosen.pk)
        ids = list(queryset.filter(archived_at=None).values_list("id", flat=True))
        try:
            with transaction.atomic():
                run = enrollment.enroll_records(chosen, ids, user_id=request.user.pk)
                self.log_change(request, chosen, f"Enrolled {len(ids):,} records by hand (run {run.pk}).")  # type: ignore[arg-type]
        except Refused as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        self.message_user(request, f"Run {run.pk} enrolls the records.", messages.SUCCESS)
        if not request.user.has_perm("workflows.view_run"):
            return None
        return HttpResponseRedirect(reverse("admin:workflows_run_change", args=[run.pk]))

    def _ask_which(self, request: HttpRequest, queryset: QuerySet[Record], workflows: list[Workflow]) -> HttpResponse:
        context: dict[str, Any] = {
            "object_type": listed_object_type(request),
            "workflows": workflows,
            "across": is_across(request),
            "selected": request.POST.getlist("_selected_action"),
            "count": None if is_across(request) else queryset.count(),
        }
        return self.page(request, "admin/workflows/enroll_selected.html", "Enroll in which workflow?", **context)


def _enrollments_of(record: Record) -> dict[str, Any]:
    """The newest enrollments of a record with their outcomes, and whether there are more."""
    newest = Enrollment.objects.filter(record=record).select_related("workflow", "batch__run").order_by("-id")
    enrollments = list(newest[: SHOWN + 1])
    outcomes = querysets.outcomes_of(enrollments[:SHOWN])
    return {
        "shown": [(each, outcomes[each.pk]) for each in enrollments[:SHOWN]],
        "has_more": len(enrollments) > SHOWN,
    }


admin.site.unregister(Record)
admin.site.register(Record, RecordAdmin)
