"""Where the exports write: a file that appears when it is complete, or standard output."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.core.management.base import OutputWrapper
from tqdm import tqdm

from associations.errors import Refused


def write_csv(rows: Iterable[Sequence[str]], file: str, stdout: OutputWrapper) -> None:
    """Write rows as CSV to a file, or for "-" to standard output."""
    if file == "-":
        try:
            csv.writer(stdout).writerows(rows)
        except BrokenPipeError:  # the reader has seen enough; nor has Python at its end anything to flush
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    path = Path(file)
    if not path.parent.is_dir():
        raise Refused(f"{path}: there is no folder {path.parent}.")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as target:
            csv.writer(target).writerows(tqdm(rows, unit=" rows", disable=None))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
