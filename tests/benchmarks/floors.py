"""The least a database could do the same in: bare statements on tables with the same columns and the same indexes.

Every floor is taken beside what it is compared with, for a machine is not as quick at one moment as at the next.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

COLUMNS = "source_id, type_id, target_id, change_set_id, source_value, target_value"


def execute(statement: str) -> float:
    """Run a statement in a transaction of its own; the seconds until it is committed."""
    start = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    return time.monotonic() - start


def count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def settle() -> None:
    """Begin with what was done before written down and known to the planner."""
    if connection.vendor == "postgresql":
        execute("VACUUM ANALYZE")
        execute("CHECKPOINT")
    else:
        execute("ANALYZE")
        execute("PRAGMA wal_checkpoint(TRUNCATE)")


def keep_rows(condition: str = "true") -> int:
    """Keep the association rows of a condition aside, in the order of their key: what floors insert. How many."""
    execute("DROP TABLE IF EXISTS floor_rows")
    execute(
        f"CREATE TABLE floor_rows AS SELECT {COLUMNS} FROM associations_association WHERE {condition}"
        " ORDER BY source_id, type_id, target_id"
    )
    return count("SELECT count(*) FROM floor_rows")


def make_table(name: str, like: str = "associations_association", *, ledger: bool = True) -> None:
    """A table like another, with the same indexes; without `ledger` those of its history are left out."""
    execute(f"DROP TABLE IF EXISTS {name}")
    if connection.vendor == "postgresql":
        execute(f"CREATE TABLE {name} (LIKE {like} INCLUDING ALL)")
        if not ledger:
            execute(f"ALTER TABLE {name} DROP COLUMN change_set_id, DROP COLUMN source_value, DROP COLUMN target_value")
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT type, name, sql FROM sqlite_master WHERE tbl_name = '{like}'")
        made = [(kind, old, sql) for kind, old, sql in cursor.fetchall() if sql]
    for kind, old, sql in sorted(made, reverse=True):
        if kind == "table" or ledger or "change_set" not in sql:
            execute(sql.replace(old, f"{name}_{old}" if kind == "index" else name).replace(f'"{like}"', f'"{name}"'))


def insert() -> float:
    """The bare INSERT … SELECT of the kept rows."""
    make_table("floor_association")
    return execute(f"INSERT INTO floor_association ({COLUMNS}) SELECT {COLUMNS} FROM floor_rows")


def insert_without_ledger() -> float:
    make_table("floor_association", ledger=False)
    columns = "source_id, type_id, target_id"
    if connection.vendor != "postgresql":
        columns += ", change_set_id"  # its index is left out, the column itself cannot be
    return execute(f"INSERT INTO floor_association ({columns}) SELECT {columns} FROM floor_rows")


def insert_side_by_side(connections: int, batches: int) -> float:
    """The bare INSERT … SELECT of the kept rows, cut into as many transactions as a run has batches, by so many
    connections at once: what workers side by side can gain at most from this database."""
    make_table("floor_association")
    execute("CREATE INDEX IF NOT EXISTS floor_rows_by_source ON floor_rows (source_id)")
    first, last = (count(f"SELECT {end}(source_id) FROM floor_rows") for end in ("min", "max"))
    edges = [first + (last + 1 - first) * each // batches for each in range(batches + 1)]

    def work(number: int) -> None:
        if connection.vendor == "postgresql":  # as the workers do
            execute("SET synchronous_commit TO off")
        for batch in range(number, batches, connections):
            execute(
                f"INSERT INTO floor_association ({COLUMNS}) SELECT {COLUMNS} FROM floor_rows WHERE source_id"
                f" >= {edges[batch]} AND source_id < {edges[batch + 1]} ORDER BY source_id, type_id, target_id"
            )
        connection.close()

    start = time.monotonic()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(work, range(connections)))
    return time.monotonic() - start


CHOSEN = "(source_id, type_id, target_id) IN (SELECT source_id, type_id, target_id FROM floor_rows)"


def delete() -> float:
    """The bare DELETE of the kept rows from among all of them."""
    _fill_all()
    return execute(f"DELETE FROM floor_association WHERE {CHOSEN}")


def keep(run: int) -> float:
    """The bare INSERT … SELECTs, in one transaction, of the rows that a run has kept beside its associations: its
    enrollments and outcomes, and what it removed, which undo and why need."""
    batches = f"SELECT id FROM workflows_batch WHERE run_id = {run:d}"
    kept = (
        ("workflows_enrollment", f"batch_id IN ({batches})", "id"),
        (
            "workflows_actionoutcome",
            f"action_run_id IN (SELECT id FROM workflows_actionrun WHERE batch_id IN ({batches}))",
            "action_run_id, record_id, outcome",
        ),
        (
            "associations_formerassociation",
            f"removed_by_id IN (SELECT change_set_id FROM workflows_actionrun WHERE batch_id IN ({batches}))",
            "source_id, target_id, type_id, removed_by_id",
        ),
    )
    for number, (table, condition, order) in enumerate(kept):
        execute(f"DROP TABLE IF EXISTS floor_kept_{number}")
        execute(f"CREATE TABLE floor_kept_{number} AS SELECT * FROM {table} WHERE {condition} ORDER BY {order}")
        make_table(f"floor_into_{number}", table)
    start = time.monotonic()
    with transaction.atomic():
        for number in range(len(kept)):
            execute(f"INSERT INTO floor_into_{number} SELECT * FROM floor_kept_{number}")
    return time.monotonic() - start


def _fill_all() -> None:
    make_table("floor_association")
    for table in ("associations_association", "floor_rows"):
        execute(
            f"INSERT INTO floor_association ({COLUMNS}) SELECT {COLUMNS} FROM {table} WHERE true ON CONFLICT DO NOTHING"
        )
    settle()


def drop() -> None:
    for name in ("association", "rows", *(f"{part}_{number}" for part in ("kept", "into") for number in range(3))):
        execute(f"DROP TABLE IF EXISTS floor_{name}")
