"""Statements on their way to the database: one alone, or several in one message.

To a single record messages are more than what is in them. PostgreSQL takes several statements at once, one after the
other, each seeing what is committed when it begins; SQLite, which is no message away, gets them one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from itertools import chain
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, models

Params = Sequence[Any]
Row = tuple[Any, ...]
Statement = tuple[str, Params]
# What goes out along with the next statement; None where each goes out at once.
_waiting: ContextVar[list[Statement] | None] = ContextVar("waiting", default=None)


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def execute(statement: str, params: Params = ()) -> int:
    """Run one statement and say how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return max(cursor.rowcount, 0)


def fetch(statement: str, params: Params = ()) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def together(*statements: Statement) -> list[list[Row]]:
    """Run statements one after the other, in one message; the rows that each gives."""
    if not statements:
        return []
    if not is_postgresql():
        return [_fetch_any(statement, params) for statement, params in statements]
    with connection.cursor() as cursor:
        cursor.execute(*_joined(statements))
        rows = [_rows(cursor)]
        while cursor.nextset():
            rows.append(_rows(cursor))
        return rows


def send(*statements: Statement) -> None:
    """Run statements of which nobody waits for an answer: at once, or `gathering` along with what comes next."""
    waiting = _waiting.get()
    if waiting is None:
        together(*statements)
    else:
        waiting += statements


@contextmanager
def gathering() -> Iterator[None]:
    """Within the block, which lies in a transaction, what is said by `send` goes out in one message with the next
    statement, whoever runs that, or at the end: in the order in which it was said. If it fails, it fails there."""
    if not is_postgresql():
        yield
        return
    waiting: list[Statement] = []
    token = _waiting.set(waiting)
    try:
        with connection.execute_wrapper(partial(_behind, waiting)):
            yield
            together(*_taken(waiting))
    finally:
        _waiting.reset(token)


def copy(into: str, types: Sequence[str], rows: Iterable[Row]) -> None:
    """Have PostgreSQL take in rows of these types: as arrays they would be written out as text and read again."""
    together(*_taken(_waiting.get() or []))  # which a copy would overtake
    statement = f"COPY {into} FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copying:
        copying.set_types(types)
        for row in rows:
            copying.write_row(row)


def _behind(
    waiting: list[Statement],
    run: Callable[..., Any],
    statement: str,
    params: Params | None,
    many: bool,
    context: dict[str, Any],
) -> Any:
    """Run a statement behind what waits, by its own cursor, which then stands at its answer."""
    before, cursor = _taken(waiting), context["cursor"]
    if not before:
        return run(statement, params, many, context)
    if many or hasattr(cursor, "name"):  # a cursor with a name is declared by a message of its own
        together(*before)
        return run(statement, params, many, context)
    last = (statement.replace("%", "%%"), ()) if params is None else (statement, params)
    run(*_joined([*before, last]), many, context)
    for _ in before:
        cursor.nextset()
    return None


def _taken(waiting: list[Statement]) -> list[Statement]:
    taken, waiting[:] = waiting[:], []
    return taken


def _joined(statements: Sequence[Statement]) -> tuple[str, list[Any]]:
    texts, params = zip(*statements, strict=True)
    return "; ".join(texts), list(chain.from_iterable(params))


def _fetch_any(statement: str, params: Params) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return _rows(cursor)


def _rows(cursor: Any) -> list[Row]:
    return cursor.fetchall() if cursor.description else []


# Rows of models ---------------------------------------------------------------------------------


def insert(*rows: models.Model) -> None:
    """Write new rows as `save` does, in one message and with nothing compiled anew; each gets its id. One may refer to
    the one before it, which has none yet."""
    statements: list[Statement] = []
    for row in rows:
        text, fields = _insert_into(type(row))
        values, params = [], list[Any]()
        for field in fields:
            if _is_without_id(row, field):
                values.append(last_id(field.related_model))
            else:
                values.append("%s")
                params.append(field.get_db_prep_save(field.pre_save(row, add=True), connection))
        statements.append((f"{text} VALUES ({', '.join(values)}) RETURNING id", params))
    for row, [(id_,)] in zip(rows, together(*statements), strict=True):
        for field in _insert_into(type(row))[1]:
            if _is_without_id(row, field):
                setattr(row, field.name, getattr(row, field.name))  # which takes its id over
        row.pk = id_
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def _insert_into(model: type[models.Model]) -> tuple[str, list[Any]]:
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
    return f"INSERT INTO {model._meta.db_table} ({', '.join(str(field.column) for field in fields)})", fields


def _is_without_id(row: models.Model, field: Any) -> bool:
    """Whether a row refers by this field to one that was made, and had no id then."""
    return bool(field.is_relation and getattr(row, field.attname) is None and getattr(row, field.name) is not None)


def last_id(model: type[models.Model]) -> str:
    """The id that was given to the last row that this transaction has written of a model."""
    if is_postgresql():
        return f"currval('{_sequence_of(model)}')"
    return f"(SELECT max(id) FROM {model._meta.db_table})"


def new_ids(model: type[models.Model], count: int) -> Statement:
    """Sets ids aside for so many rows, which the transaction then writes: what refers to them can go out with them."""
    if is_postgresql():
        return f"SELECT nextval('{_sequence_of(model)}') FROM generate_series(1, %s)", [count]
    return (
        "WITH RECURSIVE place (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM place LIMIT %s)"
        f" SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{model._meta.db_table}'), 0)"
        " + number FROM place",
        [count],
    )


def _sequence_of(model: type[models.Model]) -> str:
    """As PostgreSQL calls what numbers a column; to ask it each time takes longer than the number itself."""
    return f"{model._meta.db_table}_id_seq"
