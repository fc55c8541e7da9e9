"""The parts of the benchmark, one after the other, each on a fresh database."""

from __future__ import annotations

import os

import django_rq
import environ
from django.core.management import call_command
from django.db import connection, connections

from . import asking, backfills, changes, ledger, load
from .parts import GROUPS
from .report import Report

SMALLEST = 10_000


def everything(report: Report, urls: list[str]) -> None:
    """Measure what the report has chosen, on databases at these three urls."""
    records, chosen, each = report.records, report.chosen, dict[int, float]()
    small = max(records // 10, SMALLEST)

    def backfills_of(url: str, size: int) -> None:
        fresh(url)
        backfills.prepare(size)
        measured = backfills.Backfills(report, size)
        measured.measure()
        report.run("load", lambda: load.measure(report))
        report.run("filters", lambda: asking.measure(report))
        report.run("why", lambda: ledger.measure_why(report))  # the last, for it makes the ledger larger
        each[size] = measured.seconds / size

    def growth() -> None:
        if small < records:
            report.chosen = ()  # the first one only
            try:
                backfills_of(urls[0], small)
            finally:
                report.chosen = chosen

    report.run("growth", growth)
    if set(chosen) & set(GROUPS["backfills"]):
        report.run(f"{records:,} records", lambda: backfills_of(urls[1], records), within=chosen[0])
    if len(each) == 2:
        values = each[records] * 1e6, "µs", each[small] * 1e6
        report.add("growth, seconds per record", *values, f"{records:,} : {small:,}")
    if set(chosen) & {*GROUPS["changes"], *GROUPS["floors"]}:
        report.run("changes", lambda: _changes(report, urls[2]), within=chosen[0])
    report.bar.close()


def _changes(report: Report, url: str) -> None:
    fresh(url)
    changes.measure_floors(report)
    if set(report.chosen) & set(GROUPS["changes"]):
        changes.measure(report)


def fresh(url: str) -> None:
    """Go on with another database, empty but for what an installation starts with."""
    connections.close_all()
    os.environ["DATABASE_URL"] = url  # for the workers
    connection.settings_dict["NAME"] = environ.Env.db_url_config(url)["NAME"]
    django_rq.get_connection("default").flushall()
    call_command("migrate", verbosity=0, interactive=False)
