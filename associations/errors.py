"""What can be wrong with a request, in words for the person who made it. Raised by services, shown by the doors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Refused(Exception):
    """A change that is refused whole. Its text says what was wrong, where, and what to do."""


class Missing(Refused):
    """Records that do not exist, are archived, or are of another object type. `ids` are all of these."""

    def __init__(self, object_type: str, ids: Iterable[int]) -> None:
        self.object_type, self.ids = object_type, sorted(ids)
        super().__init__(f"There is no {object_type.lower()} {self.ids[0]}, or it is archived.")


@dataclass(frozen=True)
class ValueProblem:
    """One value that cannot be kept. `index` counts the records of the request from 0; `code` is HubSpot's word for
    what is wrong. A unique value that is taken belongs to the record `holder`, or to the one of the same request whose
    index `rival` is."""

    index: int
    property: str
    reason: str
    rival: int | None = None
    code: str = "INVALID_VALUE"
    holder: int | None = None
    holder_type: str = "Record"

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
