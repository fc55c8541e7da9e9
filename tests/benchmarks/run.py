"""The parts of the benchmark, one after the other, each on a fresh database."""

from __future__ import annotations

import os

import django_rq
import environ
from django.core.management import call_command
from django.db import connection, connections

from . import backfills, changes
from .report import Report

SMALLEST = 10_000


def everything(records: int, database: str, urls: list[str], *, only: str | None = None) -> Report:
    report = Report(records, database, parts=10)
    if only != "changes":
        small = max(records // 10, SMALLEST)
        each = {}
        for url, size in zip(urls, [small, records] if small < records else [records], strict=False):
            fresh(url)
            with report.part(f"{size:,} records"):
                backfills.prepare(size)
                if line := backfills.measure(report, size):
                    each[size] = line.value / size
        if len(each) == 2:
            report.add(
                "growth, seconds per record", each[records] * 1e6, "µs", each[small] * 1e6, f"{records:,} : {small:,}"
            )
    if only != "backfills":
        fresh(urls[2])
        with report.part("changes"):
            changes.measure(report)
    report.bar.close()
    return report


def fresh(url: str) -> None:
    """Go on with another database, empty but for what an installation starts with."""
    connections.close_all()
    os.environ["DATABASE_URL"] = url  # for the workers
    connection.settings_dict["NAME"] = environ.Env.db_url_config(url)["NAME"]
    django_rq.get_connection("default").flushall()
    call_command("migrate", verbosity=0, interactive=False)
