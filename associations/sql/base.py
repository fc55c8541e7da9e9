"""What statements are made of: the differences between the two databases, conditions on ids, and locks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, models, transaction
from django.db.models import Exists, F, Value
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Exact, In
from django.db.models.sql.compiler import SQLCompiler

from .messages import Params, Statement, execute, fetch, is_postgresql, send

SOME_CLAIMED = "EXISTS (SELECT 1 FROM associations_associationclaim)"
# Advisory locks of an object type: of what its records must be like, and of what associations refer to.
_SCHEMA, _ENDS = 7_031, 7_032
# From so many rows on two statements more are less than what ON CONFLICT takes.
MANY = 1_000
# As many ids as an API request may name.
WRITTEN_OUT = 1_000
# So many values SQLite takes one by one without ado.
FEW = 500
_holds_nobody_up: ContextVar[bool] = ContextVar("holds_nobody_up", default=False)


def then_join() -> str:
    """A JOIN that comes after what is written before it: SQLite, without statistics, may turn the order round and walk
    a whole batch for each of its rows. PostgreSQL knows better."""
    return "JOIN" if is_postgresql() else "CROSS JOIN"


def moment(value: Any) -> dt.datetime:
    """A moment as a raw statement gives it."""
    convert = getattr(connection.ops, "convert_datetimefield_value", None)  # where the database has no such type
    converted: dt.datetime = convert(value, None, connection) if convert else value
    return converted


def insert_unless_there(statement: str, params: Params, *, about: int) -> int:
    """Insert rows of which none was there a moment ago, `about` so many, but for those that somebody else is writing at
    this very moment; how many.

    Many are inserted in the hope that nobody is: for ON CONFLICT PostgreSQL looks for each row, writes it as a promise
    and confirms it, a third to a half of the whole. Where the hope fails all is taken back, and done in that way.
    """
    if is_postgresql() and about >= MANY:
        try:
            with transaction.atomic():
                return execute(statement, params)
        except IntegrityError:
            pass
    return execute(f"{statement} ON CONFLICT DO NOTHING", params)


def compiled(queryset: models.QuerySet[Any, Any]) -> tuple[str, Params]:
    """The SELECT that the ORM would send, to be wrapped in a larger statement; also one that can find nothing."""
    return queryset.query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False).as_sql()


def json_text(column: str, name: str) -> tuple[str, list[str]]:
    """An expression for a property's value as text, and its parameters."""
    if is_postgresql():
        return f"{column}->>%s", [name]
    path = f'$."{name}"'
    # json_extract makes 1 and 0 of true and false.
    yes_or_no = f"CASE json_type({column}, %s) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
    return f"{yes_or_no} ELSE json_extract({column}, %s) END", [path, path]


def in_ids(column: str, ids: Sequence[int]) -> tuple[str, Params]:
    """A condition on any number of ids. Few of them SQLite is told one by one: through a view it looks up a list by an
    index, and for a subselect reads all there is."""
    if is_postgresql():
        return f"{column} = ANY(%s)", [list(ids)]
    if len(ids) <= FEW:
        return f"{column} IN ({marks(ids)})", list(ids)
    return f"{column} IN (SELECT value FROM json_each(%s))", [json.dumps(list(ids))]


def these(ids: Iterable[int]) -> list[int] | RawSQL:
    """Any number of ids for the ORM's `in`: SQLite has at most 32,766 parameters in a statement. So many are
    WRITTEN_OUT: through a view either database looks them up by an index then, and for a subselect it reads all there
    is."""
    ids = list(ids)
    if len(ids) <= WRITTEN_OUT:
        return ids
    if is_postgresql():
        return RawSQL("SELECT unnest(%s::bigint[])", [ids])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(ids)])


class InArray(In):
    """`in` a subquery that is answered first: PostgreSQL then finds the rows by their key. By `in` it may read a whole
    table and ask of each row whether it is among them, where it expects many of them, as in a young table."""

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Params]:
        column, params = self.process_lhs(compiler, connection)
        rows, more = self.process_rhs(compiler, connection)
        return f"{column} = ANY(ARRAY{rows})", [*params, *more]


def go_by_indexes() -> None:
    """From here on, in this transaction, read no table whole that has an index: for few rows of large tables. While a
    table grows quicker than PostgreSQL comes to know it, it takes it for small."""
    if is_postgresql():
        send(("SET LOCAL enable_seqscan TO off", ()))


def go_as_planned() -> None:
    """No longer."""
    if is_postgresql():
        send(("SET LOCAL enable_seqscan TO DEFAULT", ()))


def unindexed(column: str, value: int) -> models.Q:
    """Whether a column has a value, for a condition that has no say in how rows are found. Of an object type or a
    workflow that has just begun PostgreSQL may expect a row or two, and read all that have come since."""
    return models.Q(Exact(F(column) + 0, Value(value)))


def each_asked(condition: models.Q) -> models.Q:
    """The same condition, each `Exists` in it asked for one row after the other. By itself PostgreSQL may answer it for
    all rows at once, by reading all that it names, however few rows there are; one with an OFFSET it leaves alone."""

    def part(given: Any) -> Any:
        if isinstance(given, models.Q):
            return each_asked(given)
        if isinstance(given, Exists):
            given = given.copy()
            given.extra = {"template": "EXISTS(%(subquery)s OFFSET 0)"}
        return given

    return models.Q(*map(part, condition.children), _connector=condition.connector, _negated=condition.negated)


def look_at(table: str) -> None:
    """Have PostgreSQL's planner know a table that has just grown; autovacuum comes by once a minute. Not within a
    transaction, which would keep others from doing so until its end."""
    if is_postgresql() and not connection.in_atomic_block:
        execute(f"ANALYZE (SKIP_LOCKED) {table}")


def analyze(table: str) -> None:
    """Have PostgreSQL's planner know a temporary table, which nobody else looks at: with its columns in brackets only
    these."""
    if is_postgresql():
        execute(f"ANALYZE {table}")


def marks(values: Sequence[Any]) -> str:
    """As many placeholders as there are values."""
    return ", ".join(["%s"] * len(values))


@contextmanager
def holding_nobody_up() -> Iterator[None]:
    """Records are not locked within the block: for what is rolled back, so that nobody waits for it."""
    token = _holds_nobody_up.set(True)
    try:
        yield
    finally:
        _holds_nobody_up.reset(token)


def locks_records() -> bool:
    """Whether records are to be locked before they are associated. SQLite has one writer at a time anyway."""
    return is_postgresql() and not _holds_nobody_up.get()


def hold_ends(object_type_ids: Iterable[int]) -> None:
    """Keep what associations of some object types refer to, records and labels, until the transaction ends: nobody
    archives, merges or deletes one of them meanwhile. Others may hold them, too.

    One lock for all of them, and not one a record, which would write each of a million rows once more. Whoever holds
    looks afterwards what is there. In id order, as everybody takes them.
    """
    if locks_records():
        _lock(_ENDS, object_type_ids, exclusive=False)


def lock_ends(object_type_ids: Iterable[int]) -> None:
    """Have nobody associate records of some object types, or put labels on them, until the transaction ends: to be
    said before records or labels go away. Waits for those who hold them, a batch of a workflow at most."""
    if is_postgresql():
        _lock(_ENDS, object_type_ids, exclusive=True)


def type_exists(type_id: int) -> tuple[bool, bool]:
    """Whether an association type is there (type pkey), and whether anybody claims any association: asked here, so that
    it costs no statement where nobody does."""
    [found] = fetch(
        f"SELECT count(*), {SOME_CLAIMED} FROM associations_associationtype WHERE id = %s",
        [type_id],
    )
    return bool(found[0]), bool(found[1])


def lock_shared(space: int, number: int, *, exclusive: bool) -> None:
    """Until the transaction ends: those who share a number go on side by side, whoever has it alone waits for them all.

    What is rehearsed takes part in none of it; SQLite has one writer at a time anyway.
    """
    if locks_records():
        _lock(space, [number], exclusive=exclusive)


def lock_object_type(object_type_id: int, *, exclusive: bool) -> None:
    """Until the transaction ends: writers of records share it, a change of what they must write excludes them.

    SQLite has one writer at a time anyway.
    """
    send(*lock_of_object_type(object_type_id, exclusive=exclusive))


def lock_of_object_type(object_type_id: int, *, exclusive: bool) -> list[Statement]:
    """The same as a statement, to be sent together with what is asked once it is held; none on SQLite."""
    mode = "" if exclusive else "_shared"
    lock = f"SELECT pg_advisory_xact_lock{mode}(%s, %s)", [_SCHEMA, object_type_id]
    return [lock] if is_postgresql() else []


def _lock(space: int, numbers: Iterable[int], *, exclusive: bool) -> None:
    """Advisory locks until the transaction ends, in the order of their numbers."""
    lock = f"SELECT pg_advisory_xact_lock{'' if exclusive else '_shared'}(%s, id) FROM unnest(%s::int[]) AS id"
    send((lock, [space, sorted(set(numbers))]))
