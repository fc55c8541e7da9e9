"""Behind a PgBouncer that pools by transaction: two connections for all, each for a transaction at a time."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.processes import manage, start_worker
from tests.servers import Valkey, find_postgresql, pgbouncer, postgres_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(os.environ.get("DATABASE_URL")) or find_postgresql() is None,
        reason="It brings its own PostgreSQL, so once is enough; the server programs must be on the machine.",
    ),
    pytest.mark.skipif(
        shutil.which("pgbouncer") is None and not os.environ.get("CI"), reason="PgBouncer is not on this machine."
    ),
]


def test_demo_import_workers_and_export_work_through_a_pool(tmp_path: Path, queue_server: Valkey, db: None) -> None:
    with postgres_server() as server, pgbouncer(server) as url, ExitStack() as stack:
        there: dict[str, Any] = {"DATABASE_URL": url, "PGBOUNCER": "1", "DATA_DIR": str(tmp_path)}
        assert manage("migrate", "-v0", **there).returncode == 0
        for _ in range(2):
            worker = stack.enter_context(start_worker(**there))
            stack.callback(worker.kill)
        assert manage("load_demo", **there).returncode == 0
        people = tmp_path / "people.csv"
        people.write_text("email,company\n" + "".join(f"p{number}@mail.example,X\n" for number in range(50)))
        assert manage("import_records", "contact", str(people), "--quiet", **there).returncode == 0
        assert manage("process_events", **there).returncode == 0
        out = tmp_path / "out.csv"
        exported = manage("export_associations", "--from", "contact", "--to", "company", str(out), **there)
        assert exported.returncode == 0, exported.stderr
        assert len(out.read_text().splitlines()) > 100
        checked = manage("check_associations", **there)
        assert checked.returncode == 0, checked.stdout
