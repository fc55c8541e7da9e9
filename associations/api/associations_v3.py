"""The older addresses of associations, which many clients still use: types have names there (contact_to_company).

`/crm/v3/associations/{from}/{to}/batch/…` and `/crm/v3/objects/{type}/{id}/associations/{to}`. The same services as v4.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from associations import querysets
from associations.models import Record
from associations.services.associating import disassociate_each
from associations.types import DirectedType
from crmproject.api.documenting import AFTER, documented, limit
from crmproject.api.errors import bad_request, shown
from crmproject.api.paging import collection
from crmproject.api.reading import Id, Model, read_body

from . import bodies
from .association_bodies import FROM
from .associations import Pair, PairView, pair_of
from .associations_batch import MOST_READ, MOST_WRITTEN
from .base import body_id, path_id, refuse_many
from .reading_associations import PAGE, others_of
from .records import associations_of, represent_saved, type_names

TAG = "CRM associations, older addresses"


class PublicAssociation(Model):
    from_: bodies.PublicObjectId
    to: bodies.PublicObjectId
    type: Id

    model_config = FROM


class BatchInputPublicAssociation(Model):
    inputs: list[PublicAssociation]


class BatchResponsePublicAssociation(bodies.BatchResponse):
    results: list[PublicAssociation]


class PublicAssociationMulti(Model):
    from_: bodies.PublicObjectId
    to: list[bodies.AssociatedId]
    paging: bodies.Paging | None = None

    model_config = FROM


class BatchResponsePublicAssociationMulti(bodies.BatchResponse):
    results: list[PublicAssociationMulti]


class PublicAssociationDefinition(Model):
    id: str
    name: str


class CollectionResponsePublicAssociationDefinition(Model):
    results: list[PublicAssociationDefinition]


class NamedPairView(PairView):
    @cached_property
    def names(self) -> dict[int, str]:
        return type_names(self.object_type, self.other_type)

    def type_named(self, word: str) -> DirectedType:
        """The pair's type of a name, or of a numeric id. Raises ApiError for one that there is none of."""
        for each in querysets.types_of_pair(self.object_type, self.other_type):
            if word in (str(each.type_id), self.names[each.type_id]):
                return each
        known = ", ".join(self.names.values())
        raise bad_request(f"There is no association type {shown(word)!r} here; there are: {known}.")


class BatchRead(NamedPairView):
    reads = True

    def example(self) -> Any:
        return {"inputs": [{"id": ""}]}

    @documented(
        "Read whom records are associated with",
        {200: BatchResponsePublicAssociationMulti, 207: BatchResponsePublicAssociationMulti},
        body=bodies.BatchInputId,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputId).inputs
        refuse_many(inputs, MOST_READ)
        asked = dict.fromkeys((body_id(each.id) for each in inputs), 0)
        found = others_of(self.types, list(asked.items()), PAGE)
        results = [
            {
                "from": {"id": str(record)},
                "to": [
                    {"id": str(other), "type": self.names[each.type_id]}
                    for other, types in found[record].items()
                    for each in types
                ],
            }
            for record in asked
            if record in found
        ]
        return self.batch(results, errors=[self._none(record) for record in asked if record not in found])

    def _none(self, record: int) -> dict[str, Any]:
        names = self.object_type.name, self.other_type.name
        return {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"No {names[1]} is associated with {names[0]} {record}.",
            "context": {"fromObjectId": [str(record)], "fromObjectType": [names[0]], "toObjectType": [names[1]]},
        }


class BatchCreate(NamedPairView):
    def example(self) -> Any:
        return {"inputs": [{"from": {"id": ""}, "to": {"id": ""}, "type": self.names[self.unlabeled.type_id]}]}

    @documented("Associate pairs", {201: BatchResponsePublicAssociation}, body=BatchInputPublicAssociation, tag=TAG)
    def post(self, request: Request, **kwargs: str) -> Response:
        wanted = self.wanted(request)
        self.associate(wanted)
        results = [
            {"from": {"id": str(record)}, "to": {"id": str(other)}, "type": self.names[each.type_id]}
            for (record, other), types in wanted.items()
            for each in types
        ]
        return self.batch(results, 201)

    def wanted(self, request: Request) -> dict[Pair, list[DirectedType]]:
        inputs = read_body(request, BatchInputPublicAssociation).inputs
        refuse_many(inputs, MOST_WRITTEN)
        types = {word: self.type_named(word) for word in {each.type for each in inputs}}
        wanted: dict[Pair, list[DirectedType]] = {}
        for each in inputs:
            wanted.setdefault(pair_of(each.from_.id, each.to.id), []).append(types[each.type])
        return wanted


class BatchArchive(BatchCreate):
    @documented(
        "Take types off associations; the unlabeled one takes the association with it",
        {204: None},
        body=BatchInputPublicAssociation,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        disassociate_each(self.unlabeled, self.wanted(request), origin=self.origin)
        return self.empty()


class Types(NamedPairView):
    """The association types of a pair, by their names."""

    name = "Association types"

    @documented("List association types", {200: CollectionResponsePublicAssociationDefinition}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response(collection([{"id": str(id_), "name": name} for id_, name in self.names.items()]))


class RecordAssociations(NamedPairView):
    """Records of one type that a record is associated with."""

    name = "Associations of a record"
    from_word = "objectType"

    @documented(
        "List the records of a type that a record is associated with",
        {200: bodies.CollectionResponseAssociatedId},
        parameters=[limit(500, 500), AFTER],
        tag=TAG,
    )
    def get(self, request: Request, objectId: str, **kwargs: str) -> Response:  # noqa: N803 - HubSpot's words
        found, paging = self.page_of_others(request, objectId)
        results = [
            {"id": str(other), "type": self.names[each.type_id]} for other, types in found.items() for each in types
        ]
        return Response(collection(results, paging))


class Association(NamedPairView):
    """An association of two records under a type."""

    name = "Association"
    from_word = "objectType"

    @property
    def pair(self) -> Pair:
        return path_id(self.kwargs["objectId"]), path_id(self.kwargs["toObjectId"])

    @documented("Associate two records", {200: bodies.SimplePublicObjectWithAssociations}, tag=TAG)
    def put(self, request: Request, associationType: str, **kwargs: str) -> Response:  # noqa: N803
        self.associate({self.pair: [self.type_named(associationType)]})
        record = Record.objects.get(pk=self.pair[0])
        found = associations_of([record], self.object_type, [self.other_type]).get(record.pk, {})
        blocks = {
            key: {"results": [{"id": str(id_), "type": name} for id_, name in entries]}
            for key, entries in found.items()
        }
        return Response(represent_saved(self.object_type, record, (), associations=blocks))

    @documented("Take a type off an association; the unlabeled one takes the association with it", {204: None}, tag=TAG)
    def delete(self, request: Request, associationType: str, **kwargs: str) -> Response:  # noqa: N803
        wanted = {self.pair: [self.type_named(associationType)]}
        disassociate_each(self.unlabeled, wanted, origin=self.origin)
        return self.empty()
