"""The admin's pages of records: a form by object type, the associations below it, the history behind it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from associations import querysets
from associations.errors import Refused
from associations.models import Record
from associations.services import archiving
from associations.services.records import save_records

from .associating import AssociateForm, associate, take_off
from .choosing import PARAMETER, ChoosesObjectType, object_type_for
from .layout import layout_of
from .record_forms import RecordForm, record_form
from .record_history import history_of
from .record_list import RecordList
from .record_page import SHOWN, associations_of


@admin.register(Record)
class RecordAdmin(RecordList, ChoosesObjectType[Record]):
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

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Record | None = None,
    ) -> HttpResponse:
        object_type = object_type_for(request, obj)
        verb = "Add" if obj is None else "Change" if self.has_change_permission(request, obj) else "View"
        context |= {"title": f"{verb} {object_type.label.lower()}", "object_type": object_type}
        if obj is not None:
            types = querysets.types_seen_from(object_type)
            context |= {
                "groups": associations_of(obj, types),
                "most_shown": SHOWN,
                "associate_form": AssociateForm(obj, types) if self.has_change_permission(request, obj) else None,
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

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

    # Associating ----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:object_id>/associate/", view(self.associate_view), name="record_associate"),
            path("<int:object_id>/take_off/", view(self.take_off_view), name="record_take_off"),
            *super().get_urls(),
        ]

    def _record_to_associate(self, request: HttpRequest, object_id: int) -> Record | None:
        record = self.get_object(request, str(object_id))
        if not self.has_change_permission(request, record):
            raise PermissionDenied
        return record

    def associate_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Associate the record with another one; a page of its own where something is wrong with that."""
        record = self._record_to_associate(request, object_id)
        if record is None:
            return self._gone(request, object_id)
        form = AssociateForm(record, querysets.types_seen_from(record.object_type), request.POST or None)
        if form.is_valid():
            other, directed = form.cleaned_data["record"], form.types[form.cleaned_data["type_id"]]
            try:
                with transaction.atomic():
                    counts = associate(record, other, directed, self.origin(request))
                    if counts.associations or counts.labels:
                        self.log_change(request, record, f"Associated with {other} ({other.pk}): {directed}.")
            except Refused as error:
                form.add_error(None, str(error))
            else:
                done = counts.associations or counts.labels
                told = f"Associated with {other}: {directed}." if done else f"{other} was associated so before."
                self.message_user(request, told, messages.SUCCESS if done else messages.INFO)
                return HttpResponseRedirect(self.change_url(record.pk))
        return self.page(
            request,
            "admin/associations/record/associate.html",
            f"Associate {record}",
            form=form,
            original=record,
            object_type=record.object_type,
        )

    def take_off_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Take a label off a pair, or remove the association: `end` is type id:record id."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        record = self._record_to_associate(request, object_id)
        if record is None:
            return self._gone(request, object_id)
        type_id, _, other_id = request.POST.get("end", "").partition(":")
        types = {str(each.type_id): each for each in querysets.types_seen_from(record.object_type)}
        if type_id not in types or not (other_id.isascii() and other_id.isdecimal()):
            self.message_user(request, "There is no such association.", messages.ERROR)
            return HttpResponseRedirect(self.change_url(record.pk))
        directed = types[type_id]
        with transaction.atomic():
            counts = take_off(record, int(other_id), directed, self.origin(request))
            what = "The association" if directed.type.is_unlabeled else f"The label {directed}"
            if done := bool(counts.associations or counts.labels):
                self.log_change(request, record, f"{what} with {other_id} was removed.")
        told = f"{what} was removed." if done else f"{what} was no longer there."
        self.message_user(request, told, messages.SUCCESS if done else messages.INFO)
        return HttpResponseRedirect(self.change_url(record.pk))

    def _gone(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))  # type: ignore[attr-defined]
