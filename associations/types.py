"""An association type seen from one of its two sides.

Every reader and writer that starts from a record (the enrolled one, the one whose page is shown) works with
directed types, so that the question "which way round does the row lie" is answered here only.
"""

from __future__ import annotations

from dataclasses import dataclass

from .models.schema import AssociationType, ObjectType


@dataclass(frozen=True)
class DirectedType:
    """`type` as the records of one side see it. `outgoing`: they are the sources of its rows."""

    type: AssociationType
    outgoing: bool

    @property
    def type_id(self) -> int:
        """The numeric type id of this direction."""
        return self.type.id if self.outgoing else self.type.inverse_id

    @property
    def label(self) -> str:
        """What the other record is called on this record's page; empty when unlabeled."""
        return self.type.label if self.outgoing else self.type.inverse_label

    @property
    def max_to(self) -> int | None:
        """The greatest number of others that one record may have under this type; None for many."""
        return self.type.max_to if self.outgoing else self.type.inverse_max_to

    @property
    def record_type(self) -> ObjectType:
        return self.type.from_object_type if self.outgoing else self.type.to_object_type

    @property
    def other_type(self) -> ObjectType:
        return self.type.to_object_type if self.outgoing else self.type.from_object_type

    @property
    def reverse(self) -> DirectedType:
        """The same type as the other record sees it."""
        return self if self.type.is_symmetric else DirectedType(self.type, not self.outgoing)

    @property
    def orientations(self) -> list[tuple[str, str]]:
        """In which columns the record and the other one may stand: a symmetric row lies either way."""
        both = [("source", "target"), ("target", "source")]
        if self.type.is_symmetric:
            return both
        return both[:1] if self.outgoing else both[1:]

    def ends(self, pair: str, what: str = "id") -> tuple[str, str]:
        """SQL for the source's and the target's column of a staged pair: symmetric types store the smaller id first."""
        record, other = f"{pair}.record_{what}", f"{pair}.other_{what}"
        if self.type.is_symmetric:
            first = f"CASE WHEN {pair}.record_id < {pair}.other_id THEN {{}} ELSE {{}} END"
            return first.format(record, other), first.format(other, record)
        return (record, other) if self.outgoing else (other, record)

    def __str__(self) -> str:
        return self.label or "unlabeled"
