"""The lines of the benchmark: each a figure, most of them beside their floor. Printed as they come, kept as JSON."""

from __future__ import annotations

import json
import platform
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm


@dataclass
class Line:
    name: str
    value: float
    unit: str
    floor: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    def __str__(self) -> str:
        ratio = f"{self.ratio:7.2f} ×" if self.ratio is not None else " " * 9
        floor = f"(floor {self.floor:,.2f} {self.unit})" if self.floor is not None else ""
        return f"{self.name:40}{ratio}  {self.value:12,.2f} {self.unit:10}{floor:28}{self.note}".rstrip()


@dataclass
class Report:
    """What was measured so far. A part that fails is a line of its own; the others go on."""

    records: int
    database: str
    chosen: Sequence[str]
    lines: list[Line] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bar = tqdm(total=len(self.chosen), unit="part", disable=None, leave=False)

    def add(self, name: str, value: float, unit: str, floor: float | None = None, note: str = "") -> Line:
        line = Line(name, value, unit, floor, note)
        self.lines.append(line)
        tqdm.write(str(line), file=sys.stdout)
        sys.stdout.flush()
        return line

    def run(self, name: str, work: Callable[[], object], *, within: str = "") -> None:
        """Do a part if it, or the part that it is `within`, is chosen."""
        if (within or name) not in self.chosen:
            return
        self.bar.set_description(name)
        try:
            work()
        except Exception as error:
            traceback.print_exc()
            self.failed.append(f"{name}: {type(error).__name__}: {error}")
            tqdm.write(f"{name:40}  FAILED  {type(error).__name__}: {error}", file=sys.stdout)
        if not within:
            self.bar.update()

    def write(self, path: Path) -> None:
        lines: list[dict[str, Any]] = [asdict(line) | {"ratio": line.ratio} for line in self.lines]
        content = {"records": self.records, "database": self.database, "python": platform.python_version()}
        path.write_text(json.dumps({**content, "lines": lines, "failed": self.failed}, indent=2, ensure_ascii=False))
