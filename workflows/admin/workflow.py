"""Workflows in the admin: the list, and the page on which one is put together."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime

from associations.admin.base import refused_at
from associations.querysets import CountOf, Surroundings
from workflows.actions import ACTIONS
from workflows.models import Action, Enrollment, Run, Workflow
from workflows.sentences import describe
from workflows.services import editing, lifecycle

from .actions import ActionPages
from .coverage import CoveragePages
from .pages import ENABLE, RUN
from .previewing import PreviewPages
from .review import ReviewPages
from .switching import SwitchPages
from .triggers import EnrollmentTriggerInline
from .why import WhyPages

# Of the enrollments of one workflow, so that the list stays quick; it says "10,000+" beyond.
MOST_COUNTED = 10_000
REVISIONS_PER_PAGE = 20


@admin.register(Workflow)
class WorkflowAdmin(ActionPages, CoveragePages, PreviewPages, SwitchPages, ReviewPages, WhyPages):
    list_display = ("name", "object_type", "is_enabled", "number_of_actions", "last_run", "enrolled")
    list_filter = ("is_enabled", "object_type")
    list_select_related = ("object_type",)
    list_per_page = 50
    search_fields = ("name",)
    fields = ("name", "object_type", "description", "should_re_enroll")

    class Media:
        css = {"all": ["workflows/admin.css", "workflows/preview.css"]}
        js = ["workflows/admin.js", "workflows/compare.js"]

    def get_urls(self) -> list[URLPattern]:
        return [self.below("revisions/", self.revisions, "revisions"), *super().get_urls()]

    # The list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        mine = {"workflow": OuterRef("pk")}
        runs = Run.objects.filter(**mine).order_by("-id")
        enrollments = Enrollment.objects.filter(**mine).order_by().values("pk")
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
        count = f"{workflow.enrolled:,}" if workflow.enrolled <= MOST_COUNTED else f"{MOST_COUNTED:,}+"
        return format_html('<a href="{}?workflow__id__exact={}">{}</a>', url, workflow.pk, count)

    # One workflow ---------------------------------------------------------------------------------

    def get_inlines(self, request: HttpRequest, obj: Workflow | None) -> tuple[type[EnrollmentTriggerInline], ...]:
        """What a trigger can ask about depends on the object type, which comes first."""
        return (EnrollmentTriggerInline,) if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Workflow | None = None) -> tuple[str, ...]:
        return ("object_type",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Workflow | None = None) -> bool:
        """Only one that was never turned on: the others have a history, which stays."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.revision_id is None)

    def get_form(self, request: HttpRequest, obj: Workflow | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if not obj:
            object_type = form.base_fields["object_type"].widget  # to be chosen here, not to be edited on the way
            object_type.can_add_related = object_type.can_change_related = object_type.can_view_related = False
            object_type.can_delete_related = False
        return form

    def save_by_service(self, request: HttpRequest, form: Any, obj: Workflow | None) -> Workflow:
        return obj or editing.create_workflow(**form.cleaned_data)  # an existing one is saved with its triggers

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if not change:
            return
        workflow, before = form.instance, form.instance.revision
        for formset in formsets:
            formset.save(commit=False)  # saves nothing, but notes for Django's log what has changed
        with refused_at(form):
            editing.change_workflow(
                workflow, **form.cleaned_data, triggers=formsets[0].triggers(), user_id=request.user.pk
            )
        workflow.refresh_from_db()
        if workflow.is_enabled and before.definition["triggers"] != workflow.revision.definition["triggers"]:
            self._ask_again(request, workflow)

    def _ask_again(self, request: HttpRequest, workflow: Workflow) -> None:
        """Changing the triggers of a live workflow asks once more whom to enroll [H]."""
        words = "From now on the new triggers count. Also enroll the records that meet them already?"
        if request.user.has_perm(RUN):
            url = reverse("admin:workflows_workflow_enroll", args=[workflow.pk])
            words = format_html('{} <a href="{}">Enroll records</a>', words, url)
        self.message_user(request, words, messages.INFO)

    def response_add(self, request: HttpRequest, obj: Workflow, post_url_continue: str | None = None) -> HttpResponse:
        """A new workflow has nothing yet: go on with its triggers and actions."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, f"“{obj}” was added. Now say when records enroll, and what is done with them.")
        return self.back(obj)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Workflow | None = None,
    ) -> HttpResponse:
        if obj:
            description = describe(lifecycle.definition_json(obj), Surroundings(obj.object_type))
            context |= {
                "description": description,
                "actions": list(zip(obj.actions.order_by("position", "id"), description.actions, strict=True)),
                "kinds": ACTIONS.values(),
                "may_change": self.has_change_permission(request, obj),
                "may_enable": request.user.has_perm(ENABLE),
                "may_run": request.user.has_perm(RUN),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def revisions(self, request: HttpRequest, workflow_id: int) -> TemplateResponse:
        """What ran and what runs, newest first, in words."""
        workflow = self.opened(request, workflow_id)
        revisions = workflow.revisions.order_by("-number").select_related("created_by")
        page = Paginator(revisions, REVISIONS_PER_PAGE).get_page(request.GET.get("p"))
        around = Surroundings(workflow.object_type)
        described = [(each, describe(each.definition, around)) for each in page]
        return self.show(request, "revisions.html", workflow, "Revisions", revisions=described, page=page)
