"""What the tests of the import share: run it and see what it said, kept and rejected."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from associations.models import Record


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str
    error: str


def run_import(type_name: str, path: Path, **options: Any) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_records", type_name, path, stdout=out, stderr=err, **options)
    except CommandError as error:
        return Outcome(error.returncode, out.getvalue(), err.getvalue(), str(error))
    return Outcome(0, out.getvalue(), err.getvalue(), "")


def write_csv(path: Path, rows: Iterable[Sequence[object]], **options: Any) -> Path:
    with path.open("w", encoding=options.pop("encoding", "utf-8"), newline="") as file:
        csv.writer(file, **options).writerows(rows)
    return path


def read_csv(path: Path, *, encoding: str = "utf-8-sig", delimiter: str = ",") -> list[list[str]]:
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def kept(type_name: str) -> list[dict[str, Any]]:
    """The properties of the live records of a type, in id order."""
    records = Record.objects.filter(object_type__name=type_name, archived_at=None)
    return list(records.order_by("id").values_list("properties", flat=True))
