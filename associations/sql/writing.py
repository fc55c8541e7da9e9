"""Add and remove associations, with their ledger: the staged pairs, or all that a record has. And record events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from associations.types import DirectedType

from .base import in_ids, insert_unless_there
from .messages import Params, copy, execute, fetch, is_postgresql
from .stage import has_key, is_row, maker_of

# Adding -----------------------------------------------------------------------------------------

_INSERT = (
    "INSERT INTO associations_association (source_id, type_id, target_id, change_set_id, source_value, target_value)"
)


def insert_associations(unlabeled: DirectedType, change_set_id: int) -> int:
    """Write the unlabeled rows of the admitted pairs; pairs that are associated already stay as they are.

    Ordered, so that two workers that meet the same pairs take them in the same order (association pkey).
    """
    source, target = unlabeled.ends("s")
    source_value, target_value = unlabeled.ends("s", "value")
    return execute(
        f"{_INSERT} SELECT {source}, %s, {target}, %s, {source_value}, {target_value} FROM staged_pair s"
        " WHERE s.state = 0 ORDER BY 1, 3 ON CONFLICT DO NOTHING",
        [unlabeled.type.pk, change_set_id],
    )


def insert_new_pairs(
    unlabeled: DirectedType, type_ids: Sequence[int], primary_id: int | None, change_set_id: int, *, about: int
) -> int:
    """Write rows of some types for all admitted pairs, and Primary for the first company of each record; how many.

    By one statement, in the order of the key. For records that had nobody a moment ago: nothing is looked up,
    and fewer rows than that say that somebody else has associated one of them meanwhile (association pkey).
    """
    source, target = unlabeled.ends("s")
    source_value, target_value = unlabeled.ends("s", "value")
    # Nothing is numbered (SQLite would sort it all once more), and the types come in order by themselves.
    types = sorted([*type_ids, *([primary_id] if primary_id else [])])
    return insert_unless_there(
        f"{_INSERT} SELECT s.source_id, t.id, s.target_id, %s, s.source_value, s.target_value FROM"
        f" (SELECT {source} AS source_id, {target} AS target_id, {source_value} AS source_value,"
        f" {target_value} AS target_value FROM staged_pair s WHERE s.state = 0 ORDER BY 1, 2) AS s"
        f" CROSS JOIN ({' UNION ALL '.join(f'SELECT {type_id:d} AS id' for type_id in types)}) AS t"
        " WHERE t.id <> %s OR (s.source_id, s.target_id) IN"
        f" (SELECT {source}, min({target}) FROM staged_pair s WHERE s.state = 0 GROUP BY {source})"
        " ORDER BY s.source_id, s.target_id",
        [change_set_id, primary_id or 0],
        about=about,
    )


def take_back_new_pairs(unlabeled: DirectedType, change_set_id: int) -> None:
    """Delete what `insert_new_pairs` has just written: nobody has seen it, so there is nothing to tell (association
    pkey)."""
    source, _ = unlabeled.ends("s")
    execute(
        "DELETE FROM associations_association WHERE change_set_id = %s"
        f" AND source_id IN (SELECT {source} FROM staged_pair s WHERE s.state = 0)",
        [change_set_id],
    )


def insert_labels(label: DirectedType, unlabeled: DirectedType, change_set_id: int, *, about: int) -> int:
    """Write the label rows of the admitted pairs that are associated and have the label not yet.

    A pair is held while its label is written: whoever removes the association in the same moment comes either first
    (then there is no label) or after (then the label goes with it). (association pkey)
    """
    source, target = label.ends("s")
    source_value, target_value = label.ends("s", "value")
    return insert_unless_there(
        f"{_INSERT} SELECT {source}, %s, {target}, %s, {source_value}, {target_value} FROM staged_pair s"
        f" JOIN associations_association u ON {is_row('u', unlabeled)}"
        f" WHERE s.state = 0 AND {maker_of(label)} IS NULL"
        f" ORDER BY 1, 3{' FOR KEY SHARE OF u' if is_postgresql() else ''}",
        [label.type.pk, change_set_id],
        about=0 if label.type.is_symmetric else about,  # which may be staged from both its ends
    )


def insert_first_primaries(unlabeled: DirectedType, primary_id: int, change_set_id: int) -> int:
    """Make the first company of a record its primary one: [H] the first associated becomes primary.

    Of several first ones the lowest id. The unlabeled row must have been written before (association pkey).
    """
    source, target = unlabeled.ends("s")
    source_value, target_value = unlabeled.ends("s", "value")
    earlier = (
        f"(SELECT 1 FROM associations_association earlier WHERE earlier.source_id = {source}"
        " AND earlier.type_id = %s AND earlier.change_set_id <> %s LIMIT 1)"
    )
    return execute(
        f"{_INSERT} SELECT source_id, %s, target_id, %s, source_value, target_value FROM"
        f" (SELECT {source} AS source_id, {target} AS target_id, {source_value} AS source_value,"
        f" {target_value} AS target_value, row_number() OVER (PARTITION BY {source} ORDER BY {target}) AS place"
        f" FROM staged_pair s WHERE s.state = 0 AND {earlier} IS NULL AND {maker_of(unlabeled)} = %s) AS new"
        " WHERE place = 1 ORDER BY 1, 3 ON CONFLICT DO NOTHING",
        [primary_id, change_set_id, unlabeled.type.pk, change_set_id, change_set_id],
    )


# Removing ---------------------------------------------------------------------------------------

TELL = (
    "INSERT INTO associations_formerassociation"
    " (source_id, target_id, type_id, added_by_id, removed_by_id, origin_id, source_value, target_value)"
    " SELECT a.source_id, a.target_id, a.type_id, a.change_set_id, %s, a.origin_id, a.source_value, a.target_value FROM"
)


def remove_rows(beside: str, condition: str, params: Params, change_set_id: int) -> int:
    """Remove the association rows `a` that a condition names beside what else stands in the FROM clause (or nothing),
    and tell it in the ledger; how many.

    Each row is removed, and told, by one: of two workers the other one waits and then finds it gone. SQLite deletes in
    no larger statement: there, with one writer at a time, the ledger is written first.
    """
    if is_postgresql():
        using = f" USING {beside}" if beside else ""
        return execute(
            f"WITH a AS (DELETE FROM associations_association AS a{using} WHERE {condition} RETURNING a.*) {TELL} a",
            [*params, change_set_id],
        )
    if not beside:
        execute(f"{TELL} associations_association a WHERE {condition}", [change_set_id, *params])
        return execute(f"DELETE FROM associations_association AS a WHERE {condition}", params)
    execute(f"{TELL} {beside} CROSS JOIN associations_association a WHERE {condition}", [change_set_id, *params])
    return delete_as_told(change_set_id)


def lock_staged_associations(unlabeled: DirectedType) -> None:
    """Lock the associations of the admitted pairs, in a statement of its own before they are removed: labels that
    others are just putting on them are there, and go along, only for the statements that come after (association pkey).
    """
    if is_postgresql():
        fetch(
            f"SELECT 1 FROM staged_pair s JOIN associations_association a ON {is_row('a', unlabeled)}"
            " WHERE s.state = 0 ORDER BY a.source_id, a.target_id FOR UPDATE OF a"
        )


def remove_staged(own: str, change_set_id: int, type_ids: Sequence[int]) -> int:
    """Remove the rows of the admitted pairs that have the record as `own`, source or target, of some types (association
    pkey)."""
    source, target = ("s.record_id", "s.other_id") if own == "source" else ("s.other_id", "s.record_id")
    types = " UNION ALL ".join(f"SELECT {type_id:d} AS id" for type_id in type_ids)
    return remove_rows(
        f"staged_pair s CROSS JOIN ({types}) AS t",
        f"s.state = 0 AND {has_key('a', source, 't.id', target)}",
        [],
        change_set_id,
    )


def remove_other_primaries(directed: DirectedType, change_set_id: int) -> int:
    """Take Primary from the company that has it, where an admitted pair makes another one primary."""
    source, target = directed.ends("s")
    return remove_rows(
        "staged_pair s",
        f"s.state = 0 AND a.source_id = {source} AND a.type_id = %s AND a.target_id <> {target}",
        [directed.type.pk],
        change_set_id,
    )


def delete_as_told(change_set_id: int) -> int:
    """Delete the rows whose removal the ledger of this change set tells.

    A row that the change set itself added is never one of them: it was added after what was told before.
    """
    return execute(
        "DELETE FROM associations_association WHERE (source_id, type_id, target_id) IN"
        " (SELECT source_id, type_id, target_id FROM associations_formerassociation WHERE removed_by_id = %s)"
        " AND change_set_id <> %s",
        [change_set_id, change_set_id],
    )


def count_removed(change_set_id: int, type_id: int) -> int:
    """How many rows of a type a change set removed (former association by removed_by)."""
    return int(
        fetch(
            "SELECT count(*) FROM associations_formerassociation WHERE removed_by_id = %s AND type_id = %s",
            [change_set_id, type_id],
        )[0][0]
    )


# Merging and deleting records --------------------------------------------------------------------


def remove_all_of(record_ids: Sequence[int], change_set_id: int) -> int:
    """Remove every association of some records, the ledger first (association pkey, association_by_target)."""
    (by_source, sources), (by_target, targets) = (in_ids(f"a.{end}_id", record_ids) for end in ("source", "target"))
    if is_postgresql():  # as in lock_staged_associations
        fetch(
            f"SELECT 1 FROM associations_association a WHERE {by_source} OR {by_target}"
            " ORDER BY a.source_id, a.target_id FOR UPDATE",
            [*sources, *targets],
        )
    # What lies between two of them is told once: by its source.
    for chosen, params in [(by_source, sources), (f"{by_target} AND NOT {by_source}", [*targets, *sources])]:
        execute(
            f"{TELL} associations_association a WHERE {chosen}" + (" FOR UPDATE OF a" if is_postgresql() else ""),
            [change_set_id, *params],
        )
    return delete_as_told(change_set_id)


def adopt_removed(merged_id: int, survivor_id: int, change_set_id: int) -> int:
    """Give the survivor of a merge what the ledger says was just taken from the merged record.

    Its own Primary stays: the constraint on it turns a second one away. Never with itself.
    """
    swap = "CASE {end}_id WHEN %s THEN %s ELSE {end}_id END"
    moved = (
        f"SELECT {swap.format(end='c.source')} AS source_id, c.type_id, {swap.format(end='c.target')} AS target_id,"
        " t.id = t.inverse_id AS is_symmetric"
        " FROM associations_formerassociation c JOIN associations_associationtype t ON t.id = c.type_id"
        " WHERE c.removed_by_id = %s"
    )
    return execute(
        "INSERT INTO associations_association (source_id, type_id, target_id, change_set_id)"
        " SELECT CASE WHEN is_symmetric AND target_id < source_id THEN target_id ELSE source_id END, type_id,"
        " CASE WHEN is_symmetric AND target_id < source_id THEN source_id ELSE target_id END, %s"
        f" FROM ({moved}) AS moved WHERE source_id <> target_id ORDER BY 1, 3 ON CONFLICT DO NOTHING",
        [change_set_id, merged_id, survivor_id, merged_id, survivor_id, change_set_id],
    )


def usage_of_record(record_id: int) -> dict[int, int]:
    """How many others one record is associated with, by directed type id."""
    return dict(
        fetch(
            "SELECT type_id, count(*) FROM associations_associationend WHERE record_id = %s GROUP BY type_id",
            [record_id],
        )
    )


def insert_match_keys(index_id: int, keys: Iterable[tuple[int, bytes]]) -> int:
    """Write the keys (record id, digest) of an index, where none is there; how many."""
    rows = [(index_id, *each) for each in keys]
    into = "associations_matchkey (index_id, record_id, key)"
    if is_postgresql():
        copy(into, ["int8", "int8", "bytea"], rows)
    else:
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {into} VALUES (%s, %s, %s)", rows)
    return len(rows)
