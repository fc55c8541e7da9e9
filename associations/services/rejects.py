"""The rejects file: rows that an import could not keep, as they were, each with its line and the reason.

It can be corrected and imported in turn. It is written before the batch's transaction ends, and the transaction
keeps how long it then is: an import that goes on after a crash cuts off what belongs to no kept batch.
Called by services.importing.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from associations.errors import Refused

from .tables import SPREADSHEETS, Row, Table

LINE, REASON = "rejected_line", "rejected_reason"


@dataclass(frozen=True)
class Reject:
    row: Row
    reason: str


class RejectsFile:
    def __init__(self, path: Path, table: Table) -> None:
        if path.exists() and path.samefile(table.path):
            raise Refused(f"{path} is the file to import; name another one for the rejects.")
        self.path = path
        self._delimiter = table.delimiter
        self._encoding = "utf-8-sig" if table.path.suffix.lower() in SPREADSHEETS else table.encoding
        # Of a rejects file imported in turn the old verdicts go.
        self._dropped = {number for number, name in enumerate(table.header) if name in (LINE, REASON)}
        self._header = [LINE, REASON, *self._kept(table.header)]

    def cut(self, size: int) -> int:
        """Take off what lies beyond `size`; how long the file is now. A file that is shorter is not the one meant."""
        if not size or not self.path.exists() or self.path.stat().st_size < size:
            return 0
        os.truncate(self.path, size)
        return size

    def write(self, rejects: Sequence[Reject], size: int) -> int:
        """Write after the first `size` bytes; how long the file is now."""
        if not rejects:
            return size
        start = self.cut(size)
        # A row with too many cells keeps them, hence line and reason stand first.
        with self.path.open("a" if start else "w", encoding=self._encoding, errors="replace", newline="") as file:
            writer = csv.writer(file, delimiter=self._delimiter)
            if not start:
                writer.writerow(self._header)
            for reject in rejects:
                writer.writerow([reject.row.line, reject.reason, *self._kept(reject.row.cells)])
            file.flush()
            os.fsync(file.fileno())
        return self.path.stat().st_size

    def _kept(self, cells: Sequence[str]) -> list[str]:
        return [cell for number, cell in enumerate(cells) if number not in self._dropped]
