"""An import that was stopped goes on where it was: no row is lost, and none is imported twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError, transaction

from associations import querysets
from associations.errors import Refused
from associations.models import ImportRun, Record
from associations.services import importing
from associations.services.rejects import RejectsFile
from associations.services.tables import open_table
from tests.processes import MANAGE, environment, manage, wait_until

from .importing import kept, read_csv, run_import, write_csv

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Ten deals, every third of which is bad; nothing unique would turn away a second one."""
    rows = [[f"Deal {number}", "a lot" if number % 3 == 2 else number] for number in range(10)]
    return write_csv(tmp_path / "deals.csv", [["dealname", "amount"], *rows])


GOOD = [f"Deal {number}" for number in (0, 1, 3, 4, 6, 7, 9)]
BAD = [["4", "Deal 2"], ["7", "Deal 5"], ["10", "Deal 8"]]


def names() -> list[str]:
    return [each["dealname"] for each in kept("deal")]


def rejected(file: Path) -> list[list[str]]:
    return [[row[0], row[2]] for row in read_csv(file.with_suffix(".rejects.csv"))[1:]]


@pytest.fixture
def fail_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, BaseException], None]:
    """Have the import fail once, at the end of a batch, when everything is written and nothing committed."""

    def arrange(batch: int, error: BaseException) -> None:
        write, calls = RejectsFile.write, []

        def failing(*arguments):
            size = write(*arguments)
            calls.append(size)
            if len(calls) == batch:
                raise error
            return size

        monkeypatch.setattr(RejectsFile, "write", failing)

    return arrange


# Stopped and started again ----------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 2, 3, 4])
def test_it_goes_on_after_the_last_batch_that_was_kept(file: Path, fail_at, batch: int):
    fail_at(batch, KeyboardInterrupt())
    stopped = run_import("deal", file, batch_size=3)
    assert stopped.status == 130
    assert stopped.error == "Stopped. What was kept stays; the same command goes on after it."
    assert names() == GOOD[: (batch - 1) * 2]

    outcome = run_import("deal", file, batch_size=3)
    assert (f"Going on after row {(batch - 1) * 3} of 10." in outcome.out) == (batch > 1)
    assert "7 created, 0 changed, 0 without a change, 3 rejected" in outcome.out
    assert outcome.status == 1
    assert names() == GOOD
    assert rejected(file) == BAD


def test_it_may_go_on_with_another_batch_size(file: Path, fail_at):
    fail_at(2, KeyboardInterrupt())
    run_import("deal", file, batch_size=4)
    run_import("deal", file, batch_size=1)
    assert names() == GOOD
    assert rejected(file) == BAD


def test_a_database_that_goes_away_is_one_line(file: Path, fail_at):
    fail_at(2, OperationalError("server closed the connection\nunexpectedly"))
    assert run_import("deal", file, batch_size=4).error == (
        "The database refuses: server closed the connection. What was kept stays; the same command goes on after it."
    )
    run_import("deal", file)
    assert names() == GOOD


def test_a_full_disk_is_one_line(file: Path, fail_at):
    fail_at(2, OSError(28, "No space left on device"))
    stopped = run_import("deal", file, batch_size=4)
    assert stopped.status == 2
    assert stopped.error.startswith("No space left on device. What was kept stays")


def test_rejects_that_were_taken_away_in_between_are_begun_anew(file: Path, fail_at):
    fail_at(3, KeyboardInterrupt())
    run_import("deal", file, batch_size=3)
    file.with_suffix(".rejects.csv").unlink()
    run_import("deal", file, batch_size=3)
    assert rejected(file) == BAD[2:]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_killed_import_goes_on(tmp_path: Path):
    count = 20_000
    rows = ([f"Deal {number}", number if number % 100 else "bad"] for number in range(count))
    path = write_csv(tmp_path / "many.csv", [["dealname", "amount"], *rows])
    command = [sys.executable, MANAGE, "import_records", "deal", str(path), "--batch-size", "250"]
    for more in (1, 5_000):
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: ImportRun.objects.filter(rows_done__gte=more).exists(), seconds=180)  # noqa: B023
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert ImportRun.objects.get().finished_at is None

    assert manage("import_records", "deal", str(path)).returncode == 1
    assert names() == [f"Deal {number}" for number in range(count) if number % 100]
    assert rejected(path) == [[str(number + 2), f"Deal {number}"] for number in range(0, count, 100)]
    run = ImportRun.objects.get()
    assert (run.rows_done, run.created, run.rejected) == (count, count - 200, 200)


# The same file once more ------------------------------------------------------------------------


def test_a_finished_import_is_not_done_twice(file: Path, tmp_path: Path):
    run_import("deal", file)
    again = run_import("deal", file)
    assert again.status == 2
    assert f"{file} was imported on" in again.error
    assert "--again" in again.error
    renamed = file.rename(tmp_path / "renamed.csv")
    assert run_import("deal", renamed).status == 2
    assert names() == GOOD


def test_unless_it_is_wanted(file: Path):
    run_import("deal", file)
    assert "7 created" in run_import("deal", file, again=True).out
    assert names() == GOOD * 2
    assert rejected(file) == BAD


def test_a_changed_file_is_another_one(file: Path):
    run_import("deal", file)
    file.write_text(file.read_text() + "Deal 10,10\n")
    assert "8 created" in run_import("deal", file).out


def test_the_same_file_for_another_type_is_another_import(file: Path):
    run_import("deal", file)
    assert run_import("ticket", file, map=["dealname=subject"]).status == 0


def test_a_stopped_import_goes_on_only_as_it_began(file: Path, fail_at):
    fail_at(2, KeyboardInterrupt())
    run_import("deal", file, batch_size=3)
    other = run_import("deal", file, map=["amount="])
    assert other.status == 2
    assert f"{file} is imported up to row 3 with other columns or options" in other.error
    assert names() == GOOD[:2]
    assert "10 created" in run_import("deal", file, map=["amount="], again=True).out
    assert ImportRun.objects.filter(finished_at=None).count() == 0


def test_nobody_imports_the_same_file_at_the_same_time(file: Path):
    table = open_table(file)
    plan = importing.plan_columns(querysets.object_type_named("deal"), table, {})
    rejects = RejectsFile(file.with_suffix(".rejects.csv"), table)
    first, second = (importing.open_run(plan, table) for _ in range(2))
    assert first == second
    one, other = (importing.import_rows(plan, table, run, rejects, batch_size=4) for run in (first, second))
    next(one)
    with pytest.raises(Refused, match="is being imported by somebody else"), transaction.atomic():
        next(other)
    list(one)
    assert names() == GOOD
    assert Record.objects.count() == len(GOOD)
