"""`/crm/v3/objects/{objectType}`: list, read, create, change, archive, merge. Thin over the services of records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from associations.errors import Refused
from associations.models import ObjectType, Record
from associations.querysets import live_records
from associations.services import archiving
from associations.services.associating import NewRecord, create_records, directed_types
from associations.services.merging import merge_records
from associations.services.records import RecordInput, save_records
from associations.system_properties import COLUMNS
from associations.types import DirectedType
from crmproject.api.documenting import AFTER, ARCHIVED, documented, limit, names, query
from crmproject.api.errors import ApiError, bad_request, not_found
from crmproject.api.paging import collection, next_page, read_after, read_limit
from crmproject.api.reading import read_body, read_flag, read_names

from . import bodies
from .base import CrmView, body_id, full_name, object_type_of
from .finding import find_live_id, find_record
from .records import association_block, associations_of, histories_of, represent, represent_saved, shown_names

TAG = "CRM objects"
WITH_HISTORY_MOST = 50
PROPERTIES = names("properties", "Which properties to show; without: a few")
WITH_HISTORY = names("propertiesWithHistory", "Of which properties to show the values they had")
ASSOCIATIONS = names("associations", "Object types whose associated records to name")
ID_PROPERTY = query("idProperty", "A unique property whose value stands in the address instead of the id")


class Shown:
    """What the query parameters of a reading request ask to see."""

    def __init__(self, request: Request, object_type: ObjectType) -> None:
        self.request, self.object_type = request, object_type
        self.with_history = read_names(request, "propertiesWithHistory")
        self.properties = shown_names(object_type, [*read_names(request, "properties"), *self.with_history])
        self.others = list(dict.fromkeys(map(object_type_of, read_names(request, "associations"))))

    def represent(self, records: Sequence[Record], path: str) -> list[dict[str, Any]]:
        """`path` is the address of the records' collection."""
        found = associations_of(records, self.object_type, self.others) if self.others else {}
        histories = histories_of(records, self.with_history) if self.with_history else {}
        address = self.request.build_absolute_uri(path)
        answers = []
        for record in records:
            more: dict[str, Any] = {}
            if record.pk in histories:
                more["propertiesWithHistory"] = histories[record.pk]
            if record.pk in found:
                more["associations"] = association_block(found[record.pk], f"{address}/{record.pk}/associations")
            answers.append(represent(record, self.properties, **more))
        return answers


class Objects(CrmView):
    """Records of an object type."""

    name = "Records"

    def example(self) -> Any:
        return {"properties": example_properties(self.object_type), "associations": []}

    @documented(
        "List records, in the order of their ids",
        {200: bodies.CollectionResponseSimplePublicObjectWithAssociations},
        parameters=[limit(10, 100), AFTER, PROPERTIES, WITH_HISTORY, ASSOCIATIONS, ARCHIVED],
        tag=TAG,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        shown = Shown(request, self.object_type)
        most = WITH_HISTORY_MOST if shown.with_history else 100
        size = read_limit(request, default=10, most=most)
        records = live_records(self.object_type)
        if read_flag(request, "archived"):
            records = Record.objects.filter(object_type=self.object_type, merged_into=None).exclude(archived_at=None)
        after = read_after(request.query_params.get("after"))
        found = list(records.filter(pk__gt=after).order_by("pk")[: size + 1])
        page = found[:size]
        paging = next_page(request, page[-1].pk) if len(found) > size else None
        return Response(collection(shown.represent(page, request.path), paging))

    @documented(
        "Create a record, associated or not",
        {201: bodies.SimplePublicObject},
        body=bodies.SimplePublicObjectInputForCreate,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.SimplePublicObjectInputForCreate)
        refuse_read_only(body.properties)
        [new] = new_records([body])
        [record] = create_records(self.object_type, [new], origin=self.origin).records
        return Response(represent_saved(self.object_type, record, body.properties), status=201)


class Object(CrmView):
    """One record."""

    name = "Record"
    write_permissions = {"PATCH": "change_record", "DELETE": "change_record"}

    def example(self) -> Any:
        return {"properties": example_properties(self.object_type)} if self.request.method == "PATCH" else None

    @property
    def id_property(self) -> str | None:
        return self.request.query_params.get("idProperty")

    @documented(
        "Read a record",
        {200: bodies.SimplePublicObjectWithAssociations},
        parameters=[PROPERTIES, WITH_HISTORY, ASSOCIATIONS, ARCHIVED, ID_PROPERTY],
        tag=TAG,
    )
    def get(self, request: Request, objectId: str, **kwargs: str) -> Response:  # noqa: N803 - HubSpot's words
        shown = Shown(request, self.object_type)
        archived = read_flag(request, "archived")
        record = find_record(self.object_type, objectId, self.id_property, archived=archived)
        [answer] = shown.represent([record], request.path.rpartition("/")[0])
        return Response(answer)

    @documented(
        "Change properties of a record",
        {200: bodies.SimplePublicObject},
        body=bodies.SimplePublicObjectInput,
        parameters=[ID_PROPERTY],
        tag=TAG,
    )
    def patch(self, request: Request, objectId: str, **kwargs: str) -> Response:  # noqa: N803
        body = read_body(request, bodies.SimplePublicObjectInput)
        refuse_read_only(body.properties)
        id_ = find_live_id(self.object_type, objectId, self.id_property)
        changed = RecordInput(body.properties, id=id_)
        [record] = save_records(self.object_type, [changed], origin=self.origin).records
        return Response(represent_saved(self.object_type, record, body.properties))

    @documented("Archive a record", {204: None}, tag=TAG)
    def delete(self, request: Request, objectId: str, **kwargs: str) -> Response:  # noqa: N803
        id_ = find_live_id(self.object_type, objectId, None)
        if not Record.objects.filter(object_type=self.object_type, pk=id_).exists():
            raise not_found()
        archiving.archive_records(self.object_type, [id_], origin=self.origin)
        return self.empty()


class Merge(CrmView):
    """Merge two records of one type."""

    write_permissions = {"POST": "change_record"}

    def example(self) -> Any:
        return {"primaryObjectId": "", "objectIdToMerge": ""}

    @documented(
        "Merge one record into another, which keeps the union of their associations",
        {200: bodies.SimplePublicObject},
        body=bodies.PublicMergeInput,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.PublicMergeInput)
        survivor, merged = body_id(body.primary_object_id), body_id(body.object_id_to_merge)
        record = merge_records(self.object_type, survivor, merged, origin=self.origin)
        return Response(represent(record, shown_names(self.object_type, [])))


class GdprDelete(CrmView):
    """Delete a record for good, with everything that holds its values."""

    write_permissions = {"POST": "delete_record"}

    def example(self) -> Any:
        return {"objectId": ""}

    @documented("Delete a record for good", {204: None}, body=bodies.PublicGdprDeleteInput, tag=TAG)
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.PublicGdprDeleteInput)
        id_ = find_live_id(self.object_type, body.object_id, body.id_property)
        if not archiving.delete_records(self.object_type, [id_], origin=self.origin):
            raise not_found()
        return self.empty()


# Reading bodies ---------------------------------------------------------------------------------


def new_records(inputs: Sequence[bodies.SimplePublicObjectInputForCreate]) -> list[NewRecord]:
    """The records to create, their associations' types looked up by one query for all of them."""
    specs = [spec for each in inputs for to in each.associations or () for spec in to.types]
    types = types_named(specs)
    return [
        NewRecord(
            each.properties,
            [
                (body_id(association.to.id), [types[spec.association_type_id] for spec in association.types])
                for association in each.associations or ()
            ],
        )
        for each in inputs
    ]


def types_named(specs: Sequence[bodies.AssociationSpec]) -> dict[int, DirectedType]:
    """The association types by their ids. Raises ApiError for one that there is none of, or of another category."""
    if not specs:
        return {}
    try:
        types = directed_types(spec.association_type_id for spec in specs)
    except Refused as error:
        raise bad_request(str(error)) from None
    for spec in specs:
        type_ = types[spec.association_type_id].type
        if type_.category != spec.association_category:
            raise bad_request(
                f"Association type {spec.association_type_id} is {type_.category}, not {spec.association_category}."
            )
    return types


def refuse_read_only(properties: Sequence[str] | dict[str, Any]) -> None:
    """What the system keeps cannot be set."""
    if read_only := [name for name in properties if name in COLUMNS]:
        raise read_only_error(read_only[0])


def read_only_error(name: str) -> ApiError:
    return bad_request(
        f'Property values were not valid: [{{"isValid":false,"message":"{name} is read-only; leave it out.",'
        f'"error":"READ_ONLY_VALUE","name":"{name}"}}]',
        errors=[{"message": f"{name} is read-only; leave it out.", "code": "READ_ONLY_VALUE", "in": name}],
    )


def example_properties(object_type: ObjectType) -> dict[str, str]:
    return {object_type.primary_property: ""}


def missing_error(object_type: ObjectType, missing: Sequence[str]) -> dict[str, Any]:
    """The one error of a batch read that did not find all."""
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": (
            f"Could not get some {full_name(object_type)} objects, they may be deleted or not exist."
            " Check that ids are valid."
        ),
        "context": {"ids": list(missing)},
    }
