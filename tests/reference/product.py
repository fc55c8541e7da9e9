"""The product's whole state in the words of the reference model, read straight from its tables."""

from __future__ import annotations

from collections import Counter
from typing import Any

from associations import querysets
from associations.models import (
    Association,
    AssociationChange,
    AssociationEnd,
    AssociationType,
    MatchIndex,
    MatchKey,
    UniqueValue,
)
from associations.models import Record as ProductRecord
from associations.types import DirectedType

from .model import Model
from .parts import Record, Type
from .values import COMPARISONS, normalized

Groups = set[frozenset[int]]


def as_type(directed: DirectedType) -> Type:
    return Type(
        id=directed.type_id,
        inverse=directed.reverse.type_id,
        record_type=directed.record_type.name,
        other_type=directed.other_type.name,
        is_unlabeled=directed.type.is_unlabeled,
        is_primary=directed.type.is_primary,
        is_builtin=directed.type.category == AssociationType.Category.HUBSPOT_DEFINED,
    )


def directed(type_: Type) -> DirectedType:
    return querysets.directed_type(type_.id)


def groups(keys: list[tuple[int, Any]]) -> Groups:
    """Which records have the same key."""
    by_key: dict[Any, set[int]] = {}
    for record, key in keys:
        by_key.setdefault(bytes(key) if not isinstance(key, str) else key, set()).add(record)
    return {frozenset(records) for records in by_key.values()}


def product_state(type_names: tuple[str, ...]) -> dict[str, Any]:
    limits: dict[int, int | None] = {}
    types = AssociationType.objects.filter(from_object_type__name__in=type_names, to_object_type__name__in=type_names)
    for type_ in types:
        limits |= {type_.id: type_.max_to, type_.inverse_id: type_.inverse_max_to}
    indexes = MatchIndex.objects.select_related("property__object_type")
    return {
        "records": {
            each.pk: Record(each.object_type.name, each.properties, each.archived_at is not None, each.merged_into_id)
            for each in ProductRecord.objects.select_related("object_type")
        },
        "links": set(AssociationEnd.objects.values_list("record", "type_id", "other")),
        "limits": limits,
        "holders": {
            (name, frozenset(group))
            for name in ("email", "domain")
            for group in groups(list(UniqueValue.objects.filter(property__name=name).values_list("record", "key")))
        },
        "keys": {
            (index.property.object_type.name, index.property.name, index.comparison): groups(
                list(MatchKey.objects.filter(index=index).values_list("record", "key"))
            )
            for index in indexes
        },
    }


def model_state(model: Model, indexes: list[tuple[str, str, str]]) -> dict[str, Any]:
    """The same of the model; `indexes` are the match indexes that the product keeps."""

    def equal(type_name: str, name: str, comparison: str) -> Groups:
        same = COMPARISONS[comparison]
        live = [(record, same(model.value(record, name))) for record in model.live(type_name)]
        return groups([(record, key) for record, key in live if key])

    return {
        "records": model.records,
        "links": model.links,
        "limits": {type_id: model.limits.get(type_id) for type_id in model.types},
        "holders": {
            (name, frozenset({record}))
            for type_name, names in model.unique.items()
            for name in names
            for record in model.live(type_name)
            if normalized(model.value(record, name))
        },
        "keys": {index: equal(*index) for index in indexes},
    }


def ledger_disagreements() -> Counter[tuple[int, int, int]]:
    """Where the ledger's additions less its removals are not what is there."""
    net: Counter[tuple[int, int, int]] = Counter()
    for source, type_, target, added in AssociationChange.objects.values_list("source", "type", "target", "added"):
        net[source, type_, target] += 1 if added else -1
    net.subtract(Association.objects.values_list("source_id", "type_id", "target_id"))
    return Counter({row: count for row, count in net.items() if count})
