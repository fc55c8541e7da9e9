"""Keeps a handful of child processes running, and ends every one of them.

Called by `manage.py serve`; knows nothing of Django or of what the children do. Everything happens in one thread,
in short turns: whoever waits does so through `Supervisor.wait_until`, and the children are watched meanwhile.

Why not a library: supervisord restarts with a pause, but gives up after some, leaves its children alone when it is
killed itself, and would have to be a process beside the one that prints the welcome and waits for the first answer.
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Self

logger = logging.getLogger(__name__)

TURN = 0.1  # seconds between two looks at the children
STEADY = 10  # who ran for so many seconds did not fail at once
LONGEST_PAUSE = 30
# What ends a child, and how many seconds it has for it. RQ takes the second SIGTERM as "do not finish your job".
FAREWELL = ((signal.SIGTERM, 3.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0))

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, SIGTERM, or the terminal was closed."""


def end_with_parent(parent: int) -> None:
    """Have the system kill this process when the process `parent`, which started it, is gone (Linux only).

    SIGKILL, since a process without its supervisor has nobody who would wait for its goodbye; work that it loses
    stands in the database and is done again.
    """
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # gone before we asked
        os._exit(1)


@dataclass(frozen=True)
class Program:
    """What to run, under which name; `files` are descriptors that it inherits."""

    name: str
    command: Sequence[str]
    files: Sequence[int] = ()


@dataclass
class Child:
    """One program, the process that runs it now, and its luck so far."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    due: float = field(default_factory=time.monotonic)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        parent = os.getpid()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.program.command,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PROCESS_NAME": self.program.name},
            pass_fds=self.program.files,
            start_new_session=True,  # so that Ctrl-C reaches the supervisor only, who ends the children in order
            preexec_fn=lambda: end_with_parent(parent),  # noqa: PLW1509 - we have one thread
        )

    def keep_running(self) -> None:
        """One look: note an end, and start what is due."""
        if self.running:
            return
        if self.process is not None:
            self._postpone(describe(self.process.returncode))
            self.send(signal.SIGKILL)  # what it left behind would work beside its successor
            self.process = None
        if time.monotonic() >= self.due:
            try:
                self.start()
            except OSError as error:  # no memory, no process number
                self._postpone(str(error))

    def _postpone(self, reason: str) -> None:
        now = time.monotonic()
        self.failures = 0 if now - self.started >= STEADY else self.failures + 1
        pause = min(LONGEST_PAUSE, 2.0 ** (self.failures - 2)) if self.failures else 0
        self.due = now + pause
        when = f"in {pause:g} s" if pause else "now"
        logger.warning("%s ended (%s); started again %s", self.program.name, reason, when)

    def send(self, number: signal.Signals) -> None:
        """Ask the process itself; SIGKILL goes to all of its group, since it can no longer pass anything on."""
        if self.process is None:
            return
        if number is signal.SIGKILL:
            with suppress(ProcessLookupError, PermissionError):  # nobody is left (macOS words it the second way)
                os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)  # does nothing when it has ended


def describe(code: int) -> str:
    return f"exit status {code}" if code >= 0 else f"signal {-code}, {signal.strsignal(-code)}"


class Supervisor:
    """A context: at its end, however it comes, no child is left."""

    def __init__(self) -> None:
        self.layers: list[list[Child]] = []
        self.requests = 0

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._request_stop)
        return self

    def __exit__(self, *_: object) -> None:
        while self.layers:  # the last started ends first: nobody loses what it stands on
            self._end(self.layers.pop())

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        # Only noted, so that no child is lost between its start and its entry in the list.
        self.requests += 1

    def start(self, programs: Iterable[Program]) -> None:
        """Run these from now on, on top of what runs already."""
        self.layers.append([])
        for program in programs:
            child = Child(program)
            self.layers[-1].append(child)
            child.start()

    def run(self, program: Program) -> int:
        """Run a program to its end, once; its exit status."""
        child = Child(program)
        try:
            child.start()
            self.wait_until(lambda: not child.running)
        finally:
            self._end([child])
        return child.process.returncode if child.process else 1

    def wait_until(self, condition: Callable[[], bool], seconds: float = float("inf")) -> bool:
        """Watch the children until the condition holds (True) or the time is over (False)."""
        end = time.monotonic() + seconds
        while not condition():
            if self.requests:
                raise Stopped
            if time.monotonic() > end:
                return False
            for layer in self.layers:
                for child in layer:
                    child.keep_running()
            time.sleep(TURN)
        return True

    def _end(self, children: list[Child]) -> None:
        requests = self.requests
        for number, seconds in FAREWELL:
            for child in children:
                child.send(number)
            end = time.monotonic() + seconds
            while any(child.running for child in children) and time.monotonic() < end:
                if self.requests > requests:  # asked once more: at once
                    requests = self.requests
                    for child in children:
                        child.send(signal.SIGKILL)
                time.sleep(TURN / 2)
            if not any(child.running for child in children):
                return
