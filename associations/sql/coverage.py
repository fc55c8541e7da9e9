"""How values cover each other: which records have a match key, and how many keys of another index equal it.

Counted as one set by match keys, and listed page by page by the same statement (match key pkey, match_key_lookup).
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

from associations.models import MatchIndex, Record

from .base import compiled
from .messages import fetch

NO_VALUE: Final = "no_value"
NO_MATCH: Final = "no_match"
ONE_MATCH: Final = "one_match"
SEVERAL: Final = "several"
DUPLICATE: Final = "duplicate"
SINGLE: Final = "single"


def matches(records: QuerySet[Record], own: MatchIndex, other: MatchIndex) -> tuple[str, list[Any]]:
    """A SELECT of (id, kind): no value, no match, one match or several. A record is no match of its own."""
    chosen, params = compiled(records.order_by().values("id"))
    select = (
        f"SELECT s.id, CASE WHEN own.record_id IS NULL THEN '{NO_VALUE}'"
        f" WHEN coalesce(m.n, 0) - CASE WHEN self.record_id IS NULL THEN 0 ELSE 1 END = 0 THEN '{NO_MATCH}'"
        f" WHEN m.n - CASE WHEN self.record_id IS NULL THEN 0 ELSE 1 END = 1 THEN '{ONE_MATCH}' ELSE '{SEVERAL}' END"
        f" AS kind FROM ({chosen}) AS s"
        " LEFT JOIN associations_matchkey own ON own.index_id = %s AND own.record_id = s.id"
        " LEFT JOIN (SELECT key, count(*) AS n FROM associations_matchkey WHERE index_id = %s GROUP BY key) AS m"
        " ON m.key = own.key"
        " LEFT JOIN associations_matchkey self ON self.index_id = %s AND self.record_id = s.id AND self.key = own.key"
    )
    return select, [*params, own.pk, other.pk, other.pk]


def holders(records: QuerySet[Record], index: MatchIndex) -> tuple[str, list[Any]]:
    """A SELECT of (id, kind): no value, a value that others of the index have as well, or a single one."""
    chosen, params = compiled(records.order_by().values("id"))
    select = (
        f"SELECT s.id, CASE WHEN own.record_id IS NULL THEN '{NO_VALUE}' WHEN m.n > 1 THEN '{DUPLICATE}'"
        f" ELSE '{SINGLE}' END AS kind FROM ({chosen}) AS s"
        " LEFT JOIN associations_matchkey own ON own.index_id = %s AND own.record_id = s.id"
        " LEFT JOIN (SELECT key, count(*) AS n FROM associations_matchkey WHERE index_id = %s GROUP BY key) AS m"
        " ON m.key = own.key"
    )
    return select, [*params, index.pk, index.pk]


def count_kinds(select: tuple[str, list[Any]]) -> dict[str, int]:
    """How many records there are of each kind."""
    return dict(fetch(f"SELECT kind, count(*) FROM ({select[0]}) AS it GROUP BY kind", select[1]))


def ids_of_kind(select: tuple[str, list[Any]], kind: str, after: int, most: int) -> list[int]:
    """The ids of one kind that come after an id, the first so many."""
    rows = fetch(
        f"SELECT id FROM ({select[0]}) AS it WHERE kind = %s AND id > %s ORDER BY id LIMIT %s",
        [*select[1], kind, after, most],
    )
    return [id_ for (id_,) in rows]
