"""What is in the way of a reversal: which staged pairs are left alone, whole, and why.

Works on the tables that `reversing` has filled; the same statements serve undo and redo. Called by services.reversal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .messages import execute, fetch, is_postgresql
from .reversing import ADMITTED, IN_SET, MAKER, ROW_OF, SAME_PAIR, beside, numbers, orders


def leave_changed_pairs(type_ids: Sequence[int], unlabeled_ids: Sequence[int], both_ways: bool) -> None:
    """Mark the pairs that somebody changed since: a row came, or one went that was there, or one of ours is not as it
    was left. What an undo took away or put back again counts for nothing (association and former association pkey)."""
    _leave("changed", "reversed_row r WHERE NOT r.is_pending", of="r")
    is_ours = f"EXISTS (SELECT 1 FROM reversed_row r WHERE {ROW_OF.format('{0}')})"
    made_by = MAKER.format("a")
    for source, target in orders(both_ways):
        stands, stood = (
            beside(f"associations_{table}", alias, source, target, type_ids)
            for table, alias in (("association", "a"), ("formerassociation", "f"))
        )
        came = (
            f"{stands} WHERE NOT {is_ours.format('a')} AND {made_by} > p.since"
            f" AND NOT {IN_SET.format('a.change_set_id')} AND NOT {IN_SET.format(made_by)}"
        )
        _leave("changed", came, by="a.change_set_id")
        went = (
            f"{stood} WHERE NOT {is_ours.format('f')}"
            f" AND f.removed_by_id > p.since AND NOT {IN_SET.format('f.removed_by_id')}"
            f" AND (f.added_by_id < p.since OR {IN_SET.format('f.added_by_id')})"
            " AND NOT EXISTS (SELECT 1 FROM associations_association a WHERE a.source_id = f.source_id"
            " AND a.target_id = f.target_id AND a.type_id = f.type_id)"
        )
        _leave("changed", went, by="f.removed_by_id")
        # An association goes only with all that stands on it.
        stays = (
            f"{stands} WHERE NOT EXISTS (SELECT 1 FROM reversed_row r WHERE {ROW_OF.format('a')} AND r.goes)"
            f" AND EXISTS (SELECT 1 FROM reversed_row r WHERE {SAME_PAIR} AND r.goes AND NOT r.comes_back"
            f" AND r.type_id IN ({numbers(unlabeled_ids)}))"
        )
        _leave("changed", stays, by="a.change_set_id")


def leave_lost_pairs() -> None:
    """Mark the pairs whose rows cannot come back: a record was deleted or merged, a label was deleted.

    Each record is looked up by itself: asked by NOT EXISTS, PostgreSQL may read all there are first (record pkey).
    """
    come_back = "(SELECT DISTINCT first_id, second_id FROM reversed_row WHERE comes_back) AS p"
    own = "(SELECT own.id FROM associations_record own WHERE own.id = p.{}_id AND own.merged_into_id IS NULL) IS NULL"
    _leave("record_gone", f"{come_back} WHERE {own.format('first')} OR {own.format('second')}")
    known = "EXISTS (SELECT 1 FROM associations_associationtype t WHERE t.id = r.type_id)"
    _leave("label_gone", f"reversed_row r WHERE r.comes_back AND NOT {known}", of="r")


def leave_taken_primaries(primary_ids: Sequence[int]) -> int:
    """Mark the pairs whose Primary would come back while another company of the record has it; how many."""
    goes = f"EXISTS (SELECT 1 FROM {ADMITTED} WHERE {ROW_OF.format('b')} AND r.goes)"
    return _leave(
        "primary_taken",
        "reversed_row mine JOIN associations_association b ON b.source_id = mine.source_id AND b.type_id = mine.type_id"
        f" AND b.target_id <> mine.target_id WHERE mine.comes_back AND mine.type_id IN ({numbers(primary_ids)})"
        f" AND NOT {goes}",
        of="mine",
        by="b.change_set_id",
    )


def _leave(reason: str, found: str, *, of: str = "p", by: str = "NULL") -> int:
    """Mark the pairs of the rows `of` that a FROM clause finds, with the latest change set that is in the way."""
    return execute(
        f"UPDATE reversed_pair AS pair SET reason = '{reason}', by_id = found.by_id FROM"
        f" (SELECT {of}.first_id, {of}.second_id, max(CAST({by} AS bigint)) AS by_id FROM {found}"
        " GROUP BY 1, 2) AS found WHERE pair.first_id = found.first_id AND pair.second_id = found.second_id"
        f" AND (pair.reason IS NULL OR pair.reason = '{reason}' AND pair.by_id IS NULL)"
    )


# Limits -----------------------------------------------------------------------------------------


def reversed_rows_of(type_ids: Iterable[int]) -> list[tuple[int, int, int, int, int, bool]]:
    """The rows of some types that are to come back (True) or to go: first, second, source, type, target."""
    rows = fetch(
        "SELECT r.first_id, r.second_id, r.source_id, r.type_id, r.target_id, r.comes_back"
        f" FROM {ADMITTED} WHERE r.goes <> r.comes_back AND r.type_id IN ({numbers(list(type_ids))}) ORDER BY 3, 5, 4"
    )
    return [(*row, bool(comes_back)) for *row, comes_back in rows]


def usage_of_rows(type_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """How many others each record of the staged rows has now: record, directed type id, count (association end)."""
    ends = "SELECT source_id FROM reversed_row UNION SELECT target_id FROM reversed_row"
    return fetch(
        f"SELECT record_id, type_id, count(*) FROM associations_associationend WHERE record_id IN ({ends})"
        f" AND type_id IN ({numbers(type_ids)}) GROUP BY record_id, type_id"
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
