"""Workflows in the admin: the list, and the page on which one is put together."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime

from associations.querysets import CountOf, counted
from workflows.models import Action, Enrollment, Run, Workflow
from workflows.services import editing

from .coverage import CoveragePages
from .editor import EditorPages
from .previewing import PreviewPages
from .review import ReviewPages
from .revisions import RevisionPages
from .switching import SwitchPages
from .why import WhyPages

# Of the enrollments of one workflow, so that the list stays quick.
MOST_COUNTED = 10_000


class OnFilter(admin.BooleanFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "whether it is on"


@admin.register(Workflow)
class WorkflowAdmin(EditorPages, RevisionPages, CoveragePages, PreviewPages, SwitchPages, ReviewPages, WhyPages):
    list_display = ("name", "object_type", "is_enabled", "number_of_actions", "last_run", "enrolled")
    list_filter = (("is_enabled", OnFilter), "object_type")
    list_select_related = ("object_type",)
    list_per_page = 50
    search_fields = ("name",)
    fields = ("object_type", "name")
    radio_fields = {"object_type": admin.VERTICAL}
    add_form_template = "admin/workflows/workflow/add.html"

    class Media:
        css = {"all": ["workflows/admin.css", "workflows/editor.css", "workflows/preview.css"]}
        js = ["workflows/editor.js", "workflows/compare.js"]

    # The list -------------------------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Without the columns that lead to what the person may not see."""
        needed = {"last_run": "workflows.view_run", "enrolled": "workflows.view_enrollment"}
        return tuple(name for name in self.list_display if name not in needed or request.user.has_perm(needed[name]))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        mine = {"workflow": OuterRef("pk")}
        runs = Run.objects.filter(**mine).order_by("-id")
        # As a range, in the order of their index: expecting to meet so many soon, the planner would walk through all.
        of_range = {"workflow__gte": OuterRef("pk"), "workflow__lte": OuterRef("pk"), "ordinal__isnull": False}
        enrollments = Enrollment.objects.filter(**of_range).order_by("workflow_id", "pk").values("pk")
        return (
            super()
            .get_queryset(request)
            .annotate(
                number_of_actions=CountOf(Action.objects.filter(**mine).order_by().values("pk")),
                last_run_id=Subquery(runs.values("pk")[:1]),
                last_run_at=Subquery(runs.values("created_at")[:1]),
                enrolled=CountOf(enrollments[: MOST_COUNTED + 1]),
            )
        )

    @admin.display(description="actions", ordering="number_of_actions")
    def number_of_actions(self, workflow: Any) -> int:
        return workflow.number_of_actions

    @admin.display(description="last run", ordering="last_run_at")
    def last_run(self, workflow: Any) -> str | None:
        if workflow.last_run_id is None:
            return None
        url = reverse("admin:workflows_run_change", args=[workflow.last_run_id])
        return format_html('<a href="{}">{}</a>', url, date_format(localtime(workflow.last_run_at), "DATETIME_FORMAT"))

    @admin.display(description="enrolled")
    def enrolled(self, workflow: Any) -> str:
        url = reverse("admin:workflows_enrollment_changelist")
        count = counted(workflow.enrolled, MOST_COUNTED)
        return format_html('<a href="{}?workflow__id__exact={}">{}</a>', url, workflow.pk, count)

    # A new one ------------------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: Workflow | None = None) -> bool:
        """Only one that was never turned on: the others have a history, which stays."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.revision_id is None)

    def get_form(self, request: HttpRequest, obj: Workflow | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        field = form.base_fields["object_type"]
        field.widget = field.widget.widget  # to be chosen here, not to be edited on the way
        field.label, field.help_text = "Which records enroll", "This stays as it is; the rest can be changed later."
        return form

    def save_by_service(self, request: HttpRequest, form: Any, obj: Workflow | None) -> Workflow:
        return editing.create_workflow(**form.cleaned_data)

    def response_add(self, request: HttpRequest, obj: Workflow, post_url_continue: str | None = None) -> HttpResponse:
        """A new workflow has nothing yet: go on with its triggers and actions."""
        return self.back(obj)
