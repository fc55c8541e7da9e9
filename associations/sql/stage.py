"""The stage: the set of pairs that the statements of `writing` work on, and which of them a limit refuses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from associations.types import DirectedType

from .base import Params, execute, fetch, is_postgresql, locks_records

ADMITTED: Final = 0
LIMIT_REACHED: Final = 1
CAPPED: Final = 2
AMBIGUOUS: Final = 3


def clear_stage() -> None:
    """Have an empty stage in this transaction."""
    execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS staged_pair ("
        " record_id bigint NOT NULL, other_id bigint NOT NULL,"
        " record_value text, other_value text, state smallint NOT NULL DEFAULT 0,"
        " PRIMARY KEY (record_id, other_id)"
        ")" + (" ON COMMIT DELETE ROWS" if is_postgresql() else " WITHOUT ROWID")
    )
    execute("DELETE FROM staged_pair")


def stage_rows(pairs: Iterable[tuple[int, int]]) -> None:
    """Stage pairs that are given one by one: however many, by one statement."""
    rows, params = _given(list(pairs))
    execute(f"INSERT INTO staged_pair (record_id, other_id) {rows} WHERE true ON CONFLICT DO NOTHING", params)


def stage_select(select: str, params: Params) -> int:
    """Stage what a SELECT of (record_id, other_id, record_value, other_value, state) yields."""
    return execute(
        "INSERT INTO staged_pair (record_id, other_id, record_value, other_value, state)"
        f" SELECT * FROM ({select}) AS pair WHERE true ON CONFLICT DO NOTHING",
        params,
    )


def analyze_stage() -> None:
    """Tell PostgreSQL's planner how much is staged: nobody else does so for a temporary table."""
    if is_postgresql():
        execute("ANALYZE staged_pair")


def staged_count() -> int:
    return int(fetch("SELECT count(*) FROM staged_pair")[0][0])


def associated_with(directed: DirectedType, records: str) -> str:
    """A SELECT of (record_id, other_id): whom the records of a SELECT of record_id are associated with under a type.

    A symmetric type needs the parameters of `records` twice: once for each of `directed.orientations`.

    Archived others are left out (association pkey, association_by_target; record pkey).
    """
    arms = []
    for own, other in directed.orientations:
        arms.append(
            f"SELECT own.record_id, a.{other}_id AS other_id FROM ({records}) AS own"
            f" JOIN associations_association a ON a.{own}_id = own.record_id AND a.type_id = {directed.type.pk:d}"
            f" JOIN associations_record o ON o.id = a.{other}_id AND o.archived_at IS NULL"
        )
    return " UNION ALL ".join(arms)


def hold_staged_records() -> None:
    """Keep the staged records from being archived, merged or deleted until the transaction ends.

    Pairs with a record to which that happened while they were staged are taken off the stage (record pkey).
    """
    if not locks_records():
        return
    ids = "SELECT record_id FROM staged_pair UNION SELECT other_id FROM staged_pair"
    # Locking yields the rows as they are once the lock is had, so nothing is asked of them below the lock.
    staged, there, archived = fetch(
        f"SELECT (SELECT count(*) FROM ({ids}) AS ids), count(*), count(archived_at) FROM"
        f" (SELECT archived_at FROM associations_record WHERE id IN ({ids}) ORDER BY id FOR KEY SHARE) AS held"
    )[0]
    if there < staged or archived:
        live = "EXISTS (SELECT 1 FROM associations_record r WHERE r.id = {} AND r.archived_at IS NULL)"
        execute(f"DELETE FROM staged_pair s WHERE NOT {live.format('s.record_id')} OR NOT {live.format('s.other_id')}")


def lock_staged_records() -> None:
    """Lock the staged records in id order, so that two workers count limits one after the other (record pkey)."""
    if locks_records():
        fetch(
            "SELECT id FROM associations_record WHERE id IN"
            " (SELECT record_id FROM staged_pair UNION SELECT other_id FROM staged_pair)"
            " ORDER BY id FOR NO KEY UPDATE"
        )


def staged_twice(directed: DirectedType) -> str:
    """Whether staged pair `s` is the second of two that mean the same row (a symmetric type, met from both ends)."""
    if not directed.type.is_symmetric:
        return "false"
    return (
        "(s.record_id > s.other_id AND EXISTS (SELECT 1 FROM staged_pair twin WHERE"
        " twin.record_id = s.other_id AND twin.other_id = s.record_id AND twin.state = 0))"
    )


# Limits -----------------------------------------------------------------------------------------


def missing_pairs(types: Sequence[DirectedType]) -> list[tuple[int, int, list[bool]]]:
    """The admitted pairs that lack a row of some of the types: (record, other, lacks each type?)."""
    joins, lacks = [], []
    for number, directed in enumerate(types):
        source, target = directed.ends("s")
        joins.append(
            f" LEFT JOIN associations_association a{number} ON a{number}.source_id = {source}"
            f" AND a{number}.target_id = {target} AND a{number}.type_id = {directed.type.pk:d}"
        )
        lacks.append(f"a{number}.source_id IS NULL")
    rows = fetch(
        f"SELECT s.record_id, s.other_id, {', '.join(lacks)} FROM staged_pair s{''.join(joins)}"
        f" WHERE s.state = 0 AND ({' OR '.join(lacks)}) ORDER BY 1, 2"
    )
    return [(record, other, [bool(lack) for lack in lacking]) for record, other, *lacking in rows]


def usage(type_id: int, side: str) -> list[tuple[int, int]]:
    """How many records each staged record (side `record` or `other`) is associated with under a directed type."""
    return fetch(
        "SELECT record_id, count(*) FROM associations_associationend"
        f" WHERE type_id = %s AND record_id IN (SELECT {side}_id FROM staged_pair) GROUP BY record_id",
        [type_id],
    )


def _given(pairs: Sequence[tuple[int, int]]) -> tuple[str, list[Any]]:
    """A SELECT of any number of pairs."""
    if is_postgresql():
        return (
            "SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS given",
            [[record for record, _ in pairs], [other for _, other in pairs]],
        )
    return (
        "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(%s)",
        [json.dumps(list(pairs))],
    )


def refuse(pairs: Sequence[tuple[int, int]], state: int) -> None:
    """Mark staged pairs as not admitted: however many, by one statement."""
    if not pairs:
        return
    refused, params = _given(pairs)
    execute(f"UPDATE staged_pair SET state = %s WHERE (record_id, other_id) IN ({refused})", [state, *params])


def refuse_second_primaries(directed: DirectedType) -> int:
    """Of several staged companies for one record admit the lowest id: a record has one primary company."""
    source, target = directed.ends("s")
    rival_source, rival_target = directed.ends("rival")
    return execute(
        "UPDATE staged_pair AS s SET state = %s WHERE s.state = 0 AND EXISTS (SELECT 1 FROM staged_pair rival"
        f" WHERE rival.state = 0 AND {rival_source} = {source} AND {rival_target} < {target})",
        [LIMIT_REACHED],
    )


def refused_pairs(state: int, most: int) -> list[tuple[int, int]]:
    """The first few staged pairs of a state, for an error text."""
    return fetch("SELECT record_id, other_id FROM staged_pair WHERE state = %s ORDER BY 1, 2 LIMIT %s", [state, most])
