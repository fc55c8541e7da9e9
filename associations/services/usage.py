"""How near records are to the limits of their associations. Called by the API; reads only."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count

from associations.models import AssociationEnd, AssociationType, ObjectType
from associations.types import DirectedType

# From which part of a limit on a record counts as near it [H].
NEAR = 0.8


@dataclass(frozen=True)
class Near:
    """Whether there are records at a limit, and near one."""

    at: bool = False
    near: bool = False

    def __add__(self, other: Near) -> Near:
        return Near(self.at or other.at, self.near or other.near)


def near_limit(directed: DirectedType, most: int) -> tuple[dict[int, int], dict[int, int]]:
    """How many others the records have that are at a limit, and those that are near it, the fullest first."""
    fullest = (
        AssociationEnd.objects.filter(type_id=directed.type_id)
        .values("record_id")
        .annotate(used=Count("other_id"))
        .filter(used__gte=math.ceil(most * NEAR))
        .order_by("-used", "record_id")
        .values_list("record_id", "used")
    )
    at: dict[int, int] = {}
    near: dict[int, int] = {}
    for record, used in fullest:
        (at if used >= most else near)[record] = used
    return at, near


def types_near_limit(types: Iterable[AssociationType]) -> dict[tuple[ObjectType, ObjectType], Near]:
    """By pair, in the direction of the limit: the pairs that have a limit with records at or near it."""
    found: dict[tuple[ObjectType, ObjectType], Near] = {}
    for type_ in types:
        for directed in dict.fromkeys((DirectedType(type_, outgoing=True), DirectedType(type_, outgoing=False))):
            if directed.max_to is None:
                continue
            at, near = near_limit(directed, directed.max_to)
            if at or near:
                pair = (directed.record_type, directed.other_type)
                found[pair] = Near(bool(at), bool(near)) + found.get(pair, Near())
    return found
