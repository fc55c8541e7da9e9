"""What a database reads for what a piece of code asks, for tests that no page reads more than it shows."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans are PostgreSQL's")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by how much there is")


@contextmanager
def plans() -> Iterator[list[dict[str, Any]]]:
    """The plans of the SELECTs that the block sends, carried out, in their order; filled when the block has ended.

    Tables are small in tests and would be read whole; so this is avoided wherever there is another way. What is read
    whole all the same has no index for it.
    """
    found: list[dict[str, Any]] = []
    with CaptureQueriesContext(connection) as queries:
        yield found
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in queries.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
                answer = cursor.fetchone()[0]
                found.append((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"])
        cursor.execute("SET LOCAL enable_seqscan = on")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def read_whole(plan: dict[str, Any]) -> set[str]:
    """The tables that a plan reads from their first row to their last."""
    return {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def indexes(plan: dict[str, Any]) -> set[str]:
    return {node["Index Name"] for node in nodes(plan) if "Index Name" in node}


def times_read_whole(table: str) -> int:
    """How often this connection has read a table from its first row to its last, as far as it has not told the server
    yet, which it does between transactions: to be compared within one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_xact_numscans(%s::regclass)", [table])
        return int(cursor.fetchone()[0])


def rows_fetched() -> Counter[str]:
    """How many rows of each table this connection has read, as far as it has not told the server yet: to be compared
    within one transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables")
        return Counter(dict(cursor.fetchall()))


def rows_read(plan: dict[str, Any]) -> Counter[str]:
    """How many rows a plan has read, by table, or by index where only that was read, those left out included."""
    read: Counter[str] = Counter()
    for node in nodes(plan):
        if name := node.get("Relation Name") or node.get("Index Name"):
            left_out = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
            rows = node["Actual Rows"] + sum(node.get(each, 0) for each in left_out)
            read[name] += round(rows * node["Actual Loops"])
    return read


@contextmanager
def walks() -> Iterator[set[str]]:
    """The tables that SQLite walks through, or through an index of, from one end to the other for what the block sends;
    filled when the block has ended. It plans without knowing how much there is, so it would do so at any size."""
    found: set[str] = set()
    with CaptureQueriesContext(connection) as queries:
        yield found
    for query in queries.captured_queries:
        statement = query["sql"]
        if not statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) or " IN ()" in statement:
            continue
        named = re.findall(r'"?([a-z]+_[a-z]+)"?(?: AS)? "?(\w+)"?', statement)
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            steps = [str(row[3]).split() for row in cursor.fetchall()]
        walked = {step[1] for step in steps if step[0] == "SCAN"}
        # One alias may stand for several tables, in subselects beside one another: then it counts for all of them.
        found |= walked | {table for table, alias in named if alias in walked}
