"""Real workers of the product for the benchmark, and how much memory they take."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django_rq
from rq import Worker

from crmproject.management.commands.serve import worker_command
from crmproject.supervision import end_with_parent

PATIENCE = 3600


@contextmanager
def workers(count: int, *options: str) -> Iterator[list[int]]:
    """So many workers, as `make run` starts them, until the block is left; their process ids."""
    parent = os.getpid()
    running = [
        subprocess.Popen([*worker_command(number), *options], preexec_fn=lambda: end_with_parent(parent))
        for number in range(1, count + 1)
    ]
    try:
        wait_until(lambda: Worker.count(connection=django_rq.get_connection("default")) >= count, 60)
        yield [each.pid for each in running]
    finally:
        for each in running:
            each.terminate()
        for each in running:
            try:
                each.wait(20)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE, pause: float = 0.02) -> float:
    """Until it is so; the moment at which it was seen."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(pause)
    return time.monotonic()


class Memory(threading.Thread):
    """Watches how much memory of its own any process of the workers has, in MB."""

    def __init__(self, pids: list[int]) -> None:
        super().__init__(daemon=True)
        self.pids, self.most, self.over = pids, 0.0, threading.Event()

    def __enter__(self) -> Memory:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        while not self.over.wait(0.2):
            for pid in [*self.pids, *(child for parent in self.pids for child in children(parent))]:
                self.most = max(self.most, resident(pid))


def processor_seconds() -> float:
    """What all processes below this one have taken of the processors so far; other people's work does not count."""
    total, queue = 0.0, [os.getpid()]
    while queue:
        pid = queue.pop()
        queue += children(pid)
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(each) for each in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return total


def children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def resident(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
