"""Read the outbox: take change sets, say which ones filters are to look at, and what they are about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from associations import sql

from .running import without_waiting

# On PostgreSQL the ids of the claimed change sets stand in this setting of the transaction, from which a view reads
# them (migration 0011). A temporary table would have to be emptied, filled, analyzed and emptied again.
_SETTING = "crm.claimed"


class TakenChangeSet(NamedTuple):
    id: int
    at: dt.datetime
    source: str
    depth: int


@dataclass(frozen=True)
class Happened:
    """What change sets are about, in few words: enough to know who need not be asked."""

    kinds: dict[int, frozenset[str]]  # what happened to records, by object type id (RecordEvent.Kind)
    to_associations: bool

    def is_kind(self, kind: str) -> bool:
        return any(kind in kinds for kinds in self.kinds.values())


class Look(NamedTuple):
    """What a look at the outbox begins with."""

    taken: list[TakenChangeSet]
    happened: Happened
    version: tuple[str, ...]  # of the schema
    of_live: tuple[str, ...]  # another one after every change of a workflow that is on


def begin_look(most: int) -> Look:
    """Begin the transaction of a look at the outbox, for whose end nobody waits (see begin_action). Take the oldest
    change sets, up to `most`, that nobody has processed or is at (change set outbox; workflow pkey): they are processed
    if it comes to its end, and claimed. Who turns a workflow on waits for it from here on.
    """
    oldest = f"SELECT id FROM associations_changeset WHERE processed_at IS NULL ORDER BY id LIMIT {most:d}"
    # As an array PostgreSQL reads them once; joined it may do so for each row, and find others each time.
    these = f"= ANY(ARRAY({oldest} FOR UPDATE SKIP LOCKED))" if sql.is_postgresql() else f"IN ({oldest})"
    taking = f"UPDATE associations_changeset SET processed_at = %s WHERE id {these} RETURNING id, at, source, depth"
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    live = "count(*), sum(id), sum(edits), sum(revision_id), sum(since_change_set), max(updated_at)"
    versions: list[sql.Statement] = [
        (sql.SCHEMA_VERSION, ()),
        (f"SELECT {live} FROM workflows_workflow WHERE is_enabled", ()),
    ]
    if sql.is_postgresql():
        claiming = f"set_config('{_SETTING}', (array_agg(id) OVER ())::text, true)"
        taking = f"WITH taken AS ({taking}) SELECT *, CASE WHEN row_number() OVER () = 1 THEN {claiming} END FROM taken"
        claimed = f"= ANY(nullif(current_setting('{_SETTING}', true), '')::bigint[])"
        rows, _, [version], [of_live], *happened = sql.together(
            (taking, [now]), *without_waiting(), *versions, *_what_happened(claimed, ())
        )
    else:
        rows, [version], [of_live] = sql.together((taking, [now]), *versions)
        ids = [id_ for id_, *_ in rows]
        claim(ids)
        happened = sql.together(*_what_happened(f"IN ({sql.marks(ids)})", ids))
    taken = sorted(TakenChangeSet(id_, sql.moment(at), source, depth) for id_, at, source, depth, *_ in rows)
    return Look(taken, _happened(*happened), tuple(map(str, version)), tuple(map(str, of_live)))


def count_waiting(most: int) -> int:
    """How many change sets there are that nobody has processed; `most` where there are more (change set outbox)."""
    waiting = f"SELECT 1 FROM associations_changeset WHERE processed_at IS NULL LIMIT {most:d}"
    [(count,)] = sql.fetch(f"SELECT count(*) FROM ({waiting}) AS waiting")
    return int(count)


def claim(change_set_ids: Sequence[int]) -> None:
    """Have these be the claimed change sets, which filters can then name without listing their ids."""
    if sql.is_postgresql():
        ids = ",".join(map(str, change_set_ids))
        sql.send((f"SELECT set_config('{_SETTING}', %s, true)", [f"{{{ids}}}"]))
        return
    chosen, params = sql.in_ids("id", change_set_ids)
    sql.send(
        ("CREATE TEMPORARY TABLE IF NOT EXISTS workflows_claimedchangeset (id bigint PRIMARY KEY)", ()),
        ("DELETE FROM workflows_claimedchangeset", ()),
        (f"INSERT INTO workflows_claimedchangeset SELECT id FROM associations_changeset WHERE {chosen}", params),
    )


def _what_happened(of_these: str, ids: sql.Params) -> list[sql.Statement]:
    """What sums up change sets, and whether the claimed ones did anything to associations (record event by change set;
    association by change set, former association by added_by and removed_by)."""
    # Each record by its key: joined, all of them may be read.
    of_type = "(SELECT r.object_type_id FROM associations_record r WHERE r.id = e.record_id)"
    kinds = f"SELECT DISTINCT {of_type}, e.kind FROM associations_recordevent e WHERE e.change_set_id {of_these}"
    # The first one from there on is always found by the index. Asked for any row of a change set, which most have none
    # of, the planner may expect to meet one soon and read the whole table.
    changes = " OR ".join(
        f"(SELECT min({column}) FROM associations_{table} WHERE {column} >= claimed.id) = claimed.id"
        for table, column in (
            ("association", "change_set_id"),
            ("formerassociation", "added_by_id"),
            ("formerassociation", "removed_by_id"),
        )
    )
    return [(kinds, ids), (f"SELECT EXISTS (SELECT 1 FROM workflows_claimedchangeset claimed WHERE {changes})", ())]


def _happened(rows: Sequence[tuple[Any, ...]], changes: Sequence[tuple[Any, ...]]) -> Happened:
    kinds: dict[int, set[str]] = {}
    for object_type_id, kind in rows:
        kinds.setdefault(object_type_id, set()).add(kind)
    [(to_associations,)] = changes
    return Happened({each: frozenset(of_type) for each, of_type in kinds.items()}, bool(to_associations))


def wait_for_open_change_sets() -> None:
    """Let every change that has begun come to its end, and none begin until the transaction ends.

    Numbers are given when a change begins, and it is seen when it ends: without this one with a lower number might
    still come to light after the highest number was read.
    """
    if sql.is_postgresql():
        sql.execute("LOCK TABLE associations_changeset IN SHARE MODE")
