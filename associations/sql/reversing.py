"""Take change sets back, or put them back again: what they did to the pairs of some of them, row by row.

A pair is taken whole or not at all. Three temporary tables hold the work: `reversed_change_set` (all change sets that
belong together, `is_part`: those whose pairs are looked at now), `reversed_pair` (the two records, with the reason why
the pair is left alone, see `leaving`) and `reversed_row` (each association row that the change sets added or removed in
the end: whether it goes, comes back, or both, which gives it back to whom it belonged). The same statements serve undo
and redo. What needs no looking at goes by `taking_back`. Called by services.reversal.
"""

from __future__ import annotations

from collections.abc import Sequence

from .base import analyze, go_by_indexes, in_ids, then_join
from .messages import execute, fetch, is_postgresql
from .stage import has_key
from .writing import remove_rows

MAKER = "coalesce({0}.origin_id, {0}.change_set_id)"
IN_SET = "EXISTS (SELECT 1 FROM reversed_change_set s WHERE s.id = {})"
ROW_OF = "r.source_id = {0}.source_id AND r.target_id = {0}.target_id AND r.type_id = {0}.type_id"
SAME_PAIR = "r.first_id = p.first_id AND r.second_id = p.second_id"
ADMITTED = f"reversed_row r JOIN reversed_pair p ON {SAME_PAIR} AND p.reason IS NULL"


def begin_reversal(change_sets: Sequence[int], part: Sequence[int]) -> None:
    """Have empty tables in this transaction, and name the change sets.

    All is looked up by keys from here on: an undo fills the ledger quicker than PostgreSQL comes to know it, and
    would read all of it for each part.
    """
    on_commit = ""
    if is_postgresql():
        on_commit = " ON COMMIT DELETE ROWS"
        go_by_indexes()
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
            " target_id bigint NOT NULL, goes boolean NOT NULL, comes_back boolean NOT NULL, origin_id bigint,"
            " source_value text, target_value text, is_pending boolean NOT NULL,"
            " PRIMARY KEY (source_id, target_id, type_id)",
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
    analyze("reversed_change_set")


def touched_types() -> list[int]:
    """The type ids of the rows that the part's change sets wrote (association and former association by change set)."""
    return [type_id for (type_id,) in fetch(f"SELECT DISTINCT type_id FROM ({_touched()}) AS w")]


def stage_reversed_pairs(type_ids: Sequence[int], both_ways: bool, *, mixed_only: bool) -> int:
    """Stage the pairs that the part's change sets touched; how many.

    With `mixed_only` those that anybody else may have touched, too: on which something stands that the part has not
    made, or from which something went since. What the part made for the others can go without looking.

    Within one object type the lower id comes first, else the source (association and former association by change
    set, and their pkeys).
    """
    first, second = ("source_id", "target_id")
    if both_ways:
        swapped = (
            "CASE WHEN w.target_id < w.source_id AND (SELECT t.from_object_type_id = t.to_object_type_id"
            " FROM associations_associationtype t WHERE t.id = w.type_id) THEN w.{0} ELSE w.{1} END"
        )
        first, second = swapped.format("target_id", "source_id"), swapped.format("source_id", "target_id")
    staged = execute(
        "INSERT INTO reversed_pair (first_id, second_id, since) SELECT first_id, second_id, since FROM"
        f" (SELECT {first} AS first_id, {second} AS second_id, min(w.change_set_id) AS since"
        f" FROM ({_touched()}) AS w GROUP BY 1, 2) AS p"
        f" WHERE {_is_mixed(type_ids, both_ways) if mixed_only else 'true'}"
    )
    analyze("reversed_pair")
    return staged


def _is_mixed(type_ids: Sequence[int], both_ways: bool) -> str:
    """Each question is asked pair by pair, and of most of them there is nothing to be found. Whoever removes a row may
    have begun before who made it, so both are asked for."""
    own, began = "SELECT id FROM reversed_change_set WHERE is_part", "(SELECT min(id) FROM reversed_change_set)"
    questions = []
    for source, target in orders(both_ways):
        questions += [
            f"(SELECT 1 FROM associations_association a WHERE a.source_id = p.{source} AND a.target_id = p.{target}"
            f" AND a.type_id IN ({numbers(type_ids)}) AND a.change_set_id NOT IN ({own}) LIMIT 1) IS NOT NULL",
            f"(SELECT 1 FROM associations_formerassociation f WHERE f.source_id = p.{source}"
            f" AND f.target_id = p.{target} AND (f.added_by_id >= {began} OR f.removed_by_id >= {began}) LIMIT 1)"
            " IS NOT NULL",
        ]
    return " OR ".join(questions)


def hold_reversed_pairs(unlabeled_ids: Sequence[int], both_ways: bool) -> None:
    """Lock the associations of the staged pairs: whoever puts a label on one of them comes before, and is seen, or
    waits (association pkey).
    """
    if not is_postgresql():
        return
    for source, target in orders(both_ways):
        fetch(
            "SELECT 1 FROM reversed_pair p JOIN associations_association a"
            f" ON a.source_id = p.{source} AND a.target_id = p.{target} AND a.type_id IN ({numbers(unlabeled_ids)})"
            " ORDER BY a.source_id, a.target_id FOR UPDATE OF a"
        )


def stage_reversed_rows(type_ids: Sequence[int], both_ways: bool, *, redo: bool) -> None:
    """Stage what the change sets did to the staged pairs in the end, and whether that is still to be reversed.

    Of each row there are two sides: whether it stood before them, and whose it was then, for a row that they removed
    names who had made it; and whether they left one of their own. A row that was not there before and is not there
    after is left out (association pkey, former association pkey).
    """
    events = []
    for source, target in orders(both_ways):
        a, f = (
            beside(f"associations_{table}", alias, source, target, type_ids)
            for table, alias in (("association", "a"), ("formerassociation", "f"))
        )
        events += [
            "SELECT p.first_id, p.second_id, a.source_id, a.type_id, a.target_id, 1 AS n, a.change_set_id AS maker,"
            f" a.source_value, a.target_value FROM {a} WHERE {IN_SET.format('a.change_set_id')}",
            "SELECT p.first_id, p.second_id, f.source_id, f.type_id, f.target_id, 1, f.added_by_id,"
            f" f.source_value, f.target_value FROM {f} WHERE {IN_SET.format('f.added_by_id')}",
            "SELECT p.first_id, p.second_id, f.source_id, f.type_id, f.target_id, -1,"
            f" CASE WHEN {IN_SET.format('f.added_by_id')} THEN NULL ELSE coalesce(f.origin_id, f.added_by_id) END,"
            f" f.source_value, f.target_value FROM {f} WHERE {IN_SET.format('f.removed_by_id')}",
        ]
    before, after = "n < 0 AND maker IS NOT NULL", "n > 0"
    sides = ", ".join(
        f"max({column}) FILTER (WHERE {condition}) AS {side}_{column}"
        for side, condition in (("before", before), ("after", after))
        for column in ("maker", "source_value", "target_value")
    )
    goes, comes = ("before", "after") if redo else ("after", "before")
    execute(
        "INSERT INTO reversed_row SELECT net.first_id, net.second_id, net.source_id, net.type_id, net.target_id,"
        f" net.is_{goes}, net.is_{comes}, net.{comes}_maker, net.{comes}_source_value, net.{comes}_target_value,"
        f" CASE WHEN a.source_id IS NULL THEN NOT net.is_{goes}"
        f" ELSE net.is_{goes} AND {MAKER.format('a')} = net.{goes}_maker END"
        f" FROM (SELECT first_id, second_id, source_id, type_id, target_id, {sides},"
        f" count(*) FILTER (WHERE {before}) > 0 AS is_before,"
        f" count(*) FILTER (WHERE {after}) > count(*) FILTER (WHERE n < 0 AND maker IS NULL) AS is_after"
        f" FROM ({' UNION ALL '.join(events)}) AS event"
        " GROUP BY first_id, second_id, source_id, type_id, target_id) AS net"
        " LEFT JOIN associations_association a ON a.source_id = net.source_id AND a.target_id = net.target_id"
        " AND a.type_id = net.type_id WHERE net.is_before OR net.is_after"
    )
    analyze("reversed_row (first_id, second_id, source_id, type_id, target_id, goes, comes_back, is_pending)")
    execute(
        "DELETE FROM reversed_pair AS p WHERE NOT EXISTS"
        f" (SELECT 1 FROM reversed_row r WHERE {SAME_PAIR} AND r.is_pending)"
    )


# Doing it -----------------------------------------------------------------------------------------


def reverse_rows(change_set_id: int) -> None:
    """Remove what is to go, with its ledger, and put back what is to come back, with the values that had matched
    (association pkey)."""
    row = has_key("a", "r.source_id", "r.type_id", "r.target_id")
    remove_rows(ADMITTED, f"{row} AND r.goes", [], change_set_id)
    execute(
        "INSERT INTO associations_association"
        " (source_id, type_id, target_id, change_set_id, origin_id, source_value, target_value)"
        " SELECT r.source_id, r.type_id, r.target_id, %s, r.origin_id, r.source_value, r.target_value"
        f" FROM {ADMITTED} WHERE r.comes_back ORDER BY 1, 3 ON CONFLICT DO NOTHING",
        [change_set_id],
    )


def count_reversed() -> list[tuple[int, bool, int]]:
    """How many rows go or come back (True), by type: type id, whether, how many. What does both is there before and
    after."""
    rows = fetch(
        f"SELECT r.type_id, r.comes_back, count(*) FROM {ADMITTED} WHERE r.goes <> r.comes_back"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [(type_id, bool(comes_back), count) for type_id, comes_back, count in rows]


def count_left() -> list[tuple[str, int]]:
    """How many pairs are left alone, by reason."""
    return fetch("SELECT reason, count(*) FROM reversed_pair WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 1")


def some_reversed(most: int) -> list[tuple[int, int, int, bool, str | None, int | None]]:
    """The first few rows: source, type, target, whether it comes back, why its pair is left and who is in the way."""
    rows = fetch(
        "SELECT r.source_id, r.type_id, r.target_id, r.comes_back, p.reason, p.by_id FROM reversed_row r"
        f" JOIN reversed_pair p ON {SAME_PAIR} WHERE r.goes <> r.comes_back ORDER BY p.reason IS NULL, 1, 3, 2"
        " LIMIT %s",
        [most],
    )
    return [(source, type_, target, bool(back), reason, by) for source, type_, target, back, reason, by in rows]


# What all of it is put together from --------------------------------------------------------------


def _touched() -> str:
    """A SELECT of each row that the part's change sets added or removed: its key and the change set (association and
    former association by change set)."""
    arms = (
        ("association", "change_set_id"),
        ("formerassociation", "added_by_id"),
        ("formerassociation", "removed_by_id"),
    )
    return " UNION ALL ".join(
        "SELECT a.source_id, a.target_id, a.type_id, c.id AS change_set_id FROM reversed_change_set c"
        f" {then_join()} associations_{table} a ON a.{column} = c.id WHERE c.is_part"
        for table, column in arms
    )


def orders(both_ways: bool) -> list[tuple[str, str]]:
    """In which columns of a staged pair a row's source and target may stand: within one object type either way."""
    return [("first_id", "second_id"), ("second_id", "first_id")][: 1 + both_ways]


def beside(table: str, alias: str, source: str, target: str, type_ids: Sequence[int]) -> str:
    """A FROM item: the staged pairs `p`, each with its rows of some types in a table. Looked up pair by pair, whatever
    the planner thinks of a young table."""
    key = "{0}source_id = p.{1} AND {0}target_id = p.{2} AND {0}type_id IN ({3})"
    types = numbers(type_ids)
    if is_postgresql():
        return (
            f"reversed_pair p CROSS JOIN LATERAL (SELECT * FROM {table} WHERE"
            f" {key.format('', source, target, types)} OFFSET 0) AS {alias}"
        )
    return f"reversed_pair p CROSS JOIN {table} {alias} ON {key.format(f'{alias}.', source, target, types)}"


def numbers(ids: Sequence[int]) -> str:
    """A list of ids for IN; one without any finds nothing."""
    return ", ".join(f"{id_:d}" for id_ in ids) or "NULL"
