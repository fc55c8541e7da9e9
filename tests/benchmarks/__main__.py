"""Make the servers, measure, print, and leave nothing behind."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg

from tests.servers import find_postgresql, postgres_server, temporary_folder, valkey_server

from . import parts
from .report import Report

NAMES = [*parts.GROUPS, *parts.chosen([])]
# What a server for so much data would be told, too (ARCHITECTURE.md); floors and product run on the same one.
OPTIONS = ("shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=15min", "work_mem=32MB")


@contextmanager
def databases(kind: str) -> Iterator[tuple[str, list[str]]]:
    """Fresh databases: which server, and the urls of two of them. Gone in the end."""
    given = os.environ.get("DATABASE_URL", "")
    if kind == "sqlite" or not (given.startswith("postgres") or find_postgresql()):
        with temporary_folder() as folder:
            yield "SQLite", [f"sqlite:///{folder}/{name}.sqlite3" for name in ("first", "second", "third")]
        return
    if given.startswith("postgres"):
        with on_server(given) as urls:
            yield "PostgreSQL", urls
        return
    with postgres_server(durable=True, settings=OPTIONS) as server, on_server(server.url) as urls:
        yield "PostgreSQL", urls


@contextmanager
def on_server(url: str) -> Iterator[list[str]]:
    names = [f"benchmark_{uuid.uuid4().hex[:8]}" for _ in range(3)]
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield [urlunsplit(urlsplit(url)._replace(path=f"/{name}")) for name in names]
        finally:
            for name in names:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def main() -> int:
    parser = argparse.ArgumentParser("benchmark", description="Measures the product beside floors of the same run.")
    parser.add_argument("--records", type=int, default=100_000, help="how many contacts; a tenth as many companies")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument(
        "--only", action="append", default=[], choices=NAMES, help="only this part, or group of parts; may be repeated"
    )
    parser.add_argument("--json", type=Path, default=Path("benchmark.json"), help="where the figures go")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers end and folders go
    with databases(chosen.database) as (database, urls), valkey_server() as queue, temporary_folder() as folder:
        os.environ |= {
            "DATABASE_URL": urls[0],
            "REDIS_URL": queue.url,
            "DATA_DIR": str(folder),
            "SECRET_KEY": "benchmark",
            "DJANGO_SETTINGS_MODULE": "crmproject.settings",
            "API_RATE_LIMIT": "0",
            "LOG_LEVEL": "ERROR",
        }
        django.setup()
        from . import run  # what it imports needs the settings

        report = Report(chosen.records, database, parts.chosen(chosen.only))
        try:
            run.everything(report, urls)
        except (KeyboardInterrupt, SystemExit) as error:
            report.failed.append(f"interrupted: {type(error).__name__}")
        finally:
            report.write(chosen.json)
            print(f"Written to {chosen.json}.", flush=True)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
