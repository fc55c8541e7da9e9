"""Limits: how many records of a type one record may be associated with.

[H] per type id and direction; a write over the limit is refused. Called by services.linking with pairs staged,
inside the transaction of the change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from associations import sql
from associations.types import DirectedType


def refuse_over_limit(types: Sequence[DirectedType]) -> None:
    """Mark the staged pairs that would exceed a limit of a type they would get.

    The staged records are locked first, in id order, so that of two workers the second counts what the first
    has written. Without a limit this does nothing.
    """
    if all(directed.max_to is None and directed.reverse.max_to is None for directed in types):
        return
    sql.lock_staged_records()
    usage = {}
    for directed in types:
        usage[directed.type_id, "record"] = Counter(dict(sql.usage(directed.type_id, "record")))
        usage[directed.type_id, "other"] = Counter(dict(sql.usage(directed.reverse.type_id, "other")))
        if directed.type.is_symmetric:  # one limit for both ways: both ends count in the same book
            usage[directed.type_id, "record"] |= usage[directed.type_id, "other"]
            usage[directed.type_id, "other"] = usage[directed.type_id, "record"]
    sql.refuse(list(over_limit(types, sql.missing_pairs(types), usage)), sql.LIMIT_REACHED)


def over_limit(
    types: Sequence[DirectedType],
    pairs: Iterable[tuple[int, int, list[bool]]],
    usage: dict[tuple[int, str], Counter[int]],
) -> Iterable[tuple[int, int]]:
    """The pairs (record, other, lacks each type?) that find no room, taken one after the other; `usage` is counted on.

    A pair is admitted only if it finds room under every type that it lacks, at both its ends.
    """
    granted: set[tuple[int, int, int]] = set()
    for record, other, lacks in pairs:
        needed = []
        for directed, lacking in zip(types, lacks, strict=True):
            twin = (directed.type_id, other, record) if directed.type.is_symmetric else None
            if lacking and twin not in granted:
                needed.append(directed)
        room = all(
            (directed.max_to is None or usage[directed.type_id, "record"][record] < directed.max_to)
            and (directed.reverse.max_to is None or usage[directed.type_id, "other"][other] < directed.reverse.max_to)
            for directed in needed
        )
        if not room:
            yield record, other
            continue
        for directed in needed:
            granted.add((directed.type_id, record, other))
            usage[directed.type_id, "record"][record] += 1
            usage[directed.type_id, "other"][other] += 1
