"""Every raw statement of this app: filling the stage for an action, and writing what came of it.

The statements on staged pairs themselves are in associations.sql. All of them work on the set of enrolled
records, given as a SELECT of record_id. Called by actions and services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from associations import sql
from associations.models import ChangeSet, MatchIndex, Record
from associations.types import DirectedType

from .models import ActionRun, Batch, Enrollment, Outcome, UndoPart

Enrolled = QuerySet[Enrollment]
_OUTCOME_COLUMNS = "INSERT INTO workflows_actionoutcome (action_run_id, record_id, outcome, count, value)"
# Not as NOT EXISTS: the planner knows nothing of rows that this transaction wrote, takes them for one, and would look
# through all of them for each record (10,000 × 10,000). A set that stands alone is read once, into a hash.
_NO_OUTCOME_YET = (
    "enrolled.record_id NOT IN (SELECT had.record_id FROM workflows_actionoutcome had WHERE had.action_run_id = %s)"
)


def _select(enrolled: Enrolled) -> tuple[str, list[Any]]:
    select, params = sql.compiled(enrolled.order_by().values("record_id"))
    return select, list(params)


# Filling the stage ------------------------------------------------------------------------------


def stage_matches(
    enrolled: Enrolled, enrolled_index: MatchIndex, associated_index: MatchIndex, several: str, cap: int
) -> None:
    """Stage each enrolled record with those whose value matches, by one join of match keys (match_key_lookup).

    `several` says which of them (see create_associations.SEVERAL). Beyond the cap one more pair is staged, as capped.
    """
    records, params = _select(enrolled)
    record_value, record_name = sql.json_text("r.properties", enrolled_index.property.name)
    other_value, other_name = sql.json_text("o.properties", associated_index.property.name)
    state = {"review": f"CASE WHEN matches > 1 THEN {sql.AMBIGUOUS} ELSE {sql.ADMITTED} END"}.get(
        several, f"CASE WHEN place > {cap:d} THEN {sql.CAPPED} ELSE {sql.ADMITTED} END"
    )
    most = 1 if several in ("oldest", "newest") else cap + 1
    matches = "count(*) OVER (PARTITION BY own.record_id)" if several == "review" else "0"
    then = sql.then_join()
    sql.clear_stage()
    sql.stage_select(
        f"SELECT m.record_id, m.other_id, {record_value}, {other_value}, {state} FROM"
        " (SELECT own.record_id, other.record_id AS other_id,"
        f" row_number() OVER (PARTITION BY own.record_id ORDER BY other.record_id"
        f" {'DESC' if several == 'newest' else 'ASC'}) AS place, {matches} AS matches"
        f" FROM ({records}) AS enrolled"
        f" {then} associations_matchkey own ON own.index_id = %s AND own.record_id = enrolled.record_id"
        f" {then} associations_matchkey other ON other.index_id = %s AND other.key = own.key"
        " AND other.record_id <> own.record_id) AS m"
        " JOIN associations_record r ON r.id = m.record_id"
        " JOIN associations_record o ON o.id = m.other_id AND o.archived_at IS NULL"
        f" WHERE m.place <= {most:d}",
        [*record_name, *other_name, *params, enrolled_index.pk, associated_index.pk],
    )
    sql.analyze_stage()


def stage_associated(
    types: DirectedType | Sequence[DirectedType],
    enrolled: Enrolled,
    *,
    others: QuerySet[Record] | None = None,
    matching: tuple[MatchIndex, MatchIndex] | None = None,
) -> None:
    """Stage each enrolled record with those it is associated with under any of the types.

    Refined to `others`, or to those whose value matches (the enrolled record's index, the associated one's).
    """
    records, record_params = _select(enrolled)
    sql.clear_stage()
    for directed in [types] if isinstance(types, DirectedType) else types:
        params = record_params * len(directed.orientations)
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
                " JOIN associations_record r ON r.id = pair.record_id"
                " JOIN associations_record o ON o.id = pair.other_id"
            )
            record_value, record_name = sql.json_text("r.properties", matching[0].property.name)
            other_value, other_name = sql.json_text("o.properties", matching[1].property.name)
            values = f"{record_value}, {other_value}"
            params = [*record_name, *other_name, *params]
        sql.stage_select(
            f"SELECT pair.record_id, pair.other_id, {values}, {sql.ADMITTED}"
            f" FROM ({sql.associated_with(directed, records)}) AS pair{joins} WHERE {conditions}",
            params,
        )
    sql.analyze_stage()


# Outcomes ---------------------------------------------------------------------------------------


def write_pair_outcomes(
    action_run: ActionRun, change_set: ChangeSet, unlabeled: DirectedType | None, label: DirectedType | None
) -> None:
    """Write what became of the staged pairs, per enrolled record: created, label added, there already, or refused.

    With `unlabeled` the action associates, with `label` it labels. A symmetric row that was met from both its ends
    counts for the lower record id (association pkey).
    """
    cases, joins, params = [], [], []
    for alias, directed, outcome in (("u", unlabeled, Outcome.CREATED), ("l", label, Outcome.LABEL_ADDED)):
        if directed is None:
            continue
        source, target = directed.ends("s")
        joins.append(
            f" LEFT JOIN associations_association {alias} ON {alias}.source_id = {source}"
            f" AND {alias}.target_id = {target} AND {alias}.type_id = {directed.type.pk:d}"
        )
        cases.append(f" WHEN {alias}.change_set_id = %s AND NOT {sql.staged_twice(directed)} THEN '{outcome}'")
        params.append(change_set.pk)
    sql.execute(
        f"{_OUTCOME_COLUMNS} SELECT %s, s.record_id,"
        f" CASE WHEN s.state = {sql.LIMIT_REACHED} THEN '{Outcome.LIMIT_REACHED}'"
        f" WHEN s.state = {sql.CAPPED} THEN '{Outcome.CAPPED}'"
        f" WHEN s.state = {sql.AMBIGUOUS} THEN '{Outcome.AMBIGUOUS}'"
        f"{''.join(cases)} ELSE '{Outcome.ALREADY_THERE}' END AS outcome, count(*), min(s.record_value)"
        f" FROM staged_pair s{''.join(joins)} GROUP BY s.record_id, 3",
        [action_run.pk, *params],
    )


def write_removals(action_run: ActionRun, change_set: ChangeSet, types: Sequence[DirectedType], outcome: str) -> None:
    """Write how many rows of some types were removed, per enrolled record, by the ledger of the change set.

    A row that was met from both its ends counts for the lower record id (former association pkey).
    """
    arms, params = [], []
    for directed in types:
        for own, other in directed.orientations:
            arms.append(
                "SELECT c.source_id, c.target_id, c.type_id, s.record_id FROM staged_pair s"
                f" JOIN associations_formerassociation c ON c.{own}_id = s.record_id AND c.{other}_id = s.other_id"
                f" AND c.type_id = {directed.type.pk:d} AND c.removed_by_id = %s WHERE s.state = 0"
            )
            params.append(change_set.pk)
    sql.execute(
        f"{_OUTCOME_COLUMNS} SELECT %s, told.record_id, '{outcome}', count(*), NULL FROM"
        f" (SELECT min(record_id) AS record_id FROM ({' UNION ALL '.join(arms)}) AS hit"
        " GROUP BY source_id, target_id, type_id) AS told"
        " GROUP BY told.record_id",
        [action_run.pk, *params],
    )


def write_not_associated(action_run: ActionRun, enrolled: Enrolled, unlabeled: DirectedType) -> None:
    """Say of the records without an outcome which are not associated at all (association pkey)."""
    records, params = _select(enrolled)
    sql.execute(
        f"{_OUTCOME_COLUMNS} SELECT %s, enrolled.record_id, '{Outcome.NOT_ASSOCIATED}', 0, NULL"
        f" FROM ({records}) AS enrolled WHERE {_NO_OUTCOME_YET} AND enrolled.record_id NOT IN"
        f" (SELECT pair.record_id FROM ({sql.associated_with(unlabeled, records)}) AS pair)",
        [action_run.pk, *params, action_run.pk, *(params * len(unlabeled.orientations))],
    )


def write_reasons(action_run: ActionRun, enrolled: Enrolled, reason: str, index: MatchIndex | None = None) -> None:
    """Give the records without an outcome the reason why nothing was done.

    With the index that their value was looked up by: no value where they have no key, and the value looked for
    where they have one (match key pkey).
    """
    records, params = _select(enrolled)
    if index is None:
        sql.execute(
            f"{_OUTCOME_COLUMNS} SELECT %s, enrolled.record_id, '{reason}', 0, NULL"
            f" FROM ({records}) AS enrolled WHERE {_NO_OUTCOME_YET}",
            [action_run.pk, *params, action_run.pk],
        )
        return
    value, name = sql.json_text("r.properties", index.property.name)
    sql.execute(
        f"{_OUTCOME_COLUMNS} SELECT %s, enrolled.record_id,"
        f" CASE WHEN k.record_id IS NULL THEN '{Outcome.NO_VALUE}' ELSE '{reason}' END, 0, {value}"
        f" FROM ({records}) AS enrolled JOIN associations_record r ON r.id = enrolled.record_id"
        " LEFT JOIN associations_matchkey k ON k.index_id = %s AND k.record_id = enrolled.record_id"
        f" WHERE {_NO_OUTCOME_YET}",
        [action_run.pk, *name, *params, index.pk, action_run.pk],
    )


def sum_outcomes(action_run: ActionRun) -> dict[str, dict[str, int]]:
    """The sums that are kept with the action run (action outcome pkey)."""
    rows = sql.fetch(
        "SELECT outcome, count(*), sum(count) FROM workflows_actionoutcome WHERE action_run_id = %s GROUP BY outcome",
        [action_run.pk],
    )
    return {outcome: {"records": records, "pairs": int(pairs)} for outcome, records, pairs in sorted(rows)}


# Enrolling --------------------------------------------------------------------------------------


def enroll(batch: Batch, records: QuerySet[Record], *, again: bool, finished: bool = False) -> int:
    """Enroll records in the workflow of a batch, none twice at a time (enrolled_once_at_a_time).

    `again`: also those that were enrolled before and are not now. Of two workers that enroll the same record at
    once the constraint lets one: both count the same ordinal. The records are held, so that none is deleted meanwhile.
    `finished`: written in the state in which they leave the transaction, for its one action comes next. Whom an undone
    run enrolled counts as never enrolled by it.
    """
    chosen, params = sql.compiled(records.order_by().values("id"))
    workflow_id = batch.run.workflow_id
    before = "SELECT 1 FROM workflows_enrollment e WHERE e.workflow_id = %s AND e.record_id = chosen.id"
    ordinal = "0"
    undone = Batch.objects.filter(run__workflow=workflow_id, run__undone_at__isnull=False)
    if is_undone := undone.exists():
        before += (
            " AND e.batch_id NOT IN (SELECT b.id FROM workflows_batch b JOIN workflows_run u ON u.id = b.run_id"
            f" WHERE u.workflow_id = {workflow_id:d} AND u.undone_at IS NOT NULL)"
        )
    if again:
        before += f" AND e.state = '{Enrollment.State.ACTIVE}'"
    if again or is_undone:
        ordinal = (
            "(SELECT count(*) FROM workflows_enrollment was"
            f" WHERE was.workflow_id = {workflow_id:d} AND was.record_id = chosen.id)"
        )
    state = Enrollment.State.FINISHED if finished else Enrollment.State.ACTIVE
    ended_at = "CURRENT_TIMESTAMP" if finished else "NULL"
    return sql.execute(
        "INSERT INTO workflows_enrollment (workflow_id, record_id, ordinal, batch_id, state, enrolled_at, ended_at)"
        f" SELECT %s, chosen.id, {ordinal}, %s, '{state}', CURRENT_TIMESTAMP, {ended_at} FROM ({chosen}) AS chosen"
        f" WHERE NOT EXISTS ({before}){' FOR KEY SHARE OF chosen' if sql.locks_records() else ''}"
        " ON CONFLICT DO NOTHING",
        [workflow_id, batch.pk, *params, workflow_id],
    )


# Undoing ----------------------------------------------------------------------------------------


def write_left_pairs(part: UndoPart) -> None:
    """List the pairs that an undo leaves alone (see associations.sql.reversing)."""
    sql.execute(
        "INSERT INTO workflows_leftpair (part_id, source_id, target_id, reason, change_set_id)"
        " SELECT %s, first_id, second_id, reason, by_id FROM reversed_pair WHERE reason IS NOT NULL",
        [part.pk],
    )


# Events -----------------------------------------------------------------------------------------


def commit_without_waiting() -> None:
    """Do not wait for the disk at this transaction's end. Only for one that is done again if the machine loses it:
    the log keeps its order, so the next commit that waits writes this one down as well, or neither is there.
    """
    if sql.is_postgresql():
        sql.execute("SET LOCAL synchronous_commit TO off")


def claim(change_set_ids: Sequence[int]) -> None:
    """Have the claimed change sets stand in a table, so that filters can name them without listing their ids."""
    sql.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS claimed_change_set (id bigint PRIMARY KEY)"
        + (" ON COMMIT DELETE ROWS" if sql.is_postgresql() else "")
    )
    sql.execute("DELETE FROM claimed_change_set")
    chosen, params = sql.in_ids("id", change_set_ids)
    sql.execute(f"INSERT INTO claimed_change_set SELECT id FROM associations_changeset WHERE {chosen}", params)
    if sql.is_postgresql():
        sql.execute("ANALYZE claimed_change_set")


def wait_for_open_change_sets() -> None:
    """Let every change that has begun come to its end, and none begin until the transaction ends.

    Numbers are given when a change begins, and it is seen when it ends: without this one with a lower number might
    still come to light after the highest number was read.
    """
    if sql.is_postgresql():
        sql.execute("LOCK TABLE associations_changeset IN SHARE MODE")
