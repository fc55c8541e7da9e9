"""Every raw statement of this app, named, with one sentence each and the index that it needs.

Changes to associations work on *staged pairs*: a temporary table of (record, other) that an action, the admin
or the API fills, and that the statements below then write from as one set. The same statements run on SQLite
and PostgreSQL. `record` is the record that is asked about or enrolled, `other` the one associated with it.

Called by services only (and by workflows.sql, which fills the stage and reads the result).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection, models

from .types import DirectedType

ADMITTED: Final = 0
LIMIT_REACHED: Final = 1
CAPPED: Final = 2
AMBIGUOUS: Final = 3

Params = Sequence[Any]


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def execute(statement: str, params: Params = ()) -> int:
    """Run one statement and say how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return max(cursor.rowcount, 0)


def fetch(statement: str, params: Params = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def compiled(queryset: models.QuerySet[Any, Any]) -> tuple[str, Params]:
    """The SELECT that the ORM would send, to be wrapped in a larger statement."""
    return queryset.query.sql_with_params()


def json_text(column: str, name: str) -> tuple[str, list[str]]:
    """An expression for a property's value as text, and its parameters."""
    if is_postgresql():
        return f"{column}->>%s", [name]
    return f"json_extract({column}, %s)", [f'$."{name}"']


# Locks ------------------------------------------------------------------------------------------


def lock_object_type(object_type_id: int, *, exclusive: bool) -> None:
    """Until the transaction ends: writers of records share it, a change of what they must write excludes them.

    SQLite has one writer at a time anyway.
    """
    if is_postgresql():
        execute(f"SELECT pg_advisory_xact_lock{'' if exclusive else '_shared'}(%s, %s)", [7_031, object_type_id])


def lock_staged_records() -> None:
    """Lock the staged records in id order, so that two workers count limits one after the other (record pkey)."""
    if is_postgresql():
        fetch(
            "SELECT id FROM associations_record WHERE id IN"
            " (SELECT record_id FROM staged_pair UNION SELECT other_id FROM staged_pair)"
            " ORDER BY id FOR NO KEY UPDATE"
        )


# The stage --------------------------------------------------------------------------------------


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
    """Stage pairs that are given one by one."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO staged_pair (record_id, other_id) VALUES (%s, %s) ON CONFLICT DO NOTHING", list(pairs)
        )


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


# Adding -----------------------------------------------------------------------------------------


def insert_associations(unlabeled: DirectedType, change_set_id: int) -> int:
    """Write the unlabeled rows of the admitted pairs; pairs that are associated already stay as they are.

    Ordered, so that two workers that meet the same pairs take them in the same order (association pkey).
    """
    source, target = unlabeled.ends("s")
    return execute(
        "INSERT INTO associations_association (source_id, type_id, target_id, change_set_id)"
        f" SELECT {source}, %s, {target}, %s FROM staged_pair s WHERE s.state = 0 ORDER BY 1, 3"
        " ON CONFLICT DO NOTHING",
        [unlabeled.type.pk, change_set_id],
    )


def insert_labels(label: DirectedType, unlabeled: DirectedType, change_set_id: int, *, new_pairs: bool) -> int:
    """Write the label rows of the admitted pairs that this change set associated, or that were so before.

    A pair associated before is held while the label is written: whoever removes the association in the same
    moment comes either first (then there is no label) or after (then the label goes with it). (association pkey)
    """
    source, target = label.ends("s")
    pair_source, pair_target = unlabeled.ends("s")
    hold = " FOR KEY SHARE OF u" if is_postgresql() and not new_pairs else ""
    return execute(
        "INSERT INTO associations_association (source_id, type_id, target_id, change_set_id)"
        f" SELECT {source}, %s, {target}, %s FROM staged_pair s"
        f" JOIN associations_association u ON u.source_id = {pair_source} AND u.target_id = {pair_target}"
        f" AND u.type_id = %s AND u.change_set_id {'=' if new_pairs else '<>'} %s"
        f" WHERE s.state = 0 ORDER BY 1, 3{hold} ON CONFLICT DO NOTHING",
        [label.type.pk, change_set_id, unlabeled.type.pk, change_set_id],
    )


def insert_first_primaries(unlabeled: DirectedType, primary_id: int, change_set_id: int) -> int:
    """Make the first company of a record its primary one: [H] the first associated becomes primary.

    Of several first ones the lowest id. The unlabeled row must have been written before (association pkey).
    """
    source, target = unlabeled.ends("s")
    return execute(
        "INSERT INTO associations_association (source_id, type_id, target_id, change_set_id)"
        " SELECT a.source_id, %s, min(a.target_id), %s FROM staged_pair s"
        f" JOIN associations_association a ON a.source_id = {source} AND a.target_id = {target}"
        " AND a.type_id = %s AND a.change_set_id = %s"
        " WHERE s.state = 0 AND NOT EXISTS (SELECT 1 FROM associations_association earlier"
        " WHERE earlier.source_id = a.source_id AND earlier.type_id = %s AND earlier.change_set_id <> %s)"
        " GROUP BY a.source_id ON CONFLICT DO NOTHING",
        [primary_id, change_set_id, unlabeled.type.pk, change_set_id, unlabeled.type.pk, change_set_id],
    )


def record_added(directed: DirectedType, type_ids: Sequence[int], change_set_id: int) -> int:
    """Write the ledger of the rows that this change set added, with the values that matched.

    `type_ids` must all lie the way `directed` does (association pkey).
    """
    source, target = directed.ends("s")
    source_value, target_value = directed.ends("s", "value")
    return execute(
        "INSERT INTO associations_associationchange"
        " (change_set_id, source_id, target_id, type_id, added, source_value, target_value)"
        f" SELECT a.change_set_id, a.source_id, a.target_id, a.type_id, true, {source_value}, {target_value}"
        " FROM staged_pair s"
        f" JOIN associations_association a ON a.source_id = {source} AND a.target_id = {target}"
        f" AND a.type_id IN ({_marks(type_ids)}) AND a.change_set_id = %s"
        f" WHERE s.state = 0 AND NOT {staged_twice(directed)}",
        [*type_ids, change_set_id],
    )


def staged_twice(directed: DirectedType) -> str:
    """Whether staged pair `s` is the second of two that mean the same row (a symmetric type, met from both ends)."""
    if not directed.type.is_symmetric:
        return "false"
    return (
        "(s.record_id > s.other_id AND EXISTS (SELECT 1 FROM staged_pair twin WHERE"
        " twin.record_id = s.other_id AND twin.other_id = s.record_id AND twin.state = 0))"
    )


# Removing ---------------------------------------------------------------------------------------


def remove_staged(own: str, other: str, change_set_id: int, type_ids: Sequence[int] | None) -> int:
    """Remove the rows of the admitted pairs that lie one way round, of some types or (None) of all.

    The ledger is written first and locks the doomed rows, so of two workers only one removes and tells it;
    then exactly what the ledger says is deleted (association pkey; ledger by change set).
    """
    only = f" AND a.type_id IN ({_marks(type_ids)})" if type_ids is not None else ""
    execute(
        "INSERT INTO associations_associationchange (change_set_id, source_id, target_id, type_id, added)"
        " SELECT %s, a.source_id, a.target_id, a.type_id, false FROM staged_pair s"
        f" JOIN associations_association a ON a.{own}_id = s.record_id AND a.{other}_id = s.other_id{only}"
        " WHERE s.state = 0" + (" FOR UPDATE OF a" if is_postgresql() else ""),
        [change_set_id, *(type_ids or ())],
    )
    return _delete_as_told(change_set_id)


def remove_other_primaries(directed: DirectedType, change_set_id: int) -> int:
    """Take Primary from the company that has it, where an admitted pair makes another one primary."""
    source, target = directed.ends("s")
    execute(
        "INSERT INTO associations_associationchange (change_set_id, source_id, target_id, type_id, added)"
        " SELECT %s, a.source_id, a.target_id, a.type_id, false FROM staged_pair s"
        f" JOIN associations_association a ON a.source_id = {source} AND a.type_id = %s AND a.target_id <> {target}"
        " WHERE s.state = 0" + (" FOR UPDATE OF a" if is_postgresql() else ""),
        [change_set_id, directed.type.pk],
    )
    return _delete_as_told(change_set_id)


def _delete_as_told(change_set_id: int) -> int:
    """Delete the rows whose removal the ledger of this change set tells.

    A row that the change set itself added is never one of them: it was added after what was told before.
    """
    return execute(
        "DELETE FROM associations_association WHERE (source_id, type_id, target_id) IN"
        " (SELECT source_id, type_id, target_id FROM associations_associationchange"
        " WHERE change_set_id = %s AND NOT added) AND change_set_id <> %s",
        [change_set_id, change_set_id],
    )


def count_told(change_set_id: int, type_id: int, *, added: bool) -> int:
    """How many rows of a type a change set added or removed, by its ledger (ledger by change set)."""
    return int(
        fetch(
            "SELECT count(*) FROM associations_associationchange"
            " WHERE change_set_id = %s AND type_id = %s AND added = %s",
            [change_set_id, type_id, added],
        )[0][0]
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


def refuse(pairs: Sequence[tuple[int, int]], state: int) -> None:
    """Mark staged pairs as not admitted."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE staged_pair SET state = %s WHERE record_id = %s AND other_id = %s",
            [(state, record, other) for record, other in pairs],
        )


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
    return fetch(
        "SELECT record_id, other_id FROM staged_pair WHERE state = %s ORDER BY 1, 2 LIMIT %s", [state, most]
    )


# Merging and deleting records --------------------------------------------------------------------


def remove_all_of(record_ids: Sequence[int], change_set_id: int) -> int:
    """Remove every association of some records, the ledger first (association pkey, association_by_target)."""
    for end in ("source", "target"):
        chosen, params = _in_ids(f"a.{end}_id", record_ids)
        execute(
            "INSERT INTO associations_associationchange (change_set_id, source_id, target_id, type_id, added)"
            " SELECT %s, a.source_id, a.target_id, a.type_id, false FROM associations_association a"
            f" WHERE {chosen}" + (" FOR UPDATE OF a" if is_postgresql() else ""),
            [change_set_id, *params],
        )
    return _delete_as_told(change_set_id)


def adopt_removed(merged_id: int, survivor_id: int, change_set_id: int) -> int:
    """Give the survivor of a merge what the ledger says was just taken from the merged record.

    Its own Primary stays: the constraint on it turns a second one away. Never with itself.
    """
    swap = "CASE {end}_id WHEN %s THEN %s ELSE {end}_id END"
    moved = (
        f"SELECT {swap.format(end='c.source')} AS source_id, c.type_id, {swap.format(end='c.target')} AS target_id,"
        " t.id = t.inverse_id AS is_symmetric"
        " FROM associations_associationchange c JOIN associations_associationtype t ON t.id = c.type_id"
        " WHERE c.change_set_id = %s AND NOT c.added"
    )
    inserted = execute(
        "INSERT INTO associations_association (source_id, type_id, target_id, change_set_id)"
        " SELECT CASE WHEN is_symmetric AND target_id < source_id THEN target_id ELSE source_id END, type_id,"
        " CASE WHEN is_symmetric AND target_id < source_id THEN source_id ELSE target_id END, %s"
        f" FROM ({moved}) AS moved WHERE source_id <> target_id ORDER BY 1, 3 ON CONFLICT DO NOTHING",
        [change_set_id, merged_id, survivor_id, merged_id, survivor_id, change_set_id],
    )
    execute(
        "INSERT INTO associations_associationchange (change_set_id, source_id, target_id, type_id, added)"
        " SELECT change_set_id, source_id, target_id, type_id, true FROM associations_association"
        " WHERE change_set_id = %s AND (source_id = %s OR target_id = %s)",
        [change_set_id, survivor_id, survivor_id],
    )
    return inserted


def usage_of_record(record_id: int) -> dict[int, int]:
    """How many others one record is associated with, by directed type id."""
    return dict(
        fetch(
            "SELECT type_id, count(*) FROM associations_associationend WHERE record_id = %s GROUP BY type_id",
            [record_id],
        )
    )


def _in_ids(column: str, ids: Sequence[int]) -> tuple[str, Params]:
    """A condition on any number of ids as one parameter."""
    if is_postgresql():
        return f"{column} = ANY(%s)", [list(ids)]
    return f"{column} IN (SELECT value FROM json_each(%s))", [json.dumps(list(ids))]


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))
