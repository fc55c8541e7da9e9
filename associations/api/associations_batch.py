"""`/crm/v4/associations/{from}/{to}/batch/…`: up to 2,000 pairs in one request, all or none.

The same request twice gives the same state. Thin over services.associating and services.linking.
"""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from associations.services import linking
from associations.services.associating import disassociate_each
from associations.types import DirectedType
from crmproject.api.documenting import documented
from crmproject.api.errors import bad_request
from crmproject.api.paging import read_after
from crmproject.api.reading import read_body

from . import association_bodies as bodies
from .associations import Pair, PairView, pair_of, spec_of
from .base import body_id, refuse_many
from .reading_associations import PAGE, described, others_of

TAG = "CRM associations: batches"
MOST_WRITTEN, MOST_READ, MOST_PAIRS = 2_000, 1_000, 20_000


class BatchCreate(PairView):
    def example(self) -> Any:
        return {"inputs": [{"from": {"id": ""}, "to": {"id": ""}, "types": [spec_of(self.unlabeled)]}]}

    @documented(
        "Associate pairs with labels, which take the place of those that they have",
        {201: bodies.BatchResponseLabelsBetweenObjectPair},
        body=bodies.BatchInputPublicAssociationMultiPost,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        wanted = wanted_types(self, request)
        if bare := next((pair for pair, types in wanted.items() if not types), None):
            raise bad_request(f"The pair of {bare[0]} and {bare[1]} names no association type.")
        self.associate(wanted)
        return self.batch([self.represent_pair(pair, types) for pair, types in wanted.items()], 201)


class BatchDefault(PairView):
    def example(self) -> Any:
        return {"inputs": [{"from": {"id": ""}, "to": {"id": ""}}]}

    @documented(
        "Associate pairs without a label",
        {200: bodies.BatchResponsePublicDefaultAssociation},
        body=bodies.BatchInputPublicDefaultAssociationMultiPost,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputPublicDefaultAssociationMultiPost).inputs
        refuse_many(inputs, MOST_WRITTEN)
        pairs = list(dict.fromkeys(pair_of(each.from_.id, each.to.id) for each in inputs))
        self.associate(dict.fromkeys(pairs, ()))
        return self.batch(self.represent_default(pairs))


class BatchRead(PairView):
    reads = True

    def example(self) -> Any:
        return {"inputs": [{"id": ""}]}

    @documented(
        "Read whom records are associated with, and as what",
        {
            200: bodies.BatchResponsePublicAssociationMultiWithLabel,
            207: bodies.BatchResponsePublicAssociationMultiWithLabel,
        },
        body=bodies.BatchInputPublicFetchAssociationsBatchRequest,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputPublicFetchAssociationsBatchRequest).inputs
        refuse_many(inputs, MOST_READ)
        asked = {body_id(each.id): read_after(each.after) for each in inputs}
        found = others_of(self.types, list(asked.items()), PAGE + 1)
        results, errors = [], []
        for record, after in asked.items():
            if record in found:
                results.append(self._page(record, found[record]))
            elif after == 0:
                errors.append(self._none(record))
        return self.batch(results, errors=errors)

    def _page(self, record: int, found: dict[int, list[DirectedType]]) -> dict[str, Any]:
        others = list(found)[:PAGE]
        path = f"/crm/v4/objects/{self.object_type.type_id}/{record}/associations/{self.other_type.type_id}"
        link = f"{self.request.build_absolute_uri(path)}?after={others[-1]}"
        paging = {"paging": {"next": {"after": str(others[-1]), "link": link}}} if len(found) > PAGE else {}
        return {"from": {"id": str(record)}, "to": [described(other, found[other]) for other in others], **paging}

    def _none(self, record: int) -> dict[str, Any]:
        names = self.object_type.name, self.other_type.name
        return {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"No {names[1]} is associated with {names[0]} {record}.",
            "context": {
                "fromObjectId": [str(record)],
                "fromObjectType": [names[0]],
                "toObjectType": [names[1]],
            },
        }


class BatchArchive(PairView):
    def example(self) -> Any:
        return {"inputs": [{"from": {"id": ""}, "to": [{"id": ""}]}]}

    @documented(
        "Remove associations with all their labels",
        {204: None},
        body=bodies.BatchInputPublicAssociationMultiArchive,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputPublicAssociationMultiArchive).inputs
        refuse_many(inputs, MOST_WRITTEN)
        pairs = [pair_of(each.from_.id, to.id) for each in inputs for to in each.to]
        refuse_many(pairs, MOST_PAIRS, "a batch request, counted in pairs,")
        linking.disassociate(self.unlabeled, pairs, origin=self.origin)
        return self.empty()


class BatchArchiveLabels(PairView):
    def example(self) -> Any:
        return {"inputs": [{"from": {"id": ""}, "to": {"id": ""}, "types": [spec_of(self.unlabeled)]}]}

    @documented(
        "Take labels off associations; the unlabeled type takes the association with it",
        {204: None},
        body=bodies.BatchInputPublicAssociationMultiPost,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        disassociate_each(self.unlabeled, wanted_types(self, request), origin=self.origin)
        return self.empty()


def wanted_types(view: PairView, request: Request) -> dict[Pair, list[DirectedType]]:
    """The pairs of a request with their types; a pair that occurs twice has those of both."""
    inputs = read_body(request, bodies.BatchInputPublicAssociationMultiPost).inputs
    refuse_many(inputs, MOST_WRITTEN)
    types = view.types_of([spec for each in inputs for spec in each.types])
    wanted: dict[Pair, list[DirectedType]] = {}
    for each in inputs:
        pair = pair_of(each.from_.id, each.to.id)
        wanted.setdefault(pair, []).extend(types[spec.association_type_id] for spec in each.types)
    return wanted
