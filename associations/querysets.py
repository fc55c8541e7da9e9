"""Named reads that services, admin and API share."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from .errors import Refused
from .models import AssociationType, ObjectType, Record
from .types import DirectedType


def live_records(object_type: ObjectType, ids: Iterable[int] | None = None) -> QuerySet[Record]:
    """The records of a type that are not archived, of all or of some ids."""
    records = Record.objects.filter(object_type=object_type, archived_at=None)
    return records if ids is None else records.filter(id__in=list(ids))


def association_types() -> QuerySet[AssociationType]:
    return AssociationType.objects.select_related("from_object_type", "to_object_type")


def types_of_pair(object_type: ObjectType, other: ObjectType) -> list[DirectedType]:
    """The unlabeled type and the labels of a pair, as `object_type` sees them; a paired label within one
    object type twice, once for each of its directions."""
    return [directed for directed in types_seen_from(object_type) if directed.other_type == other]


def unlabeled_type(object_type: ObjectType, other: ObjectType) -> DirectedType:
    """The type that every association of the pair has."""
    first, second = sorted((object_type, other), key=lambda each: each.pk)
    type_ = association_types().get(from_object_type=first, to_object_type=second, name="")
    return DirectedType(type_, outgoing=object_type == first)


def directed_type(type_id: int) -> DirectedType:
    """The type that a numeric type id names, in that id's direction. Refused if there is none."""
    type_ = association_types().filter(Q(id=type_id) | Q(inverse_id=type_id)).first()
    if type_ is None:
        raise Refused(f"There is no association type {type_id}.")
    return DirectedType(type_, outgoing=type_.id == type_id)


def primary_of(unlabeled: DirectedType) -> DirectedType | None:
    """The pair's Primary label, if one of the two is the company of the other."""
    type_ = (
        association_types()
        .filter(
            id__in=AssociationType.PRIMARY_IDS,
            from_object_type=unlabeled.type.from_object_type_id,
            to_object_type=unlabeled.type.to_object_type_id,
        )
        .first()
    )
    return DirectedType(type_, unlabeled.outgoing) if type_ else None


def types_seen_from(object_type: ObjectType) -> list[DirectedType]:
    """Every association type that records of a type can have, in all its directions from there."""
    directed = []
    for type_ in association_types().filter(Q(from_object_type=object_type) | Q(to_object_type=object_type)):
        if type_.from_object_type_id == object_type.pk:
            directed.append(DirectedType(type_, outgoing=True))
        if type_.to_object_type_id == object_type.pk and not type_.is_symmetric:
            directed.append(DirectedType(type_, outgoing=False))
    return directed
