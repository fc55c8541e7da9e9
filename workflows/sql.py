"""Every raw statement of this app: filling the stage for an action, and writing what came of it.

The statements on staged pairs themselves are in associations.sql. All of them work on the set of enrolled
records, given as a SELECT of record_id. Called by actions and services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from associations import sql
from associations.models import Association, ChangeSet, FormerAssociation, MatchIndex, Record
from associations.types import DirectedType

from .models import ActionOutcome, ActionRun, Batch, Enrollment, Outcome, UndoPart

Enrolled = QuerySet[Enrollment]
# Between which ids the enrolled records lie, so that an index need only be read from the one to the other.
Bounds = tuple[int, int]
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
    records, params = _select(enrolled)
    record_value, record_name = _value_of("m.record_id", enrolled_index)
    other_value, other_name = _value_of("m.other_id", associated_index)
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
        " AND own.record_id BETWEEN %s AND %s"
        f" {then} associations_matchkey other ON other.index_id = %s AND other.key = own.key"
        " AND other.record_id <> own.record_id) AS m"
        f" WHERE m.place <= {most:d}",
        [*record_name, *other_name, *params, enrolled_index.pk, *bounds, associated_index.pk],
    )


def _value_of(record: str, index: MatchIndex) -> tuple[str, list[str]]:
    """A subselect for the value that a record matches by, and its parameters (record pkey)."""
    value, name = sql.json_text("r.properties", index.property.name)
    return f"(SELECT {value} FROM associations_record r WHERE r.id = {record})", name


def stage_associated(
    types: DirectedType | Sequence[DirectedType],
    enrolled: Enrolled,
    bounds: Bounds,
    *,
    others: QuerySet[Record] | None = None,
    matching: tuple[MatchIndex, MatchIndex] | None = None,
) -> None:
    """Stage each enrolled record with those it is associated with under any of the types.

    Refined to `others`, or to those whose value matches (the enrolled record's index, the associated one's).
    """
    records, record_params = _select(enrolled)
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
            record_value, record_name = _value_of("pair.record_id", matching[0])
            other_value, other_name = _value_of("pair.other_id", matching[1])
            values = f"{record_value}, {other_value}"
            params = [*record_name, *other_name, *params]
        arms.append(
            f"SELECT pair.record_id, pair.other_id, {values}, {sql.ADMITTED}"
            f" FROM ({sql.associated_with(directed, records)}) AS pair{joins} WHERE {conditions}"
        )
        all_params += params
    sql.clear_stage()
    sql.stage_select(" UNION ".join(arms), all_params)  # a pair with several of the labels is staged once


# Outcomes ---------------------------------------------------------------------------------------


def write_pair_outcomes(
    action_run: ActionRun,
    change_set: ChangeSet,
    unlabeled: DirectedType | None,
    label: DirectedType | None,
    written: sql.Written,
) -> None:
    """Write what became of the staged pairs, per enrolled record: created, label added, there already, or refused.

    With `unlabeled` the action associates, with `label` it labels; `written` says how many rows. Where it was all of
    the admitted pairs, or none, no row is looked up. A symmetric row that was met from both its ends counts for the
    lower record id (association pkey).
    """
    cases, params = [], []
    for directed, outcome, count in (
        (unlabeled, Outcome.CREATED, written.associations),
        (label, Outcome.LABEL_ADDED, written.labels),
    ):
        if directed is None or not count:
            continue
        if count == written.admitted:
            cases.append(f" WHEN s.state = {sql.ADMITTED} THEN '{outcome}'")
            continue
        cases.append(f" WHEN {sql.maker_of(directed)} = %s AND NOT {sql.staged_twice(directed)} THEN '{outcome}'")
        params.append(change_set.pk)
    sql.execute(
        f"{_OUTCOME_COLUMNS} SELECT %s, s.record_id,"
        f" CASE WHEN s.state = {sql.LIMIT_REACHED} THEN '{Outcome.LIMIT_REACHED}'"
        f" WHEN s.state = {sql.CAPPED} THEN '{Outcome.CAPPED}'"
        f" WHEN s.state = {sql.AMBIGUOUS} THEN '{Outcome.AMBIGUOUS}'"
        f"{''.join(cases)} ELSE '{Outcome.ALREADY_THERE}' END AS outcome, count(*), min(s.record_value)"
        " FROM staged_pair s GROUP BY s.record_id, 3",
        [action_run.pk, *params],
    )


def write_removals(action_run: ActionRun, change_set: ChangeSet, types: Sequence[DirectedType], outcome: str) -> None:
    """Write how many rows of some types were removed, per enrolled record, by the ledger of the change set.

    A row that was met from both its ends counts for the lower record id. What was removed is read once, by the change
    set, and hashed: in a condition the planner would turn it into a join (former association by removed_by).
    """
    removed, params = [], []
    for directed in dict.fromkeys(types):
        source, target = directed.ends("s")
        removed.append(
            f"CASE WHEN ({source}, {target}) IN (SELECT c.source_id, c.target_id FROM associations_formerassociation c"
            f" WHERE c.removed_by_id = %s AND c.type_id = {directed.type.pk:d})"
            f" AND NOT {sql.staged_twice_under(directed, types)} THEN 1 ELSE 0 END"
        )
        params.append(change_set.pk)
    sql.execute(
        f"{_OUTCOME_COLUMNS} SELECT %s, told.record_id, '{outcome}', sum(told.removed), NULL FROM"
        f" (SELECT s.record_id, {' + '.join(removed)} AS removed FROM staged_pair s WHERE s.state = 0) AS told"
        " WHERE told.removed > 0 GROUP BY told.record_id",
        [action_run.pk, *params],
    )


def write_not_associated(action_run: ActionRun, enrolled: Enrolled, unlabeled: DirectedType) -> None:
    """Say of the records without an outcome which are not associated at all, but with archived ones (association pkey,
    association_by_target)."""
    records, params = _select(enrolled)
    alone = " AND ".join(
        f"(SELECT 1 FROM associations_association a JOIN associations_record o ON o.id = a.{other}_id"
        f" WHERE a.{own}_id = enrolled.record_id AND a.type_id = {unlabeled.type.pk:d} AND o.archived_at IS NULL"
        " LIMIT 1) IS NULL"
        for own, other in unlabeled.orientations
    )
    sql.execute(
        f"{_OUTCOME_COLUMNS} SELECT %s, enrolled.record_id, '{Outcome.NOT_ASSOCIATED}', 0, NULL"
        f" FROM ({records}) AS enrolled WHERE {_NO_OUTCOME_YET} AND {alone}",
        [action_run.pk, *params, action_run.pk],
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
    value, name = _value_of("enrolled.record_id", index)
    key = "(SELECT k.index_id FROM associations_matchkey k WHERE k.index_id = %s AND k.record_id = enrolled.record_id)"
    sql.execute(
        f"{_OUTCOME_COLUMNS} SELECT %s, enrolled.record_id,"
        f" CASE WHEN {key} IS NULL THEN '{Outcome.NO_VALUE}' ELSE '{reason}' END, 0, {value}"
        f" FROM ({records}) AS enrolled WHERE {_NO_OUTCOME_YET}",
        [action_run.pk, index.pk, *name, *params, action_run.pk],
    )


def sum_outcomes(action_run: ActionRun) -> dict[str, dict[str, int]]:
    """The sums that are kept with the action run (action outcome pkey)."""
    rows = sql.fetch(
        "SELECT outcome, count(*), sum(count) FROM workflows_actionoutcome WHERE action_run_id = %s GROUP BY outcome",
        [action_run.pk],
    )
    return {outcome: {"records": records, "pairs": int(pairs)} for outcome, records, pairs in sorted(rows)}


# Enrolling --------------------------------------------------------------------------------------


def enroll(
    batch: Batch, records: QuerySet[Record], ids: Sequence[int] | None, *, again: bool, finished: bool = False
) -> int:
    """Enroll records in the workflow of a batch, none twice at a time (enrolled_once_at_a_time).

    `records` are some of `ids`, or where that is None of the batch's range. They are held, so that none is deleted
    meanwhile. `again`: also those that were enrolled before and are not now. Of two workers that enroll the same record
    at once the constraint lets one: both count the same ordinal. `finished`: written in the state in which they leave
    the transaction, for its one action comes next. Whom an undone run enrolled counts as never enrolled by it.
    """
    chosen, params = sql.compiled(records.order_by().values("id"))
    of_these, of_params = sql.in_ids("e.record_id", ids) if ids is not None else ("e.record_id BETWEEN %s AND %s", ())
    counts = f"e.state = '{Enrollment.State.ACTIVE}'" if again else "true"
    state = Enrollment.State.FINISHED if finished else Enrollment.State.ACTIVE
    ended_at = "CURRENT_TIMESTAMP" if finished else "NULL"
    workflow_id = batch.run.workflow_id
    sql.hold_ends([batch.run.workflow.object_type_id])
    # What was there is read once, before the first row is written, and not looked up for each record: for a table that
    # was empty a moment ago the planner would walk through all that this statement itself has written.
    return sql.execute(
        "INSERT INTO workflows_enrollment (workflow_id, record_id, ordinal, batch_id, state, enrolled_at, ended_at)"
        f" SELECT %s, chosen.id, coalesce(was.times, 0), %s, '{state}', CURRENT_TIMESTAMP, {ended_at}"
        f" FROM ({chosen}) AS chosen LEFT JOIN (SELECT e.record_id, count(*) AS times,"
        f" sum(CASE WHEN {counts} AND e.batch_id NOT IN (SELECT b.id FROM workflows_batch b"
        "  JOIN workflows_run u ON u.id = b.run_id WHERE u.workflow_id = %s AND u.undone_at IS NOT NULL)"
        " THEN 1 ELSE 0 END) AS counting"
        f" FROM workflows_enrollment e WHERE e.workflow_id = %s AND {of_these} GROUP BY e.record_id) AS was"
        " ON was.record_id = chosen.id WHERE coalesce(was.counting, 0) = 0 ORDER BY chosen.id ON CONFLICT DO NOTHING",
        [
            workflow_id, batch.pk, *params, workflow_id, workflow_id,
            *(of_params if ids is not None else (batch.first_record_id, batch.last_record_id)),
        ],
    )  # fmt: skip


def know_young_tables() -> None:
    """Have PostgreSQL look at the tables of a run that have grown from nothing since anybody looked.

    Autovacuum comes by once a minute. Until then the planner takes every index of such a table for as good as any
    other, and reads hundreds of rows by one of them to find a single one.
    """
    if not sql.is_postgresql() or connection.in_atomic_block:
        return
    models = (Association, FormerAssociation, Enrollment, ActionOutcome)
    grown = sql.fetch(
        "SELECT relname FROM pg_class WHERE oid = ANY(%s::text[]::regclass[]) AND reltuples <= 0"
        " AND pg_relation_size(oid) > 0",
        [[model._meta.db_table for model in models]],
    )
    for (name,) in grown:
        sql.execute(f"ANALYZE (SKIP_LOCKED) {name}")


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
