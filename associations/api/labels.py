"""`/crm/v4/associations/{from}/{to}/labels` and `/crm/associations/v4/definitions/configurations/…`: association labels
and limits. Thin over services.labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from associations import querysets
from associations.services import labels
from associations.types import DirectedType
from crmproject.api.documenting import documented
from crmproject.api.errors import bad_request, iso, not_found
from crmproject.api.paging import collection, read_id
from crmproject.api.reading import read_body
from crmproject.api.scopes import FAMILIES, Needs, of_family
from crmproject.api.views import ApiView

from . import association_bodies as bodies
from .associations import PairView
from .base import refuse_many
from .reading_associations import with_label

TAG = "CRM association labels"
ANY_READ = tuple(scope for family in FAMILIES for scope in of_family("objects", family, "read"))


class DefinitionView(PairView):
    """A view of what a pair's association types are: the permissions of people are those of labels."""

    def needs(self) -> Needs:
        scopes = super().needs().scopes
        return Needs(scopes, f"associations.{'manage_labels' if self.writes else 'view_associationtype'}")

    def find(self, type_id: int | None) -> DirectedType:
        """The pair's type of an id, in this direction. Raises ApiError (404) if there is none."""
        for each in querysets.types_of_pair(self.object_type, self.other_type):
            if each.type_id == type_id:
                return each
        raise not_found(f"{self.object_type} and {self.other_type} have no association type {type_id}.")


class Labels(DefinitionView):
    """The association types of a pair of object types."""

    name = "Association labels"

    def example(self) -> Any:
        if self.request.method == "PUT":
            return {"associationTypeId": 0, "label": "", "inverseLabel": ""}
        return {"name": "", "label": "", "inverseLabel": ""}

    @documented("List labels, the unlabeled type first", {200: bodies.CollectionResponseAssociationLabel}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        types = querysets.types_of_pair(self.object_type, self.other_type)
        ordered = sorted(types, key=lambda each: (not each.type.is_unlabeled, each.type_id))
        return Response(collection([represent_label(each) for each in ordered]))

    @documented(
        "Create a label; with an inverse label a paired one",
        {200: bodies.CollectionResponseAssociationLabel},
        body=bodies.PublicAssociationDefinitionCreateRequest,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.PublicAssociationDefinitionCreateRequest)
        made = labels.create_label(
            self.object_type,
            self.other_type,
            label=body.label,
            inverse_label=body.inverse_label or "",
            name=body.name or "",
        )
        return Response(collection([represent_label(each) for each in dict.fromkeys((made, made.reverse))]))

    @documented(
        "Change the words of a label", {204: None}, body=bodies.PublicAssociationDefinitionUpdateRequest, tag=TAG
    )
    def put(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.PublicAssociationDefinitionUpdateRequest)
        label = self.find(body.association_type_id)
        inverse = body.inverse_label
        if inverse is None and label.type.is_paired:
            inverse = DirectedType(label.type, not label.outgoing).label
        labels.rename_label(label, label=body.label, inverse_label=inverse or "")
        return self.empty()


class Label(DefinitionView):
    """A label."""

    name = "Association label"

    @documented("Delete a label that nothing uses", {204: None}, tag=TAG)
    def delete(self, request: Request, associationTypeId: str, **kwargs: str) -> Response:  # noqa: N803
        labels.delete_label(self.find(read_id(associationTypeId)).type)
        return self.empty()


def represent_label(directed: DirectedType) -> dict[str, Any]:
    return {
        **with_label(directed),
        "fromObjectTypeId": directed.record_type.type_id,
        "toObjectTypeId": directed.other_type.type_id,
    }


# Limits -------------------------------------------------------------------------------------------


class AllConfigurations(ApiView):
    """Every limit that is set."""

    name = "Association limits"

    def needs(self) -> Needs:
        return Needs(ANY_READ, "associations.view_associationtype")

    @documented("List every limit", {200: bodies.CollectionResponseConfiguration}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        limited = querysets.association_types().filter(Q(max_to__isnull=False) | Q(inverse_max_to__isnull=False))
        sides = [DirectedType(type_, outgoing) for type_ in limited for outgoing in (True, False)]
        return Response(collection(represent_limits(sides)))


class Configurations(DefinitionView):
    """The limits of a pair of object types."""

    name = "Association limits of a pair"

    @documented("List the limits of a pair", {200: bodies.CollectionResponseConfiguration}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response(collection(represent_limits(querysets.types_of_pair(self.object_type, self.other_type))))


class SetConfigurations(DefinitionView):
    """Set limits: for one record, the most others under a type."""

    status = 201

    def example(self) -> Any:
        return {
            "inputs": [
                {
                    "category": self.unlabeled.type.category,
                    "typeId": self.unlabeled.type_id,
                    "maxToObjectIds": 1,
                }
            ]
        }

    @documented(
        "Set limits",
        {201: bodies.BatchResponseConfiguration},
        body=bodies.BatchInputPublicAssociationDefinitionConfigurationRequest,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputPublicAssociationDefinitionConfigurationRequest).inputs
        refuse_many(inputs)
        with transaction.atomic():
            changed = [self.limit(each, each.max_to_object_ids) for each in inputs]
        return self.batch(represent_limits(changed), self.status)

    def limit(self, spec: bodies.PublicAssociationSpec, most: int | None) -> DirectedType:
        """Set the limit of one direction; the other one stays, unless both are the same."""
        directed = self.find(spec.type_id)
        if directed.type.category != spec.category:
            raise bad_request(f"Association type {spec.type_id} is {directed.type.category}, not {spec.category}.")
        inverse = most if directed.type.is_symmetric else directed.reverse.max_to
        try:
            labels.set_limits(directed, max_to=most, inverse_max_to=inverse)
        except ValidationError as error:  # the service's names of the two directions say nothing here
            raise bad_request(f"maxToObjectIds of type {spec.type_id}: {' '.join(error.messages)}") from None
        return directed


class UpdateConfigurations(SetConfigurations):
    status = 200

    @documented(
        "Change limits",
        {200: bodies.BatchResponseConfiguration},
        body=bodies.BatchInputPublicAssociationDefinitionConfigurationRequest,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        return super().post(request, **kwargs)


class PurgeConfigurations(SetConfigurations):
    @documented("Take limits away", {204: None}, body=bodies.BatchInputPublicAssociationSpec, tag=TAG)
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputPublicAssociationSpec).inputs
        refuse_many(inputs)
        with transaction.atomic():
            for each in inputs:
                self.limit(each, None)
        return self.empty()


def represent_limits(sides: Sequence[DirectedType]) -> list[dict[str, Any]]:
    """The limits of those that have one."""
    return [
        {
            "category": each.type.category,
            "typeId": each.type_id,
            "label": each.label or None,
            "userEnforcedMaxToObjectIds": each.max_to,
        }
        for each in dict.fromkeys(sides)
        if each.max_to is not None
    ]


class HighUsageReport(ApiView):
    """Ask for a report of records that are near their limits."""

    def needs(self) -> Needs:
        return Needs(ANY_READ, "associations.view_associationtype")

    @documented(
        "Take note of the wish for a report. This server sends no mail: /crm/v3/limits/associations has the figures",
        {200: bodies.ReportCreationResponse},
        tag=TAG,
    )
    def post(self, request: Request, userId: str, **kwargs: str) -> Response:  # noqa: N803
        user = get_user_model().objects.filter(pk=read_id(userId) or 0).first()
        if user is None:
            raise not_found(f"There is no user {userId[:40]}.")
        answer = {"userId": user.pk, "userEmail": user.get_username(), "enqueueTime": iso(self.began)}
        return Response(answer | ({"userEmail": user.email} if getattr(user, "email", "") else {}))
