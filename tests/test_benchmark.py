"""The benchmark tells what it measured and leaves nothing behind: when it is interrupted, and when a part fails."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from .benchmarks.report import Report
from .servers import temporary_folder
from .test_servers import needs_postgresql


@pytest.mark.once
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def test_interrupted_it_keeps_its_lines_and_leaves_nothing(database: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = f"--records 30 --database {database} --only undo --only why --only changes --json {figures}".split()
    said = []
    with temporary_folder() as folder:
        folder.chmod(0o711)  # PostgreSQL does not run as root
        running = subprocess.Popen(
            [sys.executable, "manage.py", "benchmark", *options],
            cwd=settings.BASE_DIR,
            env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
            | {"CRM_TEST_FOLDERS": str(folder), "SECRET_KEY": "none"},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in the background it may be ignored
        )
        with running:
            assert running.stdout is not None
            for line in running.stdout:
                said.append(line)
                if "why of a pair, p95" in line:
                    os.killpg(running.pid, signal.SIGINT)  # as Ctrl-C does: to everybody
        assert running.returncode == 1
        assert list(folder.iterdir()) == []
        assert processes_of(folder) == []
    found: dict[str, Any] = json.loads(figures.read_text())
    assert found["failed"] == ["interrupted: KeyboardInterrupt"]
    assert {"backfill", "undo", "why of a pair, p95"} <= {line["name"] for line in found["lines"]}
    assert all(line["name"] in "".join(said) for line in found["lines"])


def test_a_part_that_fails_is_a_line_and_the_next_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(30, "none", ["first", "second"])
    report.run("first", lambda: 1 / 0)
    report.run("second", lambda: report.add("second", 3, "s", 2))
    report.run("not chosen", lambda: 1 / 0)
    report.write(tmp_path / "figures.json")
    found = json.loads((tmp_path / "figures.json").read_text())
    assert found["failed"] == ["first: ZeroDivisionError: division by zero"]
    assert [(line["name"], line["ratio"]) for line in found["lines"]] == [("second", 1.5)]
    first, second = capsys.readouterr().out.splitlines()
    assert "FAILED" in first and "1.50 ×" in second


def processes_of(folder: Path) -> list[str]:
    """The process ids of those that were started for this benchmark."""
    marked = f"CRM_TEST_FOLDERS={folder}".encode()
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [each.parent.name] if marked in each.read_bytes() else []
        except OSError:
            continue
    return found
