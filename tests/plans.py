"""How PostgreSQL would do what a piece of code asks, for tests that no page reads more than it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans are PostgreSQL's")


@contextmanager
def plans() -> Iterator[list[str]]:
    """The plans of the SELECTs that the block sends, in their order, once it has ended.

    Tables are small in tests and would be read whole; so this is avoided wherever there is another way. A plan that
    reads one whole all the same has no index for it.
    """
    found: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield found
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in queries.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN {query['sql']}")
                found.append("\n".join(row for (row,) in cursor.fetchall()))
        cursor.execute("SET LOCAL enable_seqscan = on")


def read_whole(plan: str) -> set[str]:
    """The tables that a plan reads from their first row to their last."""
    return set(re.findall(r"Seq Scan on (\w+)", plan))
