"""Take change sets back, or put them back again: what they did to the pairs of some of them, and what is in the way.

A pair is taken whole or not at all. Three temporary tables hold the work: `reversed_change_set` (all change sets that
belong together, `is_part`: those whose pairs are looked at now), `reversed_pair` (the two records, with the reason why
the pair is left alone) and `reversed_row` (each association row that the change sets added or removed in the end, and
whether it is to come back or to go). The same statements serve undo and redo. Called by services.reversal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .base import execute, fetch, in_ids, is_postgresql, marks
from .writing import TELL, delete_as_told

# What is to be done with a row is still to be done, is done already, or is in somebody else's hands.
_PENDING, _DONE, _FOREIGN = 0, 1, 2
_ORIGIN = "coalesce(a.origin_id, a.change_set_id)"
_IN_SET = "EXISTS (SELECT 1 FROM reversed_change_set s WHERE s.id = {})"
_ROW_OF = "r.source_id = {0}.source_id AND r.target_id = {0}.target_id AND r.type_id = {0}.type_id"
_SAME_PAIR = "r.first_id = p.first_id AND r.second_id = p.second_id"
_ADMITTED = f"reversed_row r JOIN reversed_pair p ON {_SAME_PAIR} AND p.reason IS NULL"


def begin_reversal(change_sets: Sequence[int], part: Sequence[int]) -> None:
    """Have empty tables in this transaction, and name the change sets."""
    on_commit = " ON COMMIT DELETE ROWS" if is_postgresql() else ""
    for name, columns in (
        ("reversed_change_set", "id bigint PRIMARY KEY, is_part boolean NOT NULL"),
        (
            "reversed_pair",
            "first_id bigint NOT NULL, second_id bigint NOT NULL, since bigint NOT NULL, reason text, by_id bigint,"
            " PRIMARY KEY (first_id, second_id)",
        ),
        (
            "reversed_row",
            "first_id bigint NOT NULL, second_id bigint NOT NULL, source_id bigint NOT NULL, type_id bigint NOT NULL,"
            " target_id bigint NOT NULL, comes_back boolean NOT NULL, origin_id bigint, source_value text,"
            " target_value text, status smallint NOT NULL, PRIMARY KEY (source_id, target_id, type_id)",
        ),
    ):
        execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}){on_commit}")
        execute(f"DELETE FROM {name}")
    execute("CREATE INDEX IF NOT EXISTS reversed_row_by_pair ON reversed_row (first_id, second_id)")
    (of_all, ids), (of_part, part_ids) = in_ids("id", change_sets), in_ids("id", part)
    execute(
        f"INSERT INTO reversed_change_set SELECT id, {of_part} FROM associations_changeset WHERE {of_all}",
        [*part_ids, *ids],
    )
    _analyze("reversed_change_set")


def stage_reversed_pairs() -> list[int]:
    """Stage the pairs that the part's change sets touched; the type ids of the rows that these wrote.

    Within one object type the lower id comes first, else the source (association and former association by change set).
    """
    touched = (
        "SELECT a.source_id, a.target_id, a.type_id, c.id AS change_set_id FROM reversed_change_set c"
        " JOIN associations_association a ON a.change_set_id = c.id WHERE c.is_part UNION ALL"
        " SELECT f.source_id, f.target_id, f.type_id, c.id FROM reversed_change_set c"
        " JOIN associations_formerassociation f ON f.added_by_id = c.id WHERE c.is_part UNION ALL"
        " SELECT f.source_id, f.target_id, f.type_id, c.id FROM reversed_change_set c"
        " JOIN associations_formerassociation f ON f.removed_by_id = c.id WHERE c.is_part"
    )
    swapped = "t.from_object_type_id = t.to_object_type_id AND w.target_id < w.source_id"
    execute(
        "INSERT INTO reversed_pair (first_id, second_id, since) SELECT"
        f" CASE WHEN {swapped} THEN w.target_id ELSE w.source_id END,"
        f" CASE WHEN {swapped} THEN w.source_id ELSE w.target_id END, min(w.change_set_id)"
        f" FROM ({touched}) AS w LEFT JOIN associations_associationtype t ON t.id = w.type_id GROUP BY 1, 2"
    )
    _analyze("reversed_pair")
    return [type_id for (type_id,) in fetch(f"SELECT DISTINCT type_id FROM ({touched}) AS w")]


def hold_reversed_pairs(unlabeled_ids: Sequence[int], both_ways: bool) -> None:
    """Lock the associations of the staged pairs: whoever puts a label on one of them comes before, and is seen, or
    waits (association pkey).
    """
    if not is_postgresql():
        return
    for source, target in _orders(both_ways):
        fetch(
            "SELECT 1 FROM reversed_pair p JOIN associations_association a"
            f" ON a.source_id = p.{source} AND a.target_id = p.{target} AND a.type_id IN ({_marks(unlabeled_ids)})"
            " ORDER BY a.source_id, a.target_id FOR UPDATE OF a",
            unlabeled_ids,
        )


def stage_reversed_rows(type_ids: Sequence[int], both_ways: bool, *, redo: bool) -> None:
    """Stage what the change sets did to the staged pairs in the end, and whether that is still to be reversed.

    A row that they added and removed themselves is left out (association pkey, former association pkey).
    """
    events, params = [], []
    for source, target in _orders(both_ways):
        on = f"= p.{source} AND {{0}}.target_id = p.{target} AND {{0}}.type_id IN ({_marks(type_ids)})"
        events += [
            "SELECT p.first_id, p.second_id, a.source_id, a.type_id, a.target_id, 1 AS n, a.change_set_id AS origin,"
            f" a.source_value, a.target_value FROM reversed_pair p JOIN associations_association a ON a.source_id"
            f" {on.format('a')} WHERE {_IN_SET.format('a.change_set_id')}",
            "SELECT p.first_id, p.second_id, f.source_id, f.type_id, f.target_id, 1, f.added_by_id,"
            f" f.source_value, f.target_value FROM reversed_pair p JOIN associations_formerassociation f ON f.source_id"
            f" {on.format('f')} WHERE {_IN_SET.format('f.added_by_id')}",
            "SELECT p.first_id, p.second_id, f.source_id, f.type_id, f.target_id, -1,"
            f" CASE WHEN {_IN_SET.format('f.added_by_id')} THEN NULL ELSE coalesce(f.origin_id, f.added_by_id) END,"
            f" f.source_value, f.target_value FROM reversed_pair p JOIN associations_formerassociation f ON f.source_id"
            f" {on.format('f')} WHERE {_IN_SET.format('f.removed_by_id')}",
        ]
        params += [*type_ids] * 3
    comes_back = "net.n > 0" if redo else "net.n < 0"
    of_it = (
        "CASE WHEN sum(n) > 0 THEN max({0}) FILTER (WHERE n > 0)"
        " ELSE max({0}) FILTER (WHERE n < 0 AND origin IS NOT NULL) END"
    )
    execute(
        "INSERT INTO reversed_row SELECT net.first_id, net.second_id, net.source_id, net.type_id, net.target_id,"
        f" {comes_back}, net.origin, net.source_value, net.target_value,"
        f" CASE WHEN {comes_back} THEN CASE WHEN a.source_id IS NULL THEN {_PENDING} ELSE {_DONE} END"
        f" WHEN a.source_id IS NULL THEN {_DONE} WHEN {_ORIGIN} = net.origin THEN {_PENDING} ELSE {_FOREIGN} END"
        " FROM (SELECT first_id, second_id, source_id, type_id, target_id, sum(n) AS n,"
        f" {', '.join(f'{of_it.format(each)} AS {each}' for each in ('origin', 'source_value', 'target_value'))}"
        f" FROM ({' UNION ALL '.join(events)}) AS event"
        " GROUP BY first_id, second_id, source_id, type_id, target_id HAVING sum(n) <> 0) AS net"
        " LEFT JOIN associations_association a ON a.source_id = net.source_id AND a.target_id = net.target_id"
        " AND a.type_id = net.type_id",
        params,
    )
    _analyze("reversed_row (first_id, second_id, source_id, type_id, target_id, comes_back, status)")
    execute(
        "DELETE FROM reversed_pair AS p WHERE NOT EXISTS"
        f" (SELECT 1 FROM reversed_row r WHERE {_SAME_PAIR} AND r.status = {_PENDING})"
    )


# What is in the way -----------------------------------------------------------------------------


def leave_changed_pairs(type_ids: Sequence[int], unlabeled_ids: Sequence[int], both_ways: bool) -> None:
    """Mark the pairs that somebody changed since: a row came, or one went that was there, or one of ours is not as it
    was left. What an undo took away or put back again counts for nothing (association and former association pkey)."""
    _leave("changed", f"reversed_row r WHERE r.status <> {_PENDING}", of="r")
    of_type = f"type_id IN ({_marks(type_ids)})"
    is_ours = f"EXISTS (SELECT 1 FROM reversed_row r WHERE {_ROW_OF.format('{0}')})"
    for source, target in _orders(both_ways):
        of_pair = f"reversed_pair p, {{0}} WHERE {{1}}.source_id = p.{source} AND {{1}}.target_id = p.{target}"
        came = (
            f"{of_pair.format('associations_association a', 'a')} AND a.{of_type}"
            f" AND NOT {is_ours.format('a')} AND {_ORIGIN} > p.since AND NOT {_IN_SET.format('a.change_set_id')}"
            f" AND NOT {_IN_SET.format(_ORIGIN)}"
        )
        _leave("changed", came, type_ids, by="a.change_set_id")
        went = (
            f"{of_pair.format('associations_formerassociation f', 'f')} AND f.{of_type} AND NOT {is_ours.format('f')}"
            f" AND f.removed_by_id > p.since AND NOT {_IN_SET.format('f.removed_by_id')}"
            f" AND (f.added_by_id < p.since OR {_IN_SET.format('f.added_by_id')})"
            " AND NOT EXISTS (SELECT 1 FROM associations_association a WHERE a.source_id = f.source_id"
            " AND a.target_id = f.target_id AND a.type_id = f.type_id)"
        )
        _leave("changed", went, type_ids, by="f.removed_by_id")
        # An association goes only with all that stands on it.
        stays = (
            f"{of_pair.format('associations_association a', 'a')} AND a.{of_type}"
            f" AND NOT EXISTS (SELECT 1 FROM reversed_row r WHERE {_ROW_OF.format('a')} AND NOT r.comes_back)"
            f" AND EXISTS (SELECT 1 FROM reversed_row r WHERE {_SAME_PAIR} AND NOT r.comes_back"
            f" AND r.type_id IN ({_marks(unlabeled_ids)}))"
        )
        _leave("changed", stays, [*type_ids, *unlabeled_ids], by="a.change_set_id")


def leave_lost_pairs() -> None:
    """Mark the pairs whose rows cannot come back: a record was deleted or merged, a label was deleted."""
    gone = "NOT EXISTS (SELECT 1 FROM associations_record own WHERE own.id = {} AND own.merged_into_id IS NULL)"
    comes_back = "reversed_row r WHERE r.comes_back AND"
    _leave("record_gone", f"{comes_back} ({gone.format('r.source_id')} OR {gone.format('r.target_id')})", of="r")
    known = "EXISTS (SELECT 1 FROM associations_associationtype t WHERE t.id = r.type_id)"
    _leave("label_gone", f"{comes_back} NOT {known}", of="r")


def leave_taken_primaries(primary_ids: Sequence[int]) -> int:
    """Mark the pairs whose Primary would come back while another company of the record has it; how many."""
    goes = f"EXISTS (SELECT 1 FROM {_ADMITTED} WHERE {_ROW_OF.format('b')} AND NOT r.comes_back)"
    return _leave(
        "primary_taken",
        "reversed_row mine JOIN associations_association b ON b.source_id = mine.source_id AND b.type_id = mine.type_id"
        f" AND b.target_id <> mine.target_id WHERE mine.comes_back AND mine.type_id IN ({_marks(primary_ids)})"
        f" AND NOT {goes}",
        primary_ids,
        of="mine",
        by="b.change_set_id",
    )


def _leave(reason: str, found: str, params: Sequence[int] = (), *, of: str = "p", by: str = "NULL") -> int:
    """Mark the pairs of the rows `of` that a FROM clause finds, with the latest change set that is in the way."""
    return execute(
        f"UPDATE reversed_pair AS pair SET reason = '{reason}', by_id = found.by_id FROM"
        f" (SELECT {of}.first_id, {of}.second_id, max(CAST({by} AS bigint)) AS by_id FROM {found}"
        " GROUP BY 1, 2) AS found WHERE pair.first_id = found.first_id AND pair.second_id = found.second_id"
        f" AND (pair.reason IS NULL OR pair.reason = '{reason}' AND pair.by_id IS NULL)",
        params,
    )


def reversed_rows_of(type_ids: Iterable[int]) -> list[tuple[int, int, int, int, int, bool]]:
    """The rows of some types that are to come back (True) or to go: first, second, source, type, target."""
    ids = list(type_ids)
    rows = fetch(
        "SELECT r.first_id, r.second_id, r.source_id, r.type_id, r.target_id, r.comes_back"
        f" FROM {_ADMITTED} WHERE r.type_id IN ({_marks(ids)}) ORDER BY 3, 5, 4",
        ids,
    )
    return [(*row, bool(comes_back)) for *row, comes_back in rows]


def usage_of_rows(type_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """How many others each record of the staged rows has now: record, directed type id, count (association end)."""
    ends = "SELECT source_id FROM reversed_row UNION SELECT target_id FROM reversed_row"
    return fetch(
        f"SELECT record_id, type_id, count(*) FROM associations_associationend WHERE record_id IN ({ends})"
        f" AND type_id IN ({_marks(type_ids)}) GROUP BY record_id, type_id",
        type_ids,
    )


def lock_reversed_records() -> None:
    """Lock the records of the staged rows in id order, so that two workers count limits one after the other."""
    if is_postgresql():
        ends = "SELECT first_id FROM reversed_pair UNION SELECT second_id FROM reversed_pair"
        fetch(f"SELECT 1 FROM associations_record WHERE id IN ({ends}) ORDER BY id FOR NO KEY UPDATE")


def leave_pairs(pairs: Sequence[tuple[int, int]], reason: str) -> None:
    """Mark these pairs: what a limit refuses, which is rare."""
    for first, second in pairs:
        execute(
            "UPDATE reversed_pair SET reason = %s WHERE first_id = %s AND second_id = %s AND reason IS NULL",
            [reason, first, second],
        )


# Doing it -----------------------------------------------------------------------------------------


def reverse_rows(change_set_id: int) -> None:
    """Remove what is to go, the ledger first, and put back what is to come back, with the values that had matched."""
    # Compared in the order of the key, or PostgreSQL may walk all that a company has (association pkey).
    key, same = "(a.type_id, a.target_id)", "(r.type_id, r.target_id)"
    execute(
        f"{TELL} {_ADMITTED} JOIN associations_association a ON a.source_id = r.source_id"
        f" AND {key} >= {same} AND {key} <= {same} WHERE NOT r.comes_back"
        + (" FOR UPDATE OF a" if is_postgresql() else ""),
        [change_set_id],
    )
    delete_as_told(change_set_id)
    execute(
        "INSERT INTO associations_association"
        " (source_id, type_id, target_id, change_set_id, origin_id, source_value, target_value)"
        " SELECT r.source_id, r.type_id, r.target_id, %s, r.origin_id, r.source_value, r.target_value"
        f" FROM {_ADMITTED} WHERE r.comes_back ORDER BY 1, 3 ON CONFLICT DO NOTHING",
        [change_set_id],
    )


def count_reversed() -> list[tuple[int, bool, int]]:
    """How many rows go or come back (True), by type: type id, whether, how many."""
    rows = fetch(f"SELECT r.type_id, r.comes_back, count(*) FROM {_ADMITTED} GROUP BY 1, 2 ORDER BY 1, 2")
    return [(type_id, bool(comes_back), count) for type_id, comes_back, count in rows]


def count_left() -> list[tuple[str, int]]:
    """How many pairs are left alone, by reason."""
    return fetch("SELECT reason, count(*) FROM reversed_pair WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 1")


def some_reversed(most: int) -> list[tuple[int, int, int, bool, str | None, int | None]]:
    """The first few rows: source, type, target, whether it comes back, why its pair is left and who is in the way."""
    rows = fetch(
        "SELECT r.source_id, r.type_id, r.target_id, r.comes_back, p.reason, p.by_id FROM reversed_row r"
        f" JOIN reversed_pair p ON {_SAME_PAIR} ORDER BY p.reason IS NULL, 1, 3, 2 LIMIT %s",
        [most],
    )
    return [(source, type_, target, bool(back), reason, by) for source, type_, target, back, reason, by in rows]


def _orders(both_ways: bool) -> list[tuple[str, str]]:
    """In which columns of a staged pair a row's source and target may stand: within one object type either way."""
    return [("first_id", "second_id"), ("second_id", "first_id")][: 1 + both_ways]


def _marks(ids: Sequence[int]) -> str:
    return marks(ids) or "NULL"


def _analyze(table: str) -> None:
    if is_postgresql():
        execute(f"ANALYZE {table}")
