"""The sums of the ledger: counting what change sets did, and adding to the sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from .base import execute, fetch, in_ids


def count_changes(change_set_ids: Sequence[int]) -> list[tuple[int, int, bool, int]]:
    """How many rows some change sets added and removed: change set, type, whether added, how many (association by
    change set, former association by added_by and removed_by)."""
    of_these, ids = in_ids("change_set_id", change_set_ids)
    return fetch(
        "SELECT change_set_id, type_id, added, count(*) FROM associations_associationchange"
        f" WHERE {of_these} GROUP BY change_set_id, type_id, added",
        ids,
    )


def add_figures(figures: Sequence[tuple[dt.date, int, str, int, int]]) -> None:
    """Add to the figures of days, types and sources, which begin with these if they are the first (figure pkey)."""
    if not figures:
        return
    execute(
        "INSERT INTO associations_associationfigure (day, type_id, source, added, removed)"
        f" VALUES {', '.join(['(%s, %s, %s, %s, %s)'] * len(figures))} ON CONFLICT (day, type_id, source) DO UPDATE SET"
        " added = associations_associationfigure.added + excluded.added,"
        " removed = associations_associationfigure.removed + excluded.removed",
        [value for day, *others in figures for value in (day.isoformat(), *others)],
    )
