"""What pages read of one record's associations, however many it has: the first few of each type, counted to an end."""

from __future__ import annotations

from collections.abc import Sequence

from .base import fetch

_LIVE = (
    "FROM associations_associationend e JOIN associations_record o ON o.id = e.other_id AND o.archived_at IS NULL"
    " WHERE e.record_id = %s AND e.type_id = %s"
)


def first_associated(record_id: int, type_ids: Sequence[int], most: int) -> list[tuple[int, int]]:
    """(type id, other id) of the first live others under each of some types as the record sees them
    (association pkey, association_by_target; record pkey)."""
    arms = [
        f"SELECT * FROM (SELECT e.type_id, e.other_id {_LIVE} ORDER BY e.other_id LIMIT {most:d}) AS arm{place}"
        for place, _ in enumerate(type_ids)
    ]
    params = [param for type_id in type_ids for param in (record_id, type_id)]
    rows: list[tuple[int, int]] = fetch(" UNION ALL ".join(arms), params) if arms else []
    return sorted(rows)


def count_associated(record_id: int, type_ids: Sequence[int], most: int) -> dict[int, int]:
    """How many live others there are under each type, `most` where there are as many or more (as above)."""
    arms = [
        f"SELECT {type_id:d}, count(*) FROM (SELECT 1 {_LIVE} LIMIT {most:d}) AS arm{place}"
        for place, type_id in enumerate(type_ids)
    ]
    params = [param for type_id in type_ids for param in (record_id, type_id)]
    return {type_id: count for type_id, count in fetch(" UNION ALL ".join(arms), params) if count} if arms else {}
