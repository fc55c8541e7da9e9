"""The sums of the ledger: adding to them."""

from __future__ import annotations

import datetime as dt

from .base import execute


def add_figure(day: dt.date, type_id: int, source: str, added: int, removed: int) -> None:
    """Add to the figure of a day, a type and a source, which begins with this if it is the first (figure pkey)."""
    execute(
        "INSERT INTO associations_associationfigure (day, type_id, source, added, removed)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (day, type_id, source) DO UPDATE SET"
        " added = associations_associationfigure.added + excluded.added,"
        " removed = associations_associationfigure.removed + excluded.removed",
        [day.isoformat(), type_id, source, added, removed],
    )
