"""The admin's pages of records: a form by object type, the associations below it, the history behind it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from associations import querysets
from associations.models import Record
from associations.services import archiving
from associations.services.records import save_records

from .associating import AssociateForm
from .associating_pages import AssociatingPages
from .base import ShowsMore
from .choosing import PARAMETER, ChoosesObjectType, object_type_for
from .layout import layout_of
from .picture import draw
from .record_forms import RecordForm, record_form
from .record_history import history_of
from .record_page import associations_of


@admin.register(Record)
class RecordAdmin(AssociatingPages, ChoosesObjectType[Record], ShowsMore[Record]):
    """Archived records can be read only; restoring them is an action of the list."""

    object_history_template = "admin/associations/record/history.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Record]:
        return super().get_queryset(request).select_related("object_type")

    def has_change_permission(self, request: HttpRequest, obj: Record | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.archived_at)

    # The form -------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Record | None = None) -> Any:
        editable = obj is None or self.has_change_permission(request, obj)
        return layout_of(request, object_type_for(request, obj)).fieldsets(editable=editable)

    def get_form(self, request: HttpRequest, obj: Record | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = record_form(layout_of(request, object_type_for(request, obj)), obj)
        return super().get_form(request, obj, change, **{**kwargs, "form": form, "fields": ()})

    def save_by_service(self, request: HttpRequest, form: RecordForm, obj: Record | None) -> Record:
        object_type = object_type_for(request, obj)
        [record] = save_records(object_type, [form.entered()], origin=self.origin(request)).records
        record.object_type = object_type
        return record

    def delete_model(self, request: HttpRequest, obj: Record) -> None:
        archiving.delete_records(obj.object_type, [obj.pk], origin=self.origin(request))

    # The page -------------------------------------------------------------------------------------

    def more_shown(self, request: HttpRequest, obj: Record | None) -> dict[str, Any]:
        object_type = object_type_for(request, obj)
        verb = "Add" if obj is None else "Change" if self.has_change_permission(request, obj) else "View"
        shown = {"title": f"{verb} {object_type.label.lower()}", "object_type": object_type}
        if obj is None:
            return shown
        types = querysets.types_seen_from(object_type)
        groups = associations_of(obj, types)
        self.tell(obj, [each for group in groups for each in group.shown])
        return {
            **shown,
            "groups": groups,
            "picture": draw(obj, groups),
            "associate_form": AssociateForm(obj, types) if self.has_change_permission(request, obj) else None,
        }

    def response_post_save_add(self, request: HttpRequest, obj: Record) -> HttpResponseRedirect:
        return self._back_to_list(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Record) -> HttpResponseRedirect:
        return self._back_to_list(request, obj)

    def _back_to_list(self, request: HttpRequest, record: Record) -> HttpResponseRedirect:
        """The list as the person left it or, coming from elsewhere, that of the record's object type."""
        of_its_type = urlencode({"_changelist_filters": urlencode({PARAMETER: record.object_type.name})})
        context: Any = {"opts": self.opts, "preserved_filters": self.get_preserved_filters(request) or of_its_type}
        url = reverse("admin:associations_record_changelist", current_app=self.admin_site.name)
        return HttpResponseRedirect(add_preserved_filters(context, url))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().history_view(request, object_id, extra_context)
        context = getattr(response, "context_data", None)
        if context:  # there is such a record, and it may be seen
            record: Record = context["object"]
            context["entries"] = history_of(record, layout_of(request, record.object_type).properties)
            context["object_type"] = record.object_type
        return response
