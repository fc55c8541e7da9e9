"""`manage.py serve` as a person meets it: real processes, started and ended from outside."""

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis
from django.conf import settings
from rq import Queue

from .processes import MANAGE, alive, descendants, parent_of, wait_until
from .servers import Valkey, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at the processes through /proc")
READY = "Ctrl-C ends everything"
# Seconds until something is there that takes a few: the machine may be slow, and busy with other tests.
PATIENCE = 120


class Site:
    """A running `manage.py serve`, and what it printed."""

    def __init__(self, folder: Path, **environment: str):
        self.port = environment.get("PORT") or str(free_port())
        self.folder = folder
        self.output = folder / f"output-{uuid4().hex}"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        defaults = {"PORT": self.port, "DATA_DIR": str(folder / "data"), "WORKERS": "1", "DEMO": "no"}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, MANAGE, "serve"],
                env=inherited | defaults | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def password(self) -> str:
        found = re.search(r"Password +(\S+)", self.said)
        assert found, self.said
        return found.group(1)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def wait_until_ready(self) -> None:
        wait_until(lambda: READY in self.said or self.process.poll() is not None, seconds=PATIENCE)
        assert READY in self.said, self.said

    def family(self) -> set[int]:
        """All processes below it."""
        return set(descendants(self.process.pid))

    def children(self, words: str) -> set[int]:
        """What it runs itself, without the processes that those fork (a worker's job looks like the worker)."""
        below = descendants(self.process.pid).items()
        return {pid for pid, command in below if words in command and parent_of(pid) == self.process.pid}

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def site(folder: Path, **environment: str) -> Iterator[Site]:
    running = Site(folder, **environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """Nothing for the embedded database; on PostgreSQL a fresh one there."""
    database = settings.DATABASES["default"]
    if "postgresql" not in database["ENGINE"]:
        yield {}
        return
    name, base = f"serve_{uuid4().hex}", f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}"
    with psycopg.connect(f"{base}/postgres", autocommit=True) as postgres:
        postgres.execute(f"CREATE DATABASE {name}")
        yield {"DATABASE_URL": f"{base}/{name}"}
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, str]) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("site"), **servers) as running:
        running.wait_until_ready()
        yield running


def refusal(folder: Path, **environment: str) -> str:
    """The one line with which it refuses to start."""
    with site(folder, **environment) as refused:
        assert refused.process.wait(timeout=PATIENCE) == 1
    assert refused.said.startswith("Cannot start: ")
    assert refused.said.count("\n") == 1, refused.said
    return refused.said


def get(address: str) -> int:
    with urllib.request.urlopen(address, timeout=PATIENCE) as page:
        return page.status


# A start ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_first_start_makes_an_administrator_who_can_sign_in(running):
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies := http.cookiejar.CookieJar()))
    browser.open(running.url("/admin/login/"), timeout=PATIENCE)
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    form = {"username": "admin", "password": running.password, "csrfmiddlewaretoken": token, "next": "/admin/"}
    with browser.open(running.url("/admin/login/"), urllib.parse.urlencode(form).encode(), timeout=PATIENCE) as page:
        assert page.url == running.url("/admin/")
    assert f"Address    {running.url('/admin/')}" in running.said


def test_static_files_are_served_without_collecting_them(running):
    assert get(running.url("/static/admin/css/base.css")) == 200


def test_the_embedded_servers_are_there_only_where_no_others_are_named(running, running_job, servers):
    with_another_queue, _ = running_job
    assert len(running.children("valkey-server")) == 1
    assert with_another_queue.children("valkey-server") == set()
    assert (running.folder / "data" / "crm.sqlite3").exists() == (not servers)


@pytest.mark.once
@pytest.mark.slow
def test_the_first_start_loads_the_demo_and_one_that_was_cut_off_begins_anew(tmp_path):
    with site(tmp_path, DEMO="yes") as cut_off:
        wait_until(lambda: "Loading the demo" in cut_off.said, seconds=PATIENCE)
        assert cut_off.end() == 0
        assert "Password  " not in cut_off.said
    with site(tmp_path, DEMO="yes") as whole:
        whole.wait_until_ready()
        assert "Loading the demo" in whole.said
        assert whole.password


def test_data_is_for_its_owner_only(running):
    assert (running.folder / "data").stat().st_mode & 0o077 == 0
    assert running.password not in "".join(
        path.read_text(errors="replace") for path in (running.folder / "data").iterdir() if path.is_file()
    )


# While it runs ----------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize("child", ["rqworker", "rqcron", "gunicorn", "valkey-server"])
def test_a_child_that_is_killed_is_started_again(running, child):
    before = running.children(child)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(running.children(child) - before) >= len(before))
    wait_until(lambda: get(running.url("/admin/login/")) == 200)
    assert not any(alive(pid) for pid in before)
    assert "signal 9, Killed" in running.said


@pytest.mark.once
def test_a_port_in_use_is_one_line(running, tmp_path):
    line = refusal(tmp_path, PORT=running.port)
    assert f"Port {running.port} of 127.0.0.1 cannot be used" in line
    assert "PORT=" in line


@pytest.mark.once
def test_a_data_dir_in_use_is_one_line(running, tmp_path):
    line = refusal(tmp_path, DATA_DIR=str(running.folder / "data"))
    assert "Another server runs on DATA_DIR" in line


# Its end ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ctrl_c_ends_every_process_and_the_next_start_is_quick(tmp_path, servers):
    with site(tmp_path, **servers) as first:
        first.wait_until_ready()
        family = first.family()
        began = time.monotonic()
        assert first.end(signal.SIGINT) == 0
        assert time.monotonic() - began < 30
        assert not any(alive(pid) for pid in family)
        assert first.said.endswith("Stopped.\n")
    began = time.monotonic()
    with site(tmp_path, **servers) as second:
        second.wait_until_ready()
        assert time.monotonic() - began < 60  # seconds in truth; the machine may be busy
        assert "Password  " not in second.said
        assert "changepassword admin" in second.said
        assert second.end(signal.SIGTERM) == 0


@pytest.mark.once
@pytest.mark.slow
def test_ctrl_c_does_not_wait_for_a_job_that_takes_long(running_job):
    site, job = running_job
    began = time.monotonic()
    assert site.end() == 0
    assert time.monotonic() - began < 30  # of the ten minutes that the job takes
    assert not alive(job)


@pytest.mark.once
@pytest.mark.slow
def test_nothing_stays_when_the_supervisor_itself_is_killed(running_job):
    site, job = running_job
    family = site.family()
    assert job in family
    site.process.kill()
    site.process.wait()
    wait_until(lambda: not any(alive(pid) for pid in family), seconds=PATIENCE)


@pytest.fixture
def running_job(tmp_path: Path, queue_server: Valkey) -> Iterator[tuple[Site, int]]:
    """A site whose worker is at a job that would take ten minutes, and the job's process."""
    with site(tmp_path, REDIS_URL=queue_server.url) as running:
        running.wait_until_ready()
        (worker,) = running.children("rqworker")
        queue = Queue("default", redis.Redis.from_url(queue_server.url), serializer="json")
        job = queue.enqueue("time.sleep", 600)
        wait_until(lambda: job.get_status() == "started" and descendants(worker))
        (process,) = descendants(worker)
        yield running, process


# What is missing --------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "http", "PORT is 'http'; it should be a number from 1 to 65535"),
        ("PORT", "70000", "PORT is '70000'"),
        ("WORKERS", "0", "WORKERS is '0'; it should be a number from 1 to 64"),
        ("HOST", "203.0.113.7", "Port"),
        ("DATABASE_URL", "postgres://crm:hidden@127.0.0.1:9/crm", "The database 127.0.0.1:9/crm does not answer"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL should look like postgres://"),
        ("DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3", "The database /nowhere/at/all.sqlite3 does not answer"),
        ("REDIS_URL", "redis://:hidden@127.0.0.1:9/0", "The queue 127.0.0.1:9 does not answer"),
        ("REDIS_URL", "nonsense", "REDIS_URL should look like redis://"),
        ("DATA_DIR", "/proc/nothing", "DATA_DIR /proc/nothing cannot be used"),
    ],
)
def test_what_is_missing_is_one_line(tmp_path, name, value, sentence):
    line = refusal(tmp_path, **{name: value})
    assert sentence in line
    assert "hidden" not in line


@pytest.mark.once
def test_a_data_dir_that_cannot_be_written_to_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    assert "cannot be written to" in refusal(tmp_path, DATA_DIR=str(tmp_path / "file"), SECRET_KEY="x" * 60)


@pytest.mark.once
def test_a_folder_that_lies_deep_gets_a_short_path_for_the_socket(tmp_path):
    with site(tmp_path, DATA_DIR=str(tmp_path / ("deep" * 30))) as deep:
        deep.wait_until_ready()
        (command,) = (descendants(deep.process.pid)[pid] for pid in deep.children("valkey-server"))
    socket_path = Path(command.rpartition("unixsocket:")[2])
    socket_path.parent.rmdir()  # empty again
    assert re.fullmatch(r"/tmp/crm-\d+-\w{16}/valkey.sock", str(socket_path))
