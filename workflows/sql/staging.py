"""Fill the stage for an action: the pairs that it means."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from associations import sql
from associations.models import MatchIndex, Record
from associations.types import DirectedType

from .base import Bounds, Enrolled, value_of


def stage_matches(
    enrolled: Enrolled,
    bounds: Bounds,
    enrolled_index: MatchIndex,
    associated_index: MatchIndex,
    several: str,
    cap: int,
) -> None:
    """Stage each enrolled record with those whose value matches, by one join of match keys (match_key_lookup).

    Only live records have keys. `several` says which of them (see create_associations.SEVERAL). Beyond the cap one more
    pair is staged, as capped. The values are looked up one by one, by subselects: a few frequent values make the
    planner expect a hundred times the pairs, and as joins it would read all records for them.
    """
    records, params = enrolled
    record_value, record_name = value_of("m.record_id", enrolled_index)
    other_value, other_name = value_of("m.other_id", associated_index)
    state = {"review": f"CASE WHEN matches > 1 THEN {sql.AMBIGUOUS} ELSE {sql.ADMITTED} END"}.get(
        several, f"CASE WHEN place > {cap:d} THEN {sql.CAPPED} ELSE {sql.ADMITTED} END"
    )
    most = 1 if several in ("oldest", "newest") else cap + 1
    matches = "count(*) OVER (PARTITION BY own.record_id)" if several == "review" else "0"
    then = sql.then_join()
    sql.clear_stage()
    staging = sql.staging(
        f"SELECT m.record_id, m.other_id, {record_value}, {other_value}, {state} FROM"
        " (SELECT own.record_id, other.record_id AS other_id,"
        f" row_number() OVER (PARTITION BY own.record_id ORDER BY other.record_id"
        f" {'DESC' if several == 'newest' else 'ASC'}) AS place, {matches} AS matches"
        f" FROM ({records}) AS enrolled"
        f" {then} associations_matchkey own ON own.index_id = %s AND own.record_id = enrolled.record_id"
        " AND own.record_id BETWEEN %s AND %s"
        f" {then} associations_matchkey other ON other.index_id = %s AND other.key = own.key"
        " AND other.record_id <> own.record_id) AS m"
        f" WHERE m.place <= {most:d}",
        [*record_name, *other_name, *params, enrolled_index.pk, *bounds, associated_index.pk],
    )
    sql.send(staging)


def stage_associated(
    types: DirectedType | Sequence[DirectedType],
    enrolled: Enrolled,
    bounds: Bounds,
    *,
    others: QuerySet[Record] | None = None,
    matching: tuple[MatchIndex, MatchIndex] | None = None,
) -> int:
    """Stage each enrolled record with those it is associated with under any of the types; how many pairs.

    Refined to `others`, or to those whose value matches (the enrolled record's index, the associated one's).
    """
    records, record_params = enrolled
    arms, all_params = [], []
    for directed in [types] if isinstance(types, DirectedType) else types:
        params = [*record_params, *bounds] * len(directed.orientations)
        conditions = "true"
        values = "NULL, NULL"
        joins = ""
        if others is not None:
            allowed, allowed_params = sql.compiled(others.order_by().values("id"))
            conditions = f"pair.other_id IN ({allowed})"
            params = [*params, *allowed_params]
        if matching is not None:
            joins = (
                f" JOIN associations_matchkey own ON own.index_id = {matching[0].pk:d}"
                f" AND own.record_id = pair.record_id"
                f" JOIN associations_matchkey other ON other.index_id = {matching[1].pk:d}"
                f" AND other.record_id = pair.other_id AND other.key = own.key"
            )
            record_value, record_name = value_of("pair.record_id", matching[0])
            other_value, other_name = value_of("pair.other_id", matching[1])
            values = f"{record_value}, {other_value}"
            params = [*record_name, *other_name, *params]
        arms.append(
            f"SELECT pair.record_id, pair.other_id, {values}, {sql.ADMITTED}"
            f" FROM ({sql.associated_with(directed, records)}) AS pair{joins} WHERE {conditions}"
        )
        all_params += params
    sql.clear_stage()
    return sql.stage_select(" UNION ".join(arms), all_params)  # a pair with several of the labels is staged once
