"""A database that refuses to write some rows by itself. For tests of what then becomes of the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import connection

from associations.models import Record


def refused_by_the_database(record: Record) -> AbstractContextManager[None]:
    """Every association of this record fails, until the block ends."""
    return _refusing("associations_association", f"WHEN (NEW.source_id = {record.pk})", "this record is bad")


def cannot_be_enrolled(record: Record | None = None) -> AbstractContextManager[None]:
    """Every enrollment fails, or those of one record, until the block ends."""
    return _refusing("workflows_enrollment", f"WHEN (NEW.record_id = {record.pk})" if record else "", "no")


@contextmanager
def _refusing(table: str, when: str, why: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{why}'; END $$"
            )
            body = "EXECUTE FUNCTION refuse()"
        else:
            body = f"BEGIN SELECT RAISE(ABORT, '{why}'); END"
        cursor.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW {when} {body}")
    yield
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP TRIGGER refuse ON {table}")
            cursor.execute("DROP FUNCTION refuse()")
        else:
            cursor.execute("DROP TRIGGER refuse")
