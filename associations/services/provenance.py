"""Who or what made a change, in words. Named reads for admin, API and commands; nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable

from associations.models import ChangeSet


def change_sets_by_id(ids: Iterable[int]) -> dict[int, ChangeSet]:
    """Change sets with their users. Old ones may have been pruned, so nothing that names one is joined to it."""
    return ChangeSet.objects.select_related("user").in_bulk(list(ids))


def who(change_set: ChangeSet | None) -> str:
    """Who or what made a change, in words."""
    if change_set is None:
        return "unknown"
    if change_set.source == ChangeSet.Source.USER:
        by = str(change_set.user or "a user who is deleted")
        return f"{by}, {change_set.note}" if change_set.note else by
    what = change_set.note or (f"{change_set.source_id}" if change_set.source_id else "")
    return f"{change_set.get_source_display()} {what}".strip()
