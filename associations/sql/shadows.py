"""Shadows: temporary tables that stand before real ones until the transaction is rolled back.

An unqualified name finds a temporary table before the real one, on SQLite as on PostgreSQL. So whatever is done
behind a shadow, by the ORM or by a raw statement, is done to the shadow: no row of others is written or locked,
however long it takes. Called by workflows.services.rehearsal, whose transaction never commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, models

from associations.models import Association, AssociationChange, AssociationClaim, AssociationEnd, FormerAssociation

from .base import analyze
from .messages import Params, execute, fetch, is_postgresql

_FOREIGN_KEY = re.compile(r' REFERENCES "\w+" \("\w+"\)(?: DEFERRABLE INITIALLY DEFERRED)?')


@contextmanager
def only_reading() -> Iterator[None]:
    """Transactions begun within the block do not take SQLite's one place for a writer."""
    if is_postgresql():
        yield
        return
    mode = connection.transaction_mode  # type: ignore[attr-defined]
    connection.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]
    try:
        yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]


def stand_before(model: type[models.Model], kept: str = "false", params: Params = ()) -> None:
    """Put a shadow before a model's table, with the same constraints but no foreign keys, and those of its rows that
    are `kept`. Ids go on after the last real one."""
    table, real = model._meta.db_table, f"{_schema()}.{model._meta.db_table}"
    if is_postgresql():
        execute(f"CREATE TEMPORARY TABLE {table} (LIKE {real} INCLUDING ALL) ON COMMIT DROP")
    else:
        for (made,) in fetch(
            "SELECT sql FROM main.sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL ORDER BY type DESC", [table]
        ):
            execute(_FOREIGN_KEY.sub("", made).replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1))
    if kept != "false":
        execute(f"INSERT INTO {table} SELECT * FROM {real} AS it WHERE {kept}", params)
    if model._meta.auto_field:
        _go_on_after(table, int(fetch(f"SELECT coalesce(max(id), 0) FROM {real}")[0][0]))
    analyze(table)


def stand_before_associations(type_ids: Sequence[int]) -> None:
    """Put shadows before the associations of some types, what was there of them, and the views on both. Associations of
    other types are read as they are; the ledger is that of what is done behind the shadows."""
    ids = ", ".join(f"{id_:d}" for id_ in type_ids)
    # Asked before there is a shadow, they name the tables as the shadows are called.
    ends, ledger = (_select_of(view) for view in (AssociationEnd, AssociationChange))
    stand_before(Association, f"type_id IN ({ids})")
    stand_before(FormerAssociation)
    stand_before(AssociationClaim, f"type_id IN ({ids})")
    view = AssociationEnd._meta.db_table
    others = f"SELECT * FROM {_schema()}.{view} WHERE association_type_id NOT IN ({ids})"
    execute(f"CREATE TEMPORARY VIEW {view} AS {ends} UNION ALL {others}")
    execute(f"CREATE TEMPORARY VIEW {AssociationChange._meta.db_table} AS {ledger}")


def _select_of(view: type[models.Model]) -> str:
    name = view._meta.db_table
    if is_postgresql():
        return str(fetch("SELECT pg_get_viewdef(%s::regclass)", [name])[0][0]).rstrip(";")
    made = fetch("SELECT sql FROM main.sqlite_master WHERE name = %s", [name])[0][0]
    return str(made).partition(" AS")[2]


def _schema() -> str:
    return str(fetch("SELECT current_schema()")[0][0]) if is_postgresql() else "main"


def _go_on_after(table: str, last: int) -> None:
    if is_postgresql():
        execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {last + 1:d}")
    else:
        execute("DELETE FROM temp.sqlite_sequence WHERE name = %s", [table])
        execute("INSERT INTO temp.sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
