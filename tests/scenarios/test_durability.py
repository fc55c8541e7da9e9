"""A record saved is never forgotten, whatever process dies: real workers, killed at random, while four imports run."""

from __future__ import annotations

import csv
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connection

from associations.models import Association, AssociationChange, ChangeSet, Record
from tests.factories import make_label, make_records, object_type
from tests.processes import MANAGE, environment, manage, wait_until
from tests.servers import Valkey, postgres_server
from tests.workflows.making import create, is_, make_workflow
from workflows.models import Batch, Enrollment, Workflow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="With SQLite four writers only wait for each other."),
]
WRITERS = 4
RECORDS = 10_000
COMPANIES = [f"Company {number}" for number in range(40)]


class Installation:
    """Two workers and a scheduler, each started again when it has died."""

    def __init__(self, **more: str) -> None:
        self.environment = environment(SWEEP_SECONDS="2", **more)
        self.commands = [["rqworker", "default", "bulk", "-v0"]] * 2 + [["rqcron", "workflows.cron"]]
        self.processes = [self._start(command) for command in self.commands]

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, MANAGE, *command],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill_a_worker(self, chance: random.Random) -> None:
        worker = self.processes[chance.randrange(2)]
        worker.send_signal(signal.SIGKILL)
        worker.wait()  # else it may be taken for alive, and is missing in the end

    def restart_the_dead(self) -> None:
        for number, process in enumerate(self.processes):
            if process.poll() is not None:
                self.processes[number] = self._start(self.commands[number])

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def installation(transactional_db: None) -> Iterator[Installation]:
    running = Installation()
    yield running
    running.end()


@pytest.fixture
def workflow(transactional_db: None) -> Workflow:
    return define_workflow()


def define_workflow() -> Workflow:
    make_records("company", [{"name": name} for name in COMPANIES])
    label = make_label("contact", "company", "Employer", "Employee")
    step = create("company", "company", "name", label=label)
    return make_workflow("contact", step, triggers=[[is_("city", "Boston")]])


def start_writers(folder: Path, **more: str) -> list[subprocess.Popen[bytes]]:
    """Four imports at once: nine of ten records meet the triggers. Started again they go on where they were."""
    writers = []
    for writer in range(WRITERS):
        file = folder / f"contacts{writer}.csv"
        with file.open("w", newline="") as opened:
            rows = csv.writer(opened)
            rows.writerow(["email", "company", "city"])
            for number in range(RECORDS // WRITERS):
                city = "Berlin" if number % 10 == 0 else "Boston"
                rows.writerow([f"c{writer}.{number}@example.com", COMPANIES[number % len(COMPANIES)].upper(), city])
        command = [sys.executable, MANAGE, "import_records", "contact", str(file), "--batch-size", "50", "--quiet"]
        writers.append(subprocess.Popen(command, env=environment(**more), stderr=subprocess.DEVNULL))
    return writers


def nothing_waits() -> bool:
    return not (
        ChangeSet.objects.filter(processed_at=None).exists()
        or Batch.objects.filter(state=Batch.State.WAITING).exists()
        or Enrollment.objects.filter(state=Enrollment.State.ACTIVE).exists()
    )


def all_is_done_once() -> None:
    """Every record that should be enrolled is, once; the associations are those that plain Python expects."""
    contacts = Record.objects.filter(object_type=object_type("contact"))
    boston = set(contacts.filter(properties__city="Boston").values_list("id", flat=True))
    assert contacts.count() == RECORDS
    assert len(boston) == RECORDS * 9 // 10
    enrolled = Counter(Enrollment.objects.values_list("record", flat=True))
    assert set(enrolled) == boston
    assert set(enrolled.values()) == {1}
    company_of = {
        name.casefold(): id_
        for id_, name in Record.objects.filter(object_type=object_type("company")).values_list("id", "properties__name")
    }
    expected = {
        (id_, company_of[name.casefold()])
        for id_, name in contacts.filter(id__in=boston).values_list("id", "properties__company")
    }
    types = Counter(Association.objects.values_list("type", flat=True))
    assert set(Association.objects.filter(type=279).values_list("source", "target")) == expected
    assert set(types.values()) == {len(expected)}, "unlabeled, Primary and the label, each once a pair"
    told = Counter(AssociationChange.objects.values_list("source", "type", "target"))
    assert set(told.values()) == {1}, "the ledger tells everything once"
    assert len(told) == sum(types.values())
    assert manage("check_associations").returncode == 0


def test_workers_killed_every_second_lose_nothing_and_do_nothing_twice(
    workflow: Workflow, installation: Installation, tmp_path: Path
) -> None:
    chance = random.Random(11)
    writers = start_writers(tmp_path)
    for _ in range(20):
        with suppress(subprocess.TimeoutExpired):
            writers[0].wait(timeout=1)
        installation.kill_a_worker(chance)
        installation.restart_the_dead()
    assert [writer.wait(timeout=120) for writer in writers] == [0] * WRITERS
    installation.restart_the_dead()
    wait_until(nothing_waits, seconds=120)
    all_is_done_once()


def test_a_queue_server_that_dies_with_all_its_data_loses_nothing(
    workflow: Workflow, installation: Installation, queue_server: Valkey, tmp_path: Path
) -> None:
    writers = start_writers(tmp_path)
    wait_until(lambda: Enrollment.objects.count() > 500, seconds=180)
    queue_server.kill()
    wait_until(lambda: writers[0].poll() is not None, seconds=120)
    queue_server.start()  # without its data
    assert [writer.wait(timeout=120) for writer in writers] == [0] * WRITERS

    def done() -> bool:
        installation.restart_the_dead()
        return nothing_waits()

    wait_until(done, seconds=120)
    all_is_done_once()


def in_shell(statement: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Do something with the functions of this module on another database."""
    code = f"from tests.scenarios.test_durability import *; {statement}"
    return manage("shell", "-v0", "-c", code, timeout=180, **more)


def test_a_database_that_is_cut_off_in_the_middle_loses_nothing(queue_server: Valkey, tmp_path: Path) -> None:
    with postgres_server(durable=True) as server:
        there = {"DATABASE_URL": server.url}
        assert manage("migrate", "-v0", timeout=120, **there).returncode == 0
        assert in_shell("define_workflow()", **there).returncode == 0
        installation = Installation(**there)
        try:
            writers = start_writers(tmp_path, **there)
            for _ in range(3):
                with suppress(subprocess.TimeoutExpired):
                    writers[0].wait(timeout=3)
                server.restart("immediate")
                installation.restart_the_dead()
            for _ in range(5):  # an import that lost its connection goes on where it was
                if [writer.wait(timeout=120) for writer in writers] == [0] * WRITERS:
                    break
                writers = start_writers(tmp_path, **there)
            installation.restart_the_dead()
            wait_until(lambda: in_shell("assert nothing_waits()", **there).returncode == 0, seconds=120)
        finally:
            installation.end()
        done = in_shell("all_is_done_once()", **there)
        assert done.returncode == 0, done.stderr
