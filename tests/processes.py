"""Real processes of the product, which work on the database and the queue of the running test.

They see what is committed only: a test that uses them asks for `transactional_db`. They have the product's own
settings; what a test changes in `settings` reaches them through `environment(NAME=value)` or not at all.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from crmproject.management.commands.serve import answers
from crmproject.preflight import listen

MANAGE = str(settings.BASE_DIR / "manage.py")
QUEUES = ("default", "bulk")


def environment(**more: str) -> dict[str, str]:
    """The environment in which a process of the product finds what the test uses."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "crmproject.settings",
        "DATA_DIR": str(settings.DATA_DIR),
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def database_url() -> str:
    """The test's own database (`connection` has its name while the tests run)."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(database['NAME']))}"
    user, password = (quote(database[name], safe="") for name in ("USER", "PASSWORD"))
    return f"postgres://{user}:{password}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def manage(*arguments: str, timeout: float = 120, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` with these arguments to its end; the caller looks at status and output."""
    command = [sys.executable, MANAGE, *arguments]
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True, timeout=timeout)


def run_worker_until_idle(*queues: str, timeout: float = 120) -> None:
    """Let one real worker do all that waits, and what that brings about, and end."""
    worker = manage("rqworker", *(queues or QUEUES), "--burst", "-v0", timeout=timeout)
    assert worker.returncode == 0, worker.stderr


def start_worker(*queues: str, **more: str) -> subprocess.Popen[bytes]:
    """A real worker that waits for jobs. Who starts it ends it: the fixture `worker` does."""
    command = [sys.executable, MANAGE, "rqworker", *(queues or QUEUES), "-v0"]
    return subprocess.Popen(command, env=environment(**more), stdin=subprocess.DEVNULL)


@contextmanager
def web_server(*options: str, **more: str) -> Iterator[int]:
    """A real web server with these options of gunicorn's; its port."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--no-control-socket"]
        command += ["--threads=4", "--log-level=warning", "--pythonpath", str(settings.BASE_DIR), *options]
        web = subprocess.Popen(
            [*command, "crmproject.wsgi"],
            env=environment(**more),
            stdin=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )
        try:
            wait_until(lambda: answers("127.0.0.1", port))
            yield port
        finally:
            web.terminate()
            web.wait()


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def descendants(pid: int) -> dict[int, str]:
    """All processes below this one, with their command lines (Linux)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        if parent := parent_of(int(entry.name)):
            children.setdefault(parent, []).append(int(entry.name))
    found: dict[int, str] = {}
    queue = [pid]
    while queue:
        for child in children.get(queue.pop(), []):
            found[child] = command_line(child)
            queue.append(child)
    return found


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent to notice does not."""
    return parent_of(pid) != 0


def parent_of(pid: int) -> int:
    """0 when there is no such process, or it has ended."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return 0
    return 0 if state == "Z" else int(parent)


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
