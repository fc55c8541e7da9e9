"""`make run` as a newcomer meets it: a first start with the demo, a second one, and Ctrl-C in the terminal.

    python -m tests.smoke

For CI; not a part of the test suite, which starts the server without make (test_serve.py).
"""

import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from .servers import free_port

ROOT = Path(__file__).resolve().parent.parent
READY = "Ctrl-C ends everything"


def start_and_end(number: int, patience: float, data_dir: Path) -> str:
    """One start; what it printed."""
    port = free_port()
    path = data_dir.parent / f"output-{number}"
    began = time.monotonic()
    with path.open("wb") as output:
        make = subprocess.Popen(
            ["make", "--no-print-directory", "run"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
            | {"PORT": str(port), "DATA_DIR": str(data_dir)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while READY not in path.read_text():
            assert make.poll() is None, path.read_text()
            assert time.monotonic() - began < patience, path.read_text()
            time.sleep(0.1)
        took = time.monotonic() - began
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=10) as page:
            assert page.status == 200
    finally:
        os.killpg(make.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
        began = time.monotonic()
        make.wait(timeout=20)
    left = [line for line in processes() if str(data_dir) in line]
    assert left == [], left
    said = path.read_text()
    print(f"start {number}: ready in {took:.1f} s, ended in {time.monotonic() - began:.1f} s")
    return said


def processes() -> list[str]:
    """Every process whose command line or environment can be read, both in one text (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            found.append(" ".join((entry / name).read_text(errors="replace") for name in ("cmdline", "environ")))
        except OSError:
            continue
    return found


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="crm-smoke-") as folder:
        data_dir = Path(folder) / "data"
        first = start_and_end(1, 300, data_dir)
        print(first)
        assert "Password  " in first
        second = start_and_end(2, 60, data_dir)
        assert "Password  " not in second
        assert "demo" not in second.lower()


if __name__ == "__main__":
    main()
