"""`/crm/v3/limits/…`: how much of each limit is used. Reads only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from associations import querysets
from associations.models import ObjectType, Record
from associations.models.schema import MAX_LIMIT
from associations.services.usage import Near, near_limit, types_near_limit
from associations.types import DirectedType
from crmproject.api.documenting import documented, query
from crmproject.api.paging import collection
from crmproject.api.reading import Model
from crmproject.api.scopes import Needs
from crmproject.api.views import ApiView

from .base import object_type_of
from .labels import ANY_READ

TAG = "CRM limits"
SAMPLES = 10


class LimitedType(Model):
    object_type_id: str
    singular_label: str
    plural_label: str


class AssociationLabelLimit(Model):
    from_object_type: LimitedType
    to_object_type: LimitedType
    all_labels: list[str]
    limit: int
    usage: int
    percentage: float


class CollectionResponseLabelLimits(Model):
    results: list[AssociationLabelLimit]


class TypeNearLimit(LimitedType):
    has_records_at_limit: bool
    has_records_near_limit: bool


class CollectionResponseTypesNearLimit(Model):
    results: list[TypeNearLimit]


class LimitSample(Model):
    object_id: int
    label: str
    usage: int | None = None
    percentage: float | None = None


class AssociationRecordLimit(Model):
    limit: int
    total_records_at_limit: int
    total_records_near_limit: int
    at_limit_from_record_samples: list[LimitSample]
    near_limit_from_record_samples: list[LimitSample]


class LimitView(ApiView):
    def needs(self) -> Needs:
        return Needs(ANY_READ, "associations.view_associationtype")


class LabelLimits(LimitView):
    """How many labels each pair of object types has."""

    name = "Label limits"

    @documented(
        "How many labels pairs of object types have",
        {200: CollectionResponseLabelLimits},
        parameters=[query("fromObjectTypeId", "Only pairs from this type"), query("toObjectTypeId", "… to this one")],
        tag=TAG,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        chosen = [
            object_type_of(word) if (word := request.query_params.get(name)) else None
            for name in ("fromObjectTypeId", "toObjectTypeId")
        ]
        pairs: dict[tuple[ObjectType, ObjectType], list[DirectedType]] = {}
        for type_ in querysets.association_types().exclude(name=""):
            for directed in dict.fromkeys((DirectedType(type_, True), DirectedType(type_, False))):
                pair = (directed.record_type, directed.other_type)
                if all(wanted in (None, side) for wanted, side in zip(chosen, pair, strict=True)):
                    pairs.setdefault(pair, []).append(directed)
        return Response(collection([self._represent(*pair, types) for pair, types in pairs.items()]))

    def _represent(self, from_type: ObjectType, to_type: ObjectType, types: list[DirectedType]) -> dict[str, Any]:
        usage, most = len({each.type.pk for each in types}), settings.LABELS_PER_PAIR
        return {
            "fromObjectType": represent_type(from_type),
            "toObjectType": represent_type(to_type),
            "allLabels": list(dict.fromkeys(each.label for each in types)),
            **used(usage, most),
        }


class TypesFrom(LimitView):
    """Object types with records that are at or near a limit."""

    name = "Object types near limits"

    @documented("Object types with records near a limit", {200: CollectionResponseTypesNearLimit}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        near: dict[ObjectType, Near] = {}
        for (from_type, _), at in types_near_limit(querysets.association_types()).items():
            near[from_type] = at + near.get(from_type, Near())
        return Response(collection(represent_near(near)))


class TypesTo(LimitView):
    """Object types to which a type has records that are at or near a limit."""

    name = "Object types near limits"

    @documented("Object types to which records are near a limit", {200: CollectionResponseTypesNearLimit}, tag=TAG)
    def get(self, request: Request, fromObjectTypeId: str, **kwargs: str) -> Response:  # noqa: N803
        here = object_type_of(fromObjectTypeId)
        types = querysets.association_types().filter(Q(from_object_type=here) | Q(to_object_type=here))
        near = {to: at for (from_type, to), at in types_near_limit(types).items() if from_type == here}
        return Response(collection(represent_near(near)))


class RecordsNear(LimitView):
    """Records of one type that are at or near the limit of another one."""

    name = "Records near the limit"

    @documented("Records at or near the limit of a pair", {200: AssociationRecordLimit}, tag=TAG)
    def get(self, request: Request, fromObjectTypeId: str, toObjectTypeId: str, **kwargs: str) -> Response:  # noqa: N803
        unlabeled = querysets.unlabeled_type(object_type_of(fromObjectTypeId), object_type_of(toObjectTypeId))
        most = unlabeled.max_to or MAX_LIMIT
        at, near = near_limit(unlabeled, most)
        labels = {
            each.pk: str(each)
            for each in Record.objects.filter(pk__in=[*list(at)[:SAMPLES], *list(near)[:SAMPLES]]).select_related(
                "object_type"
            )
        }
        return Response(
            {
                "limit": most,
                "totalRecordsAtLimit": len(at),
                "totalRecordsNearLimit": len(near),
                "atLimitFromRecordSamples": [
                    {"objectId": id_, "label": labels.get(id_, "")} for id_ in list(at)[:SAMPLES]
                ],
                "nearLimitFromRecordSamples": [
                    {
                        "objectId": id_,
                        "label": labels.get(id_, ""),
                        "usage": near[id_],
                        "percentage": round(near[id_] / most * 100, 2),
                    }
                    for id_ in list(near)[:SAMPLES]
                ],
            }
        )


def used(usage: int, most: int) -> dict[str, Any]:
    return {"usage": usage, "limit": most, "percentage": round(usage / most * 100, 2)}


def represent_type(object_type: ObjectType) -> dict[str, str]:
    return {
        "objectTypeId": object_type.type_id,
        "singularLabel": object_type.label,
        "pluralLabel": object_type.plural_label,
    }


def represent_near(near: dict[ObjectType, Near]) -> list[dict[str, Any]]:
    return [
        {**represent_type(object_type), "hasRecordsAtLimit": found.at, "hasRecordsNearLimit": found.near}
        for object_type, found in near.items()
    ]
