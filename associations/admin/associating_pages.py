"""What is done with a record's associations on its page, and the page that lists all of one object type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.http import url_has_allowed_host_and_scheme

from associations import querysets
from associations.errors import Refused
from associations.models import Record
from associations.types import DirectedType

from .associating import AssociateForm, associate, take_off
from .paging import CappedPaginator
from .record_list import RecordList
from .record_page import Associated, associated_ends, read_ends

PER_PAGE = 50


class AssociatingPages(RecordList):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:object_id>/associate/", view(self.associate_view), name="record_associate"),
            path("<int:object_id>/take_off/", view(self.take_off_view), name="record_take_off"),
            path(
                "<int:object_id>/associations/<slug:type_name>/",
                view(self.associations_view),
                name="record_associations",
            ),
            *super().get_urls(),
        ]

    def tell(self, record: Record, associated: Sequence[Associated]) -> None:
        """Add to what was put on each pair what is known of it; workflows know (see workflows.admin.records)."""

    def _record_to_associate(self, request: HttpRequest, object_id: int) -> Record | None:
        record = self.get_object(request, str(object_id))
        if not self.has_change_permission(request, record):
            raise PermissionDenied
        return record

    def associate_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Associate the record with another one; a page of its own where something is wrong with that.

        What a button of a pair says with `put` (type id:record id) is what the form asks for with two fields.
        """
        record = self._record_to_associate(request, object_id)
        if record is None:
            return self._gone(request, object_id)
        data: Any = request.POST or None
        if put := request.POST.get("put"):
            type_id, _, other_id = put.partition(":")
            data = {"type_id": type_id, "other": other_id}
        form = AssociateForm(record, querysets.types_seen_from(record.object_type), data)
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
                return self._back(request, record)
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
            return self._back(request, record)
        directed = types[type_id]
        with transaction.atomic():
            counts = take_off(record, int(other_id), directed, self.origin(request))
            what = "The association" if directed.type.is_unlabeled else f"The label {directed}"
            if done := bool(counts.associations or counts.labels):
                self.log_change(request, record, f"{what} with {other_id} was removed.")
        told = f"{what} was removed." if done else f"{what} was no longer there."
        self.message_user(request, told, messages.SUCCESS if done else messages.INFO)
        return self._back(request, record)

    def associations_view(self, request: HttpRequest, object_id: int, type_name: str) -> HttpResponse:
        """All the associated records of one object type: searched, by label, page by page."""
        record = self.get_object(request, str(object_id))
        if record is None:
            return self._gone(request, object_id)
        if not self.has_view_permission(request, record):
            raise PermissionDenied
        types = [each for each in querysets.types_seen_from(record.object_type) if each.other_type.name == type_name]
        if not types:
            raise Http404
        labels = [each for each in types if not each.type.is_unlabeled]
        [unlabeled] = [each for each in types if each.type.is_unlabeled]
        label = _chosen(labels, request.GET.get("label"))
        search = request.GET.get("q", "").strip()
        ends = associated_ends(record, unlabeled, label=label, search=search)
        page = CappedPaginator(ends, PER_PAGE).get_page(request.GET.get("p"))
        shown = read_ends(record, page.object_list, types)
        self.tell(record, shown)
        return self.page(
            request,
            "admin/associations/record/associations_page.html",
            f"{unlabeled.other_type.plural_label} of {record}",
            original=record,
            object_type=record.object_type,
            other_type=unlabeled.other_type,
            labels=labels,
            label=label,
            search=search,
            page=page,
            shown=shown,
            may_change=self.has_change_permission(request, record),
        )

    def _back(self, request: HttpRequest, record: Record) -> HttpResponse:
        """To where the button was: the record's page, or one of the lists below it."""
        back = request.POST.get("back", "")
        if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
            back = self.change_url(record.pk)
        return HttpResponseRedirect(back)

    def _gone(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))  # type: ignore[attr-defined]


def _chosen(labels: Sequence[DirectedType], type_id: str | None) -> DirectedType | None:
    return next((label for label in labels if str(label.type_id) == type_id), None)
