"""What a part's change sets made for pairs that nobody else has touched: it goes at once, without looking row by row.

The pairs of which that cannot be said are staged before (`reversing.stage_reversed_pairs`), and what is said of the
rest is what the general way would find: every row was theirs, and is as they left it. Called by services.reversal.
"""

from __future__ import annotations

from collections.abc import Sequence

from .base import in_ids
from .messages import Params, fetch, is_postgresql
from .reversing import numbers, orders
from .writing import remove_rows


def hold_made(part: Sequence[int], unlabeled_ids: Sequence[int]) -> None:
    """Lock the associations that the part made, before it is asked what else stands on them: whoever puts a label on
    one comes before, and is seen, or waits (association by change set)."""
    if is_postgresql():
        of_part, params = in_ids("a.change_set_id", part)
        fetch(
            f"SELECT 1 FROM associations_association a WHERE {of_part} AND a.type_id IN ({numbers(unlabeled_ids)})"
            " ORDER BY a.source_id, a.target_id FOR UPDATE",
            params,
        )


def take_back_made(part: Sequence[int], both_ways: bool, change_set_id: int) -> list[tuple[int, int]]:
    """Remove what the part made but for the staged pairs, with its ledger: type id, how many rows."""
    made, params = _made(part, both_ways)
    remove_rows("", made, params, change_set_id)
    return fetch(
        "SELECT type_id, count(*) FROM associations_formerassociation WHERE removed_by_id = %s GROUP BY 1",
        [change_set_id],
    )


def count_made(part: Sequence[int], both_ways: bool) -> list[tuple[int, int]]:
    """What `take_back_made` would remove: type id, how many rows."""
    made, params = _made(part, both_ways)
    return fetch(f"SELECT a.type_id, count(*) FROM associations_association a WHERE {made} GROUP BY 1", params)


def some_made(part: Sequence[int], both_ways: bool, most: int) -> list[tuple[int, int, int]]:
    """The first few rows that it would remove: source, type, target.

    In an order that no index has, or PostgreSQL may walk all there are until it comes to a few of the part's.
    """
    made, params = _made(part, both_ways)
    return fetch(
        f"SELECT a.source_id, a.type_id, a.target_id FROM associations_association a WHERE {made}"
        " ORDER BY a.source_id + 0, a.target_id, a.type_id LIMIT %s",
        [*params, most],
    )


def have_removed() -> bool:
    """Whether any of the change sets removed anything that could come back (former association by removed_by)."""
    return bool(
        fetch(
            "SELECT 1 FROM reversed_change_set s WHERE (SELECT 1 FROM associations_formerassociation f"
            " WHERE f.removed_by_id = s.id LIMIT 1) IS NOT NULL LIMIT 1"
        )
    )


def _made(part: Sequence[int], both_ways: bool) -> tuple[str, Params]:
    """A condition on an association `a`, and its parameters (association by change set)."""
    of_part, params = in_ids("a.change_set_id", part)
    staged = " UNION ALL ".join(f"SELECT {source}, {target} FROM reversed_pair" for source, target in orders(both_ways))
    return f"{of_part} AND (a.source_id, a.target_id) NOT IN ({staged})", params
