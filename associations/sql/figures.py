"""The sums of the ledger: adding what change sets did to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from .base import in_ids
from .messages import send


def add_figures(day: dt.date, source: str, change_set_ids: Sequence[int]) -> None:
    """Add how many rows some change sets of a day and a source added and removed, by type, to the figures, which begin
    with these if they are the first (association by change set, former association by added_by and removed_by; figure
    pkey)."""
    of_these, ids = in_ids("change_set_id", change_set_ids)
    insert = (
        "INSERT INTO associations_associationfigure (day, type_id, source, added, removed)"
        " SELECT %s, type_id, %s, count(CASE WHEN added THEN 1 END), count(CASE WHEN added THEN NULL ELSE 1 END)"
        f" FROM associations_associationchange WHERE {of_these} GROUP BY type_id ORDER BY type_id"
        " ON CONFLICT (day, type_id, source) DO UPDATE SET"
        " added = associations_associationfigure.added + excluded.added,"
        " removed = associations_associationfigure.removed + excluded.removed"
    )
    send((insert, [day.isoformat(), source, *ids]))
