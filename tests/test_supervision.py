"""The supervisor alone, with children of a line each."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from crmproject.supervision import Child, Program, Stopped, Supervisor, describe

from .processes import alive, wait_until

pytestmark = pytest.mark.once


def python(code: str, *arguments: object, name: str = "child") -> Program:
    return Program(name, [sys.executable, "-S", "-c", code, *map(str, arguments)])


WAIT = "import time; time.sleep(600)"
DEAF = f"import signal, sys; signal.signal(15, signal.SIG_IGN); open(sys.argv[1], 'w').close(); {WAIT}"


@pytest.fixture
def supervisor():
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield Supervisor()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_program_that_runs_once_gives_its_exit_status(supervisor):
    with supervisor:
        assert supervisor.run(python("raise SystemExit(7)")) == 7
        name = python("import os; raise SystemExit(os.environ['PROCESS_NAME'] != 'demo')", name="demo")
        assert supervisor.run(name) == 0


def test_what_fails_at_once_is_started_again_after_growing_pauses(supervisor, tmp_path, caplog):
    log = tmp_path / "starts"
    with supervisor:
        supervisor.start([python("import sys; open(sys.argv[1], 'a').write('x'); raise SystemExit(3)", log)])
        supervisor.wait_until(lambda: log.exists() and len(log.read_text()) == 3, seconds=180)
        (child,) = supervisor.layers[0]
        assert 2 <= child.failures <= 3
    assert "child ended (exit status 3); started again in 0.5 s" in caplog.text
    assert "child ended (exit status 3); started again in 1 s" in caplog.text


def test_a_program_that_cannot_be_started_is_tried_again(supervisor, caplog):
    child = Child(Program("nothing", ["/nowhere/nothing"]))
    child.keep_running()
    assert not child.running
    assert "nothing ended" in caplog.text
    assert child.due > time.monotonic()


def test_at_the_end_the_last_started_ends_first(supervisor, tmp_path):
    note = (
        "import pathlib, signal, sys, time\n"
        "log = pathlib.Path(sys.argv[1])\n"
        "def end(*_):\n"
        "    log.open('a').write(sys.argv[2]); sys.exit()\n"
        "signal.signal(15, end); pathlib.Path(sys.argv[1] + sys.argv[2]).touch(); time.sleep(600)"
    )
    log = tmp_path / "log"
    with supervisor:
        supervisor.start([python(note, log, "below")])
        supervisor.start([python(note, log, "above")])
        wait_until(lambda: Path(f"{log}below").exists() and Path(f"{log}above").exists())
    assert log.read_text() == "abovebelow"


def test_who_does_not_listen_is_killed(supervisor, tmp_path, monkeypatch):
    farewell = ((signal.SIGTERM, 0.2), (signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0))
    monkeypatch.setattr("crmproject.supervision.FAREWELL", farewell)
    with supervisor:
        supervisor.start([python(DEAF, tmp_path / "ready")])
        wait_until((tmp_path / "ready").exists)
        process = supervisor.layers[0][0].process
    assert process.returncode == -signal.SIGKILL


def test_a_request_to_stop_ends_the_wait_and_every_child(supervisor):
    with pytest.raises(Stopped), supervisor:
        supervisor.start([python(WAIT), python(WAIT)])
        pids = [child.process.pid for child in supervisor.layers[0]]
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.wait_until(lambda: False, seconds=180)
    assert not any(alive(pid) for pid in pids)


def test_asked_twice_it_ends_at_once(supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr("crmproject.supervision.FAREWELL", ((signal.SIGTERM, 60.0), (signal.SIGKILL, 5.0)))
    began = time.monotonic()
    with pytest.raises(Stopped), supervisor:
        supervisor.start([python(DEAF, tmp_path / "ready")])
        wait_until((tmp_path / "ready").exists)
        supervisor.requests = 1
        child = supervisor.layers[0][0].process
        supervisor.start([python(f"import os, time; time.sleep(0.5); os.kill({os.getpid()}, 2); time.sleep(600)")])
        supervisor.layers.reverse()  # the deaf one is asked first, and the other repeats the request meanwhile
        supervisor.wait_until(lambda: False, seconds=180)
    assert child.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 30  # less than its first span


def test_ends_are_told_in_words():
    assert describe(1) == "exit status 1"
    assert describe(-9) == "signal 9, Killed"
