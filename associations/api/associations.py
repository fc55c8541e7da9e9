"""`/crm/v4/…/associations/…`: associate two records, label, read and remove; one pair at a time.

Thin over services.associating and services.linking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from associations import querysets
from associations.errors import Missing
from associations.models import ObjectType
from associations.querysets import live_records
from associations.services import linking
from associations.services.associating import associate_each
from associations.types import DirectedType
from crmproject.api.documenting import AFTER, documented, limit
from crmproject.api.errors import ApiError, bad_request, not_found
from crmproject.api.paging import collection, next_page, read_after, read_limit
from crmproject.api.reading import read_body
from crmproject.api.scopes import Needs, of_family

from . import association_bodies as bodies
from .base import CrmView, body_id, family_of, full_name, object_type_of, path_id
from .bodies import AssociationSpec
from .objects import types_named
from .reading_associations import PAGE, described, others_of

TAG = "CRM associations"
TOO_MANY = "You can only request at most 500 associations at once"
Pair = tuple[int, int]


class PairView(CrmView):
    """A view of the associations from one object type (`object_type`) to another one (`other_type`).

    Takes a scope of either of the two, as a pair belongs to both.
    """

    from_word, to_word = "fromObjectType", "toObjectType"

    @cached_property
    def object_type(self) -> ObjectType:
        return object_type_of(self.kwargs[self.from_word])

    @cached_property
    def other_type(self) -> ObjectType:
        return object_type_of(self.kwargs[self.to_word])

    @cached_property
    def types(self) -> list[DirectedType]:
        return querysets.types_of_pair(self.object_type, self.other_type)

    @property
    def unlabeled(self) -> DirectedType:
        return next(each for each in self.types if each.type.is_unlabeled)

    def needs(self) -> Needs:
        reads = self.reads or not self.writes
        verb = "read" if reads else "write"
        families = dict.fromkeys((family_of(self.object_type), family_of(self.other_type)))
        scopes = [scope for family in families for scope in of_family("objects", family, verb)]
        return Needs(tuple(scopes), "associations.view_record" if reads else "associations.change_record")

    def types_of(self, specs: Sequence[AssociationSpec]) -> dict[int, DirectedType]:
        """The types that these name. Raises ApiError for one that does not lead from the one type to the other."""
        types = types_named(specs)
        for type_id, each in types.items():
            if (each.record_type, each.other_type) != (self.object_type, self.other_type):
                raise bad_request(
                    f"Association type {type_id} leads from {each.record_type.name} to {each.other_type.name},"
                    f" not from {self.object_type.name} to {self.other_type.name}."
                )
        return types

    def associate(self, wanted: Mapping[Pair, Sequence[DirectedType]]) -> None:
        """Associate pairs; the labels that are named are those that they have then."""
        try:
            associate_each(self.unlabeled, wanted, origin=self.origin, replace=True)
        except Missing as error:
            raise self.invalid_ids(error) from None

    def invalid_ids(self, error: Missing) -> ApiError:
        missing_type = self.object_type if error.object_type == self.object_type.label else self.other_type
        name, ids = full_name(missing_type), [str(id_) for id_ in error.ids[:20]]
        return bad_request(
            "One or more associations are invalid",
            context={
                "INVALID_OBJECT_IDS": [f"{name}={id_} is not valid" for id_ in ids],
                "objectId": ids,
                "objectType": [name],
            },
        )

    def represent_default(self, pairs: Iterable[Pair]) -> list[dict[str, Any]]:
        """What a default association is told as: both its directions."""
        there, back = spec_of(self.unlabeled), spec_of(self.unlabeled.reverse)
        return [
            {"from": {"id": str(record)}, "to": {"id": str(other)}, "associationSpec": spec}
            for pair in pairs
            for record, other, spec in ((*pair, there), (*pair[::-1], back))
        ]

    def represent_pair(self, pair: Pair, labels: Iterable[DirectedType]) -> dict[str, Any]:
        record, other = pair
        return {
            "fromObjectTypeId": self.object_type.type_id,
            "fromObjectId": str(record),
            "toObjectTypeId": self.other_type.type_id,
            "toObjectId": str(other),
            "labels": [each.label for each in dict.fromkeys(labels) if each.label],
        }

    def page_of_others(
        self, request: Request, record_id: str
    ) -> tuple[dict[int, list[DirectedType]], dict[str, Any] | None]:
        """The records that a record is associated with, a page of them with the types of each, and the next page.

        Raises ApiError where there is no such record.
        """
        record = path_id(record_id)
        size = read_limit(request, default=PAGE, most=PAGE, too_many=TOO_MANY)
        after = read_after(request.query_params.get("after"))
        if not live_records(self.object_type, [record]).exists():
            raise not_found()
        found = others_of(self.types, [(record, after)], size + 1).get(record, {})
        others = list(found)[:size]
        return {other: found[other] for other in others}, next_page(request, others[-1]) if len(found) > size else None


def spec_of(directed: DirectedType) -> dict[str, Any]:
    return {"associationCategory": directed.type.category, "associationTypeId": directed.type_id}


class RecordAssociations(PairView):
    """Records of one type that a record is associated with."""

    name = "Associations of a record"
    from_word = "objectType"

    @documented(
        "List the records of a type that a record is associated with, and as what",
        {200: bodies.CollectionResponseMultiAssociatedObjectWithLabel},
        parameters=[limit(500, 500), AFTER],
        tag=TAG,
    )
    def get(self, request: Request, objectId: str, **kwargs: str) -> Response:  # noqa: N803 - HubSpot's words
        found, paging = self.page_of_others(request, objectId)
        return Response(collection([described(other, types) for other, types in found.items()], paging))


class Association(PairView):
    """The association of two records."""

    name = "Association"
    from_word = "objectType"

    def example(self) -> Any:
        return [spec_of(self.unlabeled)] if self.request.method == "PUT" else None

    @property
    def pair(self) -> Pair:
        return path_id(self.kwargs["objectId"]), path_id(self.kwargs["toObjectId"])

    @documented(
        "Associate two records with labels, which take the place of those that they have",
        {201: bodies.LabelsBetweenObjectPair},
        body=bodies.AssociationSpecs,
        tag=TAG,
    )
    def put(self, request: Request, **kwargs: str) -> Response:
        specs = read_body(request, bodies.AssociationSpecs).root
        if not specs:
            raise bad_request("Name at least one association type; the address with /default/ takes none.")
        known = self.types_of(specs)
        types = [known[spec.association_type_id] for spec in specs]
        self.associate({self.pair: types})
        return Response(self.represent_pair(self.pair, types), status=201)

    @documented("Remove the association of two records with all its labels", {204: None}, tag=TAG)
    def delete(self, request: Request, **kwargs: str) -> Response:
        linking.disassociate(self.unlabeled, [self.pair], origin=self.origin)
        return self.empty()


class DefaultAssociation(PairView):
    """The association of two records, without a label."""

    name = "Default association"

    @documented("Associate two records without a label", {200: bodies.BatchResponsePublicDefaultAssociation}, tag=TAG)
    def put(self, request: Request, fromObjectId: str, toObjectId: str, **kwargs: str) -> Response:  # noqa: N803
        pair = path_id(fromObjectId), path_id(toObjectId)
        self.associate({pair: []})
        return self.batch(self.represent_default([pair]))


def pair_of(from_id: str, to_id: str) -> Pair:
    return body_id(from_id), body_id(to_id)
