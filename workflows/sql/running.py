"""Enroll records, close runs, list what an undo leaves alone; and what PostgreSQL must be told for it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from associations import sql
from associations.models import Association, AssociationClaim, FormerAssociation, Record
from workflows.models import ActionOutcome, ActionRun, Batch, Enrollment, Run, UndoPart

# What the actions of a workflow that is kept in sync share, and who looks at what happened has alone.
_SYNC = 7_033
# In pages of 8 kB: as large a table is not read whole to find a row.
_SMALL = 1_000


def enroll_range(batch: Batch, records: QuerySet[Record], *, again: bool, finished: bool = False) -> int:
    """Enroll records of a batch's range of ids; see `_enroll`."""
    chosen, params = sql.compiled(records.order_by().values("id"))
    bounds = batch.first_record_id, batch.last_record_id
    about = bounds[1] - bounds[0] + 1
    in_range = ("e.record_id BETWEEN %s AND %s", bounds)
    return _enroll(batch, (chosen, params), in_range, about=about, again=again, finished=finished)


def enroll_ids(batch: Batch, ids: Sequence[int], *, again: bool, finished: bool = False) -> int:
    """Enroll the records of these ids that are live (record pkey); see `_enroll`."""
    of_these, params = sql.in_ids("r.id", ids)
    chosen = f"SELECT r.id FROM associations_record r WHERE r.archived_at IS NULL AND {of_these}"
    among = sql.in_ids("e.record_id", ids)
    return _enroll(batch, (chosen, params), among, about=len(ids), again=again, finished=finished)


def _enroll(
    batch: Batch, chosen: sql.Statement, among: sql.Statement, *, about: int, again: bool, finished: bool
) -> int:
    """Enroll records in the workflow of a batch, none twice at a time (enrolled_once_at_a_time); how many.

    `chosen` is a SELECT of about so many ids, `among` a condition that holds of their enrollments. They are held, so
    that none is deleted meanwhile. `again`: also those that were enrolled before and are not now. Of two workers that
    enroll the same record at once the constraint lets one: both count the same ordinal. `finished`: written in the
    state in which they leave the transaction, for all their actions come next. Whom an undone run enrolled counts as
    never enrolled by it.
    """
    counts = f"e.state = '{Enrollment.State.ACTIVE}'" if again else "true"
    workflow_id = batch.run.workflow_id
    sql.hold_ends([batch.run.workflow.object_type_id])
    # What was there is read once, before the first row is written, and not looked up for each record: for a table that
    # was empty a moment ago the planner would walk through all that this statement itself has written.
    return sql.insert_unless_there(
        "INSERT INTO workflows_enrollment (workflow_id, record_id, ordinal, batch_id, state, enrolled_at, ended_at)"
        f" SELECT %s, chosen.id, coalesce(was.times, 0), %s, {_state(finished=finished)}"
        f" FROM ({chosen[0]}) AS chosen LEFT JOIN (SELECT e.record_id, count(e.ordinal) AS times,"
        f" sum(CASE WHEN {counts} AND e.ordinal IS NOT NULL AND e.batch_id NOT IN (SELECT b.id FROM workflows_batch b"
        "  JOIN workflows_run u ON u.id = b.run_id WHERE u.workflow_id = %s AND u.undone_at IS NOT NULL)"
        " THEN 1 ELSE 0 END) AS counting"
        f" FROM workflows_enrollment e WHERE e.workflow_id = %s AND {among[0]} GROUP BY e.record_id) AS was"
        " ON was.record_id = chosen.id WHERE coalesce(was.counting, 0) = 0 ORDER BY chosen.id",
        [workflow_id, batch.pk, *chosen[1], workflow_id, workflow_id, *among[1]],
        about=about,
    )


def look_again(batch: Batch, records: QuerySet[Record], *, finished: bool = False) -> int:
    """Have enrolled records in a batch once more, which is no enrollment: their ordinal is null. Their
    object type is held, so that none is deleted meanwhile. `finished` as above."""
    sql.hold_ends([batch.run.workflow.object_type_id])
    chosen, params = sql.compiled(records.order_by().values("id"))
    return sql.execute(
        "INSERT INTO workflows_enrollment (workflow_id, record_id, ordinal, batch_id, state, enrolled_at, ended_at)"
        f" SELECT %s, chosen.id, NULL, %s, {_state(finished=finished)} FROM ({chosen}) AS chosen",
        [batch.run.workflow_id, batch.pk, *params],
    )


def _state(*, finished: bool) -> str:
    """State, beginning and end of an enrollment that is written now."""
    state = Enrollment.State.FINISHED if finished else Enrollment.State.ACTIVE
    return f"'{state}', CURRENT_TIMESTAMP, {'CURRENT_TIMESTAMP' if finished else 'NULL'}"


def share_sync(workflow_id: int) -> None:
    """Begin a sync action: from here on whoever looks at what happened waits for its end."""
    sql.lock_shared(_SYNC, workflow_id, exclusive=False)


def wait_for_sync(workflow_id: int) -> None:
    """Wait for the sync actions of a workflow that are at work: what they have associated is seen from here on, and
    those that begin later see the values that the caller sees."""
    sql.lock_shared(_SYNC, workflow_id, exclusive=True)


def know_young_tables() -> None:
    """Have PostgreSQL look at the tables of a run that have grown from nothing since anybody looked.

    Autovacuum comes by once a minute. Until then the planner takes every index of such a table for as good as any
    other, and reads hundreds of rows by one of them to find a single one.
    """
    if not sql.is_postgresql() or connection.in_atomic_block:
        return
    models = (Association, AssociationClaim, FormerAssociation, Enrollment, ActionOutcome)
    grown = sql.fetch(
        "SELECT relname FROM pg_class WHERE oid = ANY(%s::text[]::regclass[]) AND reltuples <= 0"
        " AND pg_relation_size(oid) > 0",
        [[model._meta.db_table for model in models]],
    )
    for (name,) in grown:
        sql.look_at(name)


def write_left_pairs(part: UndoPart) -> None:
    """List the pairs that an undo leaves alone (see associations.sql.reversing)."""
    sql.execute(
        "INSERT INTO workflows_leftpair (part_id, source_id, target_id, reason, change_set_id)"
        " SELECT %s, first_id, second_id, reason, by_id FROM reversed_pair WHERE reason IS NOT NULL",
        [part.pk],
    )


def without_waiting() -> list[sql.Statement]:
    """Do not wait for the disk at this transaction's end. Only for one that is done again if the machine loses it:
    the log keeps its order, so the next commit that waits writes this one down as well, or neither is there.
    """
    return [("SET LOCAL synchronous_commit TO off", ())] if sql.is_postgresql() else []


def commit_without_waiting() -> None:
    sql.send(*without_waiting())


def begin_action(*, is_large: bool) -> None:
    """Do not wait for the disk, as above; and for a large batch look associations up by an index while their table is
    small.

    A small table PostgreSQL reads whole, for each of 10,000 records. If another worker fills it meanwhile, that takes
    as many seconds as it should take milliseconds.
    """
    if not (is_large and sql.locks_records()):  # a rehearsal's transaction goes on after the action
        commit_without_waiting()
        return
    sql.fetch(
        "SELECT set_config('synchronous_commit', 'off', true),"
        f" CASE WHEN relpages < {_SMALL:d} THEN set_config('enable_seqscan', 'off', true) END"
        " FROM pg_class WHERE oid = %s::text::regclass",
        [Association._meta.db_table],
    )


def finish_action_run(action_run: ActionRun) -> None:
    """Write what an action that is done has changed, and what came of it (action run pkey)."""
    sql.send(
        (
            "UPDATE workflows_actionrun SET change_set_id = %s, outcomes = %s, finished_at = %s WHERE id = %s",
            [
                action_run.change_set_id,
                json.dumps(action_run.outcomes),
                connection.ops.adapt_datetimefield_value(action_run.finished_at),
                action_run.pk,
            ],
        )
    )


def close_run(run_id: int) -> None:
    """Close a run at work of which no batch waits any more (batch by run)."""
    of_run = f"SELECT 1 FROM workflows_batch b WHERE b.run_id = {run_id:d} AND b.state"
    sql.execute(
        f"UPDATE workflows_run SET finished_at = %s, state = CASE WHEN EXISTS ({of_run} = '{Batch.State.FAILED}')"
        f" THEN '{Run.State.FAILED}' ELSE '{Run.State.FINISHED}' END WHERE id = {run_id:d}"
        f" AND state = '{Run.State.RUNNING}' AND NOT EXISTS ({of_run} = '{Batch.State.WAITING}')",
        [connection.ops.adapt_datetimefield_value(timezone.now())],
    )
