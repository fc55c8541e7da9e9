"""The list of the records of one object type, and what can be done with those selected in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import Truncator

from associations import querysets
from associations.errors import Refused
from associations.models import ObjectType, Record
from associations.services import archiving, bulk, merging
from associations.services.selecting import Selection

from .choosing import PARAMETER, chosen_object_type
from .columns import CHOOSE_COLUMNS, ColumnPages
from .layout import ArchivedFilter, Layout, PropertyFilter, ValueFilter, layout_of
from .paging import CappedPaginator
from .values import CELL, field_name, in_words

# What the list can be sorted by however long it is.
INDEXED = {"pk", "id", "name_key"}


def user_id(request: HttpRequest) -> int:
    assert request.user.pk is not None  # the admin's pages are for people who have signed in
    return request.user.pk


def is_across(request: HttpRequest) -> bool:
    """Whether all that is listed was selected, not only what is on the page."""
    return request.POST.get("select_across") == "1"


def listed_object_type(request: HttpRequest) -> ObjectType:
    """The object type of the list: the one that the address names, contacts if it names none."""
    found = chosen_object_type(request)
    if found is None and not request.GET.get(PARAMETER):
        found = vars(request)["object_type"] = ObjectType.objects.first()
    if found is None:
        raise IncorrectLookupParameters(request.GET.get(PARAMETER))
    return found


class RecordChangeList(ChangeList):
    """A list of one object type; the others are tabs."""

    object_type: ObjectType
    is_unsorted = False

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.object_type = listed_object_type(request)
        self.root_queryset = self.root_queryset.filter(object_type=self.object_type)
        listed = super().get_queryset(request, exclude_parameters)
        if not all(isinstance(each, str) and each.lstrip("-") in INDEXED for each in listed.query.order_by):
            # Sorting by what has no index reads every record: a pleasure for thousands of them, not for a million.
            self.is_unsorted = CappedPaginator(listed, 1).is_capped
        return listed.order_by("-id") if self.is_unsorted else listed

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """All but the object type, which is no filter that can be cleared."""
        return {name: value for name, value in super().get_filters_params(params).items() if name != PARAMETER}

    @property
    def all_of_it(self) -> str:
        """The query of the list without search and filters; read by the template of the search."""
        return f"?{urlencode({PARAMETER: self.object_type.name})}"

    def selection(self, ids: Sequence[int] | None) -> Selection:
        """What is listed, or those of it that have these ids, for services."""
        choices = {each.prop.name: each.value() for each in self.filter_specs if isinstance(each, PropertyFilter)}
        values = {
            each.prop.name: each.kept for each in self.filter_specs if isinstance(each, ValueFilter) and each.prop
        }
        return Selection(
            self.object_type,
            ids=None if ids is None else tuple(ids),
            search=self.query,
            choices={name: choice for name, choice in choices.items() if choice is not None},
            values={name: value for name, value in values.items() if value is not None},
            archived=any(isinstance(each, ArchivedFilter) and each.value() == "yes" for each in self.filter_specs),
        )


class RecordList(ColumnPages):
    """The list's half of RecordAdmin."""

    actions: Sequence[str] = (
        "export_selected",
        "archive_selected",
        "restore_selected",
        "merge_selected",
        "delete_selected",
    )
    list_per_page = 50
    list_select_related = ("object_type",)
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    paginator = CappedPaginator
    ordering = ("-id",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RecordChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            title = listed_object_type(request).plural_label
        except IncorrectLookupParameters:
            return HttpResponseRedirect(request.path)
        context = {
            "title": title,
            "object_types": ObjectType.objects.all(),
            "may_choose_columns": request.user.has_perm(CHOOSE_COLUMNS),
            **(extra_context or {}),
        }
        response = super().changelist_view(request, context)
        shown = getattr(response, "context_data", None)
        if shown and "cl" in shown and shown["cl"].paginator.is_capped:
            # Django counts what it lists; here it is told only that there are more.
            shown["selection_note_all"] = "All that match are selected"
        return response

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
        if not search_term.strip():
            return queryset, False
        found = querysets.search(queryset, listed_object_type(request), search_term)
        # By name, which is how the index has them: sorting what begins with one letter would read all of it.
        return found if ORDER_VAR in request.GET else found.order_by("name_key", "-id"), False

    # What can be done with the selected ones ------------------------------------------------------

    @admin.action(permissions=["change"], description="Archive")
    def archive_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> HttpResponse | None:
        return self._do(request, queryset, "archive", archiving.archive_records, "Archived")

    @admin.action(permissions=["change"], description="Restore")
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> HttpResponse | None:
        return self._do(request, queryset, "restore", archiving.restore_records, "Restored")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(bulk.kind_of("export").permission)

    @admin.action(permissions=["export"], description="Export as CSV")
    def export_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> HttpResponse:
        names = [prop.name for prop in self._layout(request).primary_first]
        return self.start_job(request, "export", "Export", queryset, properties=names)

    def _do(
        self, request: HttpRequest, queryset: QuerySet[Record], kind: str, service: Callable[..., int], done: str
    ) -> HttpResponse | None:
        """At once what was selected on the page, and by a worker all that is listed."""
        if is_across(request):
            return self.start_job(request, kind, kind.capitalize(), queryset)
        object_type = listed_object_type(request)
        records = list(queryset)
        try:
            with transaction.atomic():
                count = service(object_type, [record.pk for record in records], origin=self.origin(request))
                LogEntry.objects.log_actions(user_id(request), records, CHANGE, f"{done}.")
        except Refused as error:
            self.message_user(request, f"Nothing was changed: {error}", messages.ERROR)
        else:
            word = object_type.label if count == 1 else object_type.plural_label
            self.message_user(request, f"{done} {count:,} {word.lower()}.", messages.SUCCESS)
        return None

    def start_job(
        self, request: HttpRequest, kind: str, verb: str, queryset: QuerySet[Record], **fields: Any
    ) -> HttpResponse:
        """Have a worker do it with what is selected, and go where it can be watched."""
        changelist: Any = self.get_changelist_instance(request)
        ids = None if is_across(request) else list(queryset.values_list("id", flat=True))
        object_type = listed_object_type(request)
        count = "" if ids is None else f"{len(ids):,} "
        title = f"{verb} {count}{object_type.plural_label.lower()}"
        selection = changelist.selection(ids)
        with transaction.atomic():
            job = bulk.start(
                kind, title, user=request.user, object_type=object_type, selection=selection.to_json(), **fields
            )
            self.log_addition(request, job, f"{title}.")  # type: ignore[arg-type]
        return HttpResponseRedirect(reverse("admin:associations_bulkjob_change", args=[job.pk]))

    @admin.action(permissions=["delete"], description="Delete for good")
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> HttpResponse | None:
        if CappedPaginator(queryset, 1).is_capped:
            self.message_user(request, f"At most {CappedPaginator.MOST:,} are deleted at once.", messages.ERROR)
            return None
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
