"""Whom records are associated with, and as what, in pages: two queries for any number of records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from associations import sql
from associations.models import AssociationEnd
from associations.types import DirectedType

PAGE = 500


def others_of(
    pair_types: Sequence[DirectedType], asked: Sequence[tuple[int, int]], size: int
) -> dict[int, dict[int, list[DirectedType]]]:
    """By record, of some (record, after): the others that follow in id order, at most `size` of each, and the types.

    `pair_types` are all of the pair. Records without associations are left out.
    """
    unlabeled = next(each for each in pair_types if each.type.is_unlabeled)
    pairs = sql.pages_of_others(unlabeled.type_id, asked, size)
    types = {each.type_id: each for each in pair_types}
    found: dict[int, dict[int, list[DirectedType]]] = {}
    for record, other in pairs:
        found.setdefault(record, {})[other] = [unlabeled]
    labels = AssociationEnd.objects.filter(
        record__in=sql.these(found),
        other__in=sql.these({other for _, other in pairs}),
        type_id__in=[type_id for type_id in types if type_id != unlabeled.type_id],
    )
    for record, other, type_id in labels.order_by("type_id").values_list("record_id", "other_id", "type_id"):
        if other in found[record]:
            found[record][other].append(types[type_id])
    return found


def described(other: int, types: Iterable[DirectedType]) -> dict[str, Any]:
    return {"toObjectId": str(other), "associationTypes": [with_label(each) for each in types]}


def with_label(directed: DirectedType) -> dict[str, Any]:
    """AssociationSpecWithLabel: null for the unlabeled type."""
    return {"category": directed.type.category, "typeId": directed.type_id, "label": directed.label or None}
