"""The list of the records of one object type, and what can be done with those selected in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import Truncator

from associations.errors import Refused
from associations.models import ObjectType, Record
from associations.services import archiving, merging

from .base import ServiceAdmin
from .choosing import PARAMETER, chosen_object_type
from .layout import ArchivedFilter, Layout, layout_of
from .values import CELL, field_name, in_words


def listed_object_type(request: HttpRequest) -> ObjectType:
    """The object type of the list: the one that the address names, contacts if it names none."""
    found = chosen_object_type(request)
    if found is None and not request.GET.get(PARAMETER):
        found = vars(request)["object_type"] = ObjectType.objects.order_by("id").first()
    if found is None:
        raise IncorrectLookupParameters(request.GET.get(PARAMETER))
    return found


class RecordChangeList(ChangeList):
    """A list of one object type; the others are tabs."""

    object_type: ObjectType

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.object_type = listed_object_type(request)
        self.root_queryset = self.root_queryset.filter(object_type=self.object_type)
        return super().get_queryset(request, exclude_parameters)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """All but the object type, which is no filter that can be cleared."""
        return {name: value for name, value in super().get_filters_params(params).items() if name != PARAMETER}


class RecordList(ServiceAdmin[Record]):
    """The list's half of RecordAdmin."""

    actions = ("archive_selected", "restore_selected", "merge_selected", "delete_selected")
    list_per_page = 50
    search_help_text = "Searches what records are shown by, their unique values, and their ids."
    list_select_related = ("object_type",)
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    ordering = ("-id",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RecordChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            title = listed_object_type(request).plural_label
        except IncorrectLookupParameters:
            return HttpResponseRedirect(request.path)
        return super().changelist_view(
            request, {"title": title, "object_types": ObjectType.objects.all(), **(extra_context or {})}
        )

    def _layout(self, request: HttpRequest) -> Layout:
        return layout_of(request, listed_object_type(request))

    def get_list_display(self, request: HttpRequest) -> Any:
        return [*self._layout(request).columns(), "updated_at"]

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [ArchivedFilter, *self._layout(request).filters()]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("properties",)  # there is a search; `get_search_results` says in what

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return self._layout(request).search(queryset, search_term.split()), False

    # What can be done with the selected ones ------------------------------------------------------

    @admin.action(permissions=["change"], description="Archive")
    def archive_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> None:
        self._do(request, queryset, archiving.archive_records, "Archived")

    @admin.action(permissions=["change"], description="Restore")
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> None:
        self._do(request, queryset, archiving.restore_records, "Restored")

    def _do(self, request: HttpRequest, queryset: QuerySet[Record], service: Callable[..., int], done: str) -> None:
        object_type = listed_object_type(request)
        ids = list(queryset.values_list("id", flat=True))
        try:
            count = service(object_type, ids, origin=self.origin(request))
        except Refused as error:
            self.message_user(request, f"Nothing was changed: {error}", messages.ERROR)
        else:
            word = object_type.label if count == 1 else object_type.plural_label
            self.message_user(request, f"{done} {count:,} {word.lower()}.", messages.SUCCESS)

    @admin.action(permissions=["delete"], description="Delete for good")
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> HttpResponse | None:
        return delete_selected(self, request, queryset)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Record]) -> None:
        ids = list(queryset.values_list("id", flat=True))
        archiving.delete_records(listed_object_type(request), ids, origin=self.origin(request))

    @admin.action(permissions=["change"], description="Merge two")
    def merge_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> HttpResponse | None:
        """Asks which of the two survives, then merges."""
        records = list(queryset.order_by("id")[:3])
        if len(records) != 2:
            self.message_user(request, "Select exactly two records to merge.", messages.ERROR)
            return None
        chosen = [record for record in records if str(record.pk) == request.POST.get("survivor")]
        if not chosen:
            return self._ask_for_survivor(request, records)
        [merged] = [record for record in records if record != chosen[0]]
        try:
            survivor = merging.merge_records(merged.object_type, chosen[0].pk, merged.pk, origin=self.origin(request))
        except Refused as error:
            self.message_user(request, f"Nothing was merged: {error}", messages.ERROR)
            return None
        self.log_change(request, survivor, f"Merged {merged} ({merged.pk}) into this record.")
        self.message_user(request, f"Merged {merged} into {survivor}.", messages.SUCCESS)
        return HttpResponseRedirect(self.change_url(survivor.pk))

    def _ask_for_survivor(self, request: HttpRequest, records: list[Record]) -> HttpResponse:
        rows = []
        for prop in self._layout(request).primary_first:
            values = [record.properties.get(prop.name) for record in records]
            if any(value is not None for value in values):
                shown = ["" if value is None else Truncator(in_words(prop, value)).chars(CELL * 2) for value in values]
                rows.append((field_name(prop.name), prop.label, shown))
        title = f"Merge two {records[0].object_type.plural_label.lower()}"
        return self.page(request, "admin/associations/record/merge.html", title, records=records, rows=rows)
