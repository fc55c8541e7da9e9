"""What can be wrong with a request, in words for the person who made it. Raised by services, shown by the doors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class Refused(Exception):
    """A change that is refused whole. Its text says what was wrong, where, and what to do."""


@dataclass(frozen=True)
class ValueProblem:
    """One value that cannot be kept. `index` counts the records of the request from 0; `rival` is the index of the
    record in the same request that has the unique value already."""

    index: int
    property: str
    reason: str
    rival: int | None = None

    def __str__(self) -> str:
        return f"{self.property} {self.reason}"


class InvalidRecords(Refused):
    """Some values cannot be kept; nothing of the request was saved."""

    def __init__(self, problems: Sequence[ValueProblem]) -> None:
        self.problems = list(problems)
        shown = "; ".join(str(problem) for problem in self.problems[:5])
        more = f"; and {len(self.problems) - 5} more" if len(self.problems) > 5 else ""
        super().__init__(shown + more)


class LimitReached(Refused):
    """More associations than a limit allows. `pairs` are (record id, other id)."""

    def __init__(self, message: str, pairs: Sequence[tuple[int, int]] = ()) -> None:
        self.pairs = list(pairs)
        super().__init__(message)


class InUse(Refused):
    """Something that cannot be deleted because it is used. `uses` says where, in words."""

    def __init__(self, message: str, uses: Sequence[str]) -> None:
        self.uses = list(uses)
        super().__init__(f"{message}: {', '.join(self.uses)}.")
