"""What pages and the API read of records' associations, however many there are: the first few, or one page, of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from .base import in_ids
from .messages import fetch, is_postgresql

_LIVE = (
    "FROM associations_associationend e JOIN associations_record o ON o.id = e.other_id AND o.archived_at IS NULL"
    " WHERE e.record_id = %s AND e.type_id = %s"
)


# How many object types, properties and association types there are, and when one was changed (small tables).
SCHEMA_VERSION: Final = "SELECT * FROM " + " CROSS JOIN ".join(
    f"(SELECT count(*), max(updated_at) FROM associations_{name}) AS {name}"
    for name in ("objecttype", "property", "associationtype")
)


def schema_version() -> tuple[str, ...]:
    return tuple(map(str, fetch(SCHEMA_VERSION)[0]))


def object_types_version() -> tuple[object, ...]:
    """Another one after every change of an object type (a small table)."""
    [version] = fetch("SELECT count(*), CAST(max(updated_at) AS text) FROM associations_objecttype")
    return version


def built_match_indexes(property_ids: Sequence[int], comparison: str) -> dict[int, int]:
    """The ids of the match indexes of some properties that are built, by property (one match index each)."""
    of_these, ids = in_ids("property_id", property_ids)
    select = f"SELECT property_id, id FROM associations_matchindex WHERE {of_these} AND comparison = %s"
    return dict(fetch(f"{select} AND built_at IS NOT NULL", [*ids, comparison]))


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
    """How many live others there are under each type, `most` where there are as many or more (as above).

    Of very many only `most` are looked at, archived or not, so that the rest need not be joined to be left out.
    """
    arms = [
        f"SELECT {type_id:d}, count(o.id), count(*) FROM (SELECT other_id FROM associations_associationend"
        f" WHERE record_id = %s AND type_id = %s LIMIT {most:d}) AS e{place}"
        f" LEFT JOIN associations_record o ON o.id = e{place}.other_id AND o.archived_at IS NULL"
        for place, type_id in enumerate(type_ids)
    ]
    params = [param for type_id in type_ids for param in (record_id, type_id)]
    rows = fetch(" UNION ALL ".join(arms), params) if arms else []
    return {type_id: most if seen == most else live for type_id, live, seen in rows if live}


def pages_of_others(type_id: int, asked: Sequence[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """(record, other) for each of some (record, after): the others that follow, in id order, at most `size` each.

    Archived others are left out (association pkey, association_by_target; record pkey).
    """
    if is_postgresql():
        rows = "SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS asked (id, after)"
        params: list[Any] = [[record for record, _ in asked], [after for _, after in asked]]
    else:
        rows = "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS after FROM json_each(%s)"
        params = [json.dumps(list(asked))]
    return fetch(
        "SELECT record_id, other_id FROM (SELECT e.record_id, e.other_id,"
        " row_number() OVER (PARTITION BY e.record_id ORDER BY e.other_id) AS place"
        f" FROM ({rows}) AS asked JOIN associations_associationend e"
        " ON e.record_id = asked.id AND e.type_id = %s AND e.other_id > asked.after"
        " JOIN associations_record o ON o.id = e.other_id AND o.archived_at IS NULL) AS placed"
        " WHERE place <= %s ORDER BY 1, 2",
        [*params, type_id, size],
    )
