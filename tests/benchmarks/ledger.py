"""`why`, with a ledger as years leave it: associations that came and went again, by many change sets. What was before
is written past the services, by bare INSERT … SELECT."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from statistics import median, quantiles

from django.db import connection

from associations.models import Association, Record
from workflows.services import why

from . import floors
from .report import Report

PAIRS = 200

# How many rows of the ledger there are for a record: at a million contacts, ten million.
ROWS_PER_RECORD = 10
# The changes that they are of: half by runs of workflows, half by people.
CHANGES = 100_000


def measure_why(report: Report) -> None:
    """Of pairs from all over the ledger, and of those of the company with the most associations, from either side."""
    rows = fill(report.records * ROWS_PER_RECORD)
    dice, most = random.Random(2), floors.count("SELECT max(source_id) FROM associations_association")
    crowded, count = _crowded()
    anywhere = (
        Association.objects.filter(source_id__gte=dice.randint(0, most)).order_by("source_id") for _ in range(PAIRS)
    )
    of_one = Association.objects.filter(target=crowded).order_by("source_id", "type_id")
    times = _times((each[0] for each in anywhere), dice)
    report.add("why of a pair, p50", median(times), "ms", note=f"{rows:,} rows in the ledger")
    report.add("why of a pair, p95", quantiles(times, n=20)[18], "ms")
    times = _times(of_one[:PAIRS], dice)
    report.add(
        "why of a pair of the largest company, p95", quantiles(times, n=20)[18], "ms", note=f"{count:,} rows of it"
    )


def _crowded() -> tuple[int, int]:
    """The record that most association rows lead to, and how many."""
    by_target = "FROM associations_association GROUP BY target_id ORDER BY count(*) DESC LIMIT 1"
    return floors.count(f"SELECT target_id {by_target}"), floors.count(f"SELECT count(*) {by_target}")


def _times(rows: Iterable[Association], dice: random.Random) -> list[float]:
    """Milliseconds for the two records of each of these rows."""
    records, times = Record.objects.select_related("object_type"), []
    for row in rows:
        pair = [records.get(pk=row.source_id), records.get(pk=row.target_id)]
        dice.shuffle(pair)
        start = time.monotonic()
        assert why.of_pair(*pair).there
        times.append((time.monotonic() - start) * 1000)
    return times


def fill(rows: int) -> int:
    """Have the associations that there are come and go so often before that the ledger has so many rows; how many it
    has then. One that went is two rows: it came and it went."""
    there = floors.count("SELECT count(*) FROM associations_association")
    wanted = (rows - floors.count("SELECT count(*) FROM associations_associationchange")) // 2
    if wanted > 0 and there:
        first = _change_sets()
        for cycle in range(1, wanted // there + 2):
            _come_and_go(first, cycle, min(there, wanted - (cycle - 1) * there))
    floors.settle()
    return floors.count("SELECT count(*) FROM associations_associationchange")


def _change_sets() -> int:
    """The change sets of what came and went; the id of the first."""
    first = floors.count("SELECT max(id) + 1 FROM associations_changeset")
    runs = "(SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM workflows_actionrun)"
    count = floors.count("SELECT count(*) FROM workflows_actionrun")
    floors.execute(
        "INSERT INTO associations_changeset (id, at, source, source_id, note, depth, processed_at)"
        " WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers"
        f" WHERE n < {CHANGES - 1:d})"
        f" SELECT {first:d} + n, CURRENT_TIMESTAMP, CASE n % 2 WHEN 0 THEN 'workflow' ELSE 'user' END, r.id, '', 0,"
        f" CURRENT_TIMESTAMP FROM numbers LEFT JOIN {runs} r ON n % 2 = 0 AND r.place = n / 2 % {count:d}"
    )
    if connection.vendor == "postgresql":
        floors.execute(f"SELECT setval(pg_get_serial_sequence('associations_changeset', 'id'), {first + CHANGES:d})")
    return first


def _come_and_go(first: int, cycle: int, most: int) -> None:
    """So many of the associations came by one of the change sets and went by a later one, once."""
    came = f"{first:d} + (source_id * 31 + target_id * 17 + {cycle:d} * 1009) % {CHANGES // 2:d}"
    floors.execute(
        "INSERT INTO associations_formerassociation (source_id, target_id, type_id, added_by_id, removed_by_id,"
        " source_value, target_value)"
        f" SELECT source_id, target_id, type_id, {came}, {came} + {cycle:d} * {CHANGES // 20:d}, source_value,"
        f" target_value FROM associations_association LIMIT {most:d}"
    )
