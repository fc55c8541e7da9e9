"""The stage: the set of pairs that the statements of `writing` work on, and which of them a limit refuses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from associations.types import DirectedType

from .base import SOME_CLAIMED, locks_records
from .messages import Params, Statement, execute, fetch, is_postgresql, send

_AFTER_ITS_TWIN = (
    "(s.record_id > s.other_id AND EXISTS (SELECT 1 FROM staged_pair twin WHERE"
    " twin.record_id = s.other_id AND twin.other_id = s.record_id AND twin.state = 0))"
)


@dataclass(frozen=True)
class Written:
    """What was written for staged pairs: how many pairs no limit refused, and how many rows were new for them."""

    admitted: int
    associations: int = 0
    labels: int = 0


ADMITTED: Final = 0
LIMIT_REACHED: Final = 1
CAPPED: Final = 2
AMBIGUOUS: Final = 3


def clear_stage() -> None:
    """Have an empty stage in this transaction.

    Whoever fills it gives each pair once. PostgreSQL needs no key to join by, and keeping one is a quarter of filling.
    """
    key = "" if is_postgresql() else ", PRIMARY KEY (record_id, other_id)"
    kept = " ON COMMIT DELETE ROWS" if is_postgresql() else " WITHOUT ROWID"
    table = (
        "CREATE TEMPORARY TABLE IF NOT EXISTS staged_pair ("
        " record_id bigint NOT NULL, other_id bigint NOT NULL,"
        f" record_value text, other_value text, state smallint NOT NULL DEFAULT 0{key}){kept}"
    )
    send((table, []), ("DELETE FROM staged_pair", []))


def stage_rows(pairs: Iterable[tuple[int, int]]) -> None:
    """Stage pairs that are given one by one: however many, by one statement."""
    rows, params = _given(list(dict.fromkeys(pairs)))
    execute(f"INSERT INTO staged_pair (record_id, other_id) {rows}", params)


def staging(select: str, params: Params) -> Statement:
    """What stages all that a SELECT of (record_id, other_id, record_value, other_value, state) yields."""
    into = "INSERT INTO staged_pair (record_id, other_id, record_value, other_value, state)"
    return f"{into} SELECT * FROM ({select}) AS pair", params


def stage_select(select: str, params: Params) -> int:
    """Stage the same; how many pairs."""
    return execute(*staging(select, params))


def count_admitted() -> int:
    return int(fetch("SELECT count(*) FROM staged_pair WHERE state = 0")[0][0])


@dataclass(frozen=True)
class Staged:
    """How many staged pairs are admitted, and of how many sources. Whether all of them stand already under the type
    that they are meant to have; whether some source may be associated with anybody under the unlabeled one; and whether
    anybody claims any association at all."""

    admitted: int
    sources: int
    all_stand: bool
    some_have_others: bool
    are_some_claimed: bool


def count_staged(unlabeled: DirectedType, meant: DirectedType) -> Staged:
    """Count the stage before it is written from (association pkey).

    Each pair is looked up once. What is asked the first pair tells: where it stands the same has been done before, and
    most likely with all of them; where it does not, with none.
    """
    source, _ = unlabeled.ends("s")
    any_other = (
        f"(SELECT 1 FROM associations_association a WHERE {_has_source('a', source, unlabeled.type.pk)} LIMIT 1)"
    )
    first_stands = f"(SELECT {maker_of(meant)} FROM staged_pair s WHERE s.state = 0 LIMIT 1) IS NOT NULL"
    [(admitted, sources, stand, have_others, are_some_claimed)] = fetch(
        f"SELECT count(*), count(DISTINCT {source}), count(CASE WHEN {first_stands} THEN {maker_of(meant)} END),"
        f" count(CASE WHEN {first_stands} THEN 1 ELSE {any_other} END), {SOME_CLAIMED}"
        " FROM staged_pair s WHERE s.state = 0"
    )
    return Staged(admitted, sources, stand == admitted, have_others > 0, bool(are_some_claimed))


def count_associated_pairs(unlabeled: DirectedType) -> int:
    """How many of the admitted pairs are associated already (association pkey)."""
    return int(fetch(f"SELECT count({maker_of(unlabeled)}) FROM staged_pair s WHERE s.state = 0")[0][0])


def maker_of(directed: DirectedType) -> str:
    """A subselect for the change set that made the row of a type for the staged pair `s`; NULL where there is none.

    Not as a join: for that the planner may read all associations there are (association pkey).
    """
    return f"(SELECT made.change_set_id FROM associations_association made WHERE {is_row('made', directed)})"


def is_row(alias: str, directed: DirectedType) -> str:
    """A condition: an association is the row of a type for the staged pair `s` (association pkey)."""
    source, target = directed.ends("s")
    return has_key(alias, source, str(directed.type.pk), target)


def _has_source(alias: str, source: str, type_id: int) -> str:
    """A condition: an association is of this source and type (association pkey, and nothing else as below).

    The source also by itself, or the planner expects a ninth of all rows, and the first of them by reading whatever
    comes.
    """
    if not is_postgresql():
        return f"{alias}.source_id = {source} AND {alias}.type_id = {type_id:d}"
    same = _same_in_order(f"({alias}.source_id, {alias}.type_id)", f"({source}, {type_id:d})")
    return f"{alias}.source_id = {source} AND {same}"


def has_key(alias: str, source: str, type_id: str, target: str) -> str:
    """A condition: an association is this row (association pkey).

    Compared in the order of the key, so that PostgreSQL can find it by nothing else: for a type that is new to the
    planner it may take the index by target for as good, and walk all that a company has.
    """
    if not is_postgresql():
        return f"{alias}.source_id = {source} AND {alias}.type_id = {type_id} AND {alias}.target_id = {target}"
    same = _same_in_order(f"({alias}.type_id, {alias}.target_id)", f"({type_id}, {target})")
    return f"{alias}.source_id = {source} AND {same}"


def _same_in_order(columns: str, values: str) -> str:
    """That columns have these values, said so that only an index with the columns side by side can find it."""
    return f"{columns} >= {values} AND {columns} <= {values}"


def associated_with(directed: DirectedType, records: str) -> str:
    """A SELECT of (record_id, other_id): whom the records of a SELECT of record_id are associated with under a type.

    It takes the parameters of `records` and then the lowest and the highest of their ids; a symmetric type all of that
    twice, once for each of `directed.orientations`.

    Archived others, which are few, are left out (association pkey, association_by_target; record_archived).
    """
    arms = []
    for own, other in directed.orientations:
        arms.append(
            f"SELECT own.record_id, a.{other}_id AS other_id FROM ({records}) AS own"
            f" JOIN associations_association a ON a.{own}_id = own.record_id AND a.type_id = {directed.type.pk:d}"
            f" AND a.{own}_id BETWEEN %s AND %s"
            f" WHERE NOT EXISTS (SELECT 1 FROM associations_record o WHERE o.id = a.{other}_id"
            " AND o.archived_at IS NOT NULL)"
        )
    return " UNION ALL ".join(arms)


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
    return _AFTER_ITS_TWIN if directed.type.is_symmetric else "false"


def staged_twice_under(directed: DirectedType, types: Sequence[DirectedType]) -> str:
    """The same, where rows are meant by several types: by both directions of a paired one, too."""
    return _AFTER_ITS_TWIN if directed.reverse in types else "false"


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
