"""A bad record: the database itself refuses its associations. For tests of what then becomes of the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from associations.models import Record


@contextmanager
def refused_by_the_database(record: Record) -> Iterator[None]:
    """Every association of this record fails, until the block ends."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
                " AS $$ BEGIN RAISE EXCEPTION 'this record is bad'; END $$"
            )
            body = "EXECUTE FUNCTION refuse()"
        else:
            body = "BEGIN SELECT RAISE(ABORT, 'this record is bad'); END"
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON associations_association FOR EACH ROW"
            f" WHEN (NEW.source_id = {record.pk}) {body}"
        )
    yield
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP TRIGGER refuse ON associations_association")
            cursor.execute("DROP FUNCTION refuse()")
        else:
            cursor.execute("DROP TRIGGER refuse")
