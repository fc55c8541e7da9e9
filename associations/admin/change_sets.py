"""The admin's list of what happened, read-only: one line per change, whoever made it."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model, OuterRef, QuerySet
from django.http import HttpRequest

from associations.models import Association, ChangeSet, FormerAssociation, RecordEvent
from associations.querysets import CountOf, counted

from .paging import CappedPaginator

# To which number the facts of a change are counted.
MOST = 1_000


@admin.register(ChangeSet)
class ChangeSetAdmin(admin.ModelAdmin[ChangeSet]):
    list_display = ("at", "source", "user", "note", "depth", "facts")
    list_filter = ("source",)
    list_select_related = ("user",)
    list_per_page = 50
    search_fields = ("note", "user__username")
    sortable_by = ()
    ordering = ("-id",)
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    paginator = CappedPaginator
    fields = ("at", "source", "source_id", "user", "note", "depth", "processed_at", "facts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChangeSet]:
        # Of the ledger each table by itself: SQLite would read all of the view for each change.
        facts = (
            _count(RecordEvent, "change_set")
            + _count(Association, "change_set")
            + _count(FormerAssociation, "added_by")
            + _count(FormerAssociation, "removed_by")
        )
        return super().get_queryset(request).annotate(facts=facts)

    @admin.display(description="facts")
    def facts(self, change_set: ChangeSet) -> str:
        """How many things happened, to records and to associations: counted to MOST of each."""
        facts: int = change_set.facts  # type: ignore[attr-defined]
        return counted(facts, MOST)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ChangeSet | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ChangeSet | None = None) -> bool:
        return False


def _count(model: type[Model], of_change: str) -> CountOf:
    facts = model._default_manager.filter(**{of_change: OuterRef("pk")}).order_by().values(of_change)
    return CountOf(facts[: MOST + 1])
