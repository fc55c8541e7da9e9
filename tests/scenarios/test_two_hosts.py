"""Workers on two hosts, one of them cut off and the other one lost in the middle: nothing lost, nothing twice.

The database, the queue and the clock run on a third host; each host is a network namespace (hosts.py).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
import pytest

from associations.models import Record
from associations.services import match_keys
from tests.factories import make_records
from tests.hosts import Host, hosts, possible
from tests.processes import wait_until
from tests.scenarios.test_durability import COMPANIES, RECORDS, define_workflow
from tests.servers import find_postgresql, postgres_server, valkey_server
from workflows.services import enrollment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(os.environ.get("DATABASE_URL")) or find_postgresql() is None,
        reason="It brings its own PostgreSQL, so once is enough; the server programs must be on the machine.",
    ),
    pytest.mark.skipif(not possible(), reason="Hosts of our own need network namespaces: Linux, root and iproute2."),
]
BATCHES = 40
WORKER = ("rqworker", "default", "bulk", "-v0")


def start_backfill() -> None:
    """A run over all contacts in many small batches, each with its bell in the queue."""
    workflow = define_workflow()
    cities = ["Berlin" if number % 10 == 0 else "Boston" for number in range(RECORDS)]
    companies = [COMPANIES[number % len(COMPANIES)].upper() for number in range(RECORDS)]
    make_records("contact", [{"city": city, "company": name} for city, name in zip(cities, companies, strict=True)])
    match_keys.CHUNK = RECORDS // BATCHES
    enrollment.prepare_run(enrollment.enroll_matching(workflow).pk)
    assert Record.objects.count() == RECORDS + len(COMPANIES)


def in_shell(host: Host, statement: str, **environment: Any) -> None:
    code = (
        "from tests.scenarios.test_durability import *; from tests.scenarios.test_two_hosts import start_backfill;"
        f" {statement}"
    )
    done = host.run("shell", "-v0", "-c", code, **environment)
    assert done.returncode == 0, done.stderr


def test_one_host_cut_off_and_one_lost_in_the_middle_of_a_backfill_lose_nothing(tmp_path: Path) -> None:
    with (
        hosts("hub", "one", "two") as (hub, one, two),
        postgres_server(durable=True, address=hub.address, within=hub.within) as server,
        valkey_server(address=hub.address, within=hub.within) as queue,
        psycopg.connect(server.socket_url, autocommit=True) as database,
    ):
        there: dict[str, Any] = {
            "DJANGO_SETTINGS_MODULE": "crmproject.settings",
            "DATABASE_URL": server.url,
            "REDIS_URL": queue.url,
            "DATA_DIR": str(tmp_path),
            "SWEEP_SECONDS": "2",
            "LOST_AFTER": "3",
        }

        def finished() -> int:
            """Of the backfill's batches; whom the look at what happened comes to first are in a run of their own."""
            backfill = "(SELECT min(id) FROM workflows_run)"
            row = database.execute(
                f"SELECT count(*) FROM workflows_batch WHERE state = 'finished' AND run_id = {backfill}".encode()
            ).fetchone()
            return row[0] if row else 0

        assert hub.run("migrate", "-v0", **there).returncode == 0
        in_shell(hub, "start_backfill()", **there)
        hub.start("rqcron", "workflows.cron", **there)
        one.start(*WORKER, **there)
        two.start(*WORKER, **there)
        wait_until(lambda: finished() > 5, seconds=180)
        one.cut_off()
        before = finished()
        wait_until(lambda: finished() > before + 5, seconds=180)
        two.lose()
        at_loss = finished()
        one.join_again()
        two.start(*WORKER, **there)
        wait_until(lambda: finished() == BATCHES, seconds=300)
        assert before < at_loss < BATCHES, "both happened in the middle"
        in_shell(hub, "wait_until(nothing_waits, seconds=60); all_is_done_once()", **there)
