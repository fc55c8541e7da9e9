"""What the reference model is made of."""

from __future__ import annotations

from dataclasses import dataclass

Link = tuple[int, int, int]  # a record, the type id that it sees, the other record
Pair = tuple[int, int]


class Refusal(Exception):
    """The product must refuse this as well, and change nothing."""


@dataclass(frozen=True)
class Type:
    """An association type in one direction; a symmetric one is its own inverse."""

    id: int
    inverse: int
    record_type: str
    other_type: str
    is_unlabeled: bool = False
    is_primary: bool = False
    is_builtin: bool = False

    @property
    def sides(self) -> tuple[str, str]:
        return self.record_type, self.other_type


@dataclass
class Record:
    type: str
    values: dict[str, str]
    archived: bool = False
    merged_into: int | None = None
