"""`/crm-object-schemas/v3/schemas`: object types of one's own. Thin over services.schema and services.labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from associations import querysets
from associations.errors import InUse
from associations.models import AssociationType, ObjectType
from associations.querysets import association_types, live_records
from associations.services import archiving, labels, schema
from associations.system_properties import moment
from associations.types import DirectedType
from crmproject.api.documenting import ARCHIVED, documented, query
from crmproject.api.errors import ApiError, bad_request, not_found, shown
from crmproject.api.paging import collection, read_id
from crmproject.api.reading import read_body, read_flag
from crmproject.api.scopes import CUSTOM, Needs, of_family

from . import property_bodies as bodies
from .base import CrmView, full_name, object_type_of, origin_of, refuse_many
from .definitions import all_properties, new_property

TAG = "CRM schemas"
# How the parts of a body are called here.
LISTS = {
    "required_properties": "required_properties",
    "searchable_properties": "searchable_properties",
    "secondary_display_properties": "secondary_properties",
}


class SchemaView(CrmView):
    def needs(self) -> Needs:
        if self.reads or not self.writes:
            scopes = (*of_family("schemas", CUSTOM, "read"), *of_family("objects", CUSTOM, "read"))
            return Needs(scopes, "associations.view_objecttype")
        verb = {"POST": "add", "DELETE": "delete"}.get(self.request.method or "", "change")
        return Needs(of_family("schemas", CUSTOM, "write"), f"associations.{verb}_objecttype")

    @property
    def found(self) -> ObjectType:
        """The object type of the address. Raises ApiError (404) if there is none."""
        try:
            return object_type_of(self.kwargs["objectType"])
        except ApiError as error:
            raise not_found(error.message) from None


class Schemas(SchemaView):
    """Object types of one's own."""

    name = "Object schemas"

    def example(self) -> Any:
        return {
            "name": "",
            "labels": {"singular": "", "plural": ""},
            "primaryDisplayProperty": "name",
            "requiredProperties": [],
            "properties": [{"name": "name", "label": "Name", "type": "string", "fieldType": "text"}],
            "associatedObjects": ["CONTACT"],
        }

    @documented(
        "List the object types of one's own",
        {200: bodies.CollectionResponseObjectSchema},
        parameters=[ARCHIVED],
        tag=TAG,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        if read_flag(request, "archived"):
            return Response(collection([]))
        own = ObjectType.objects.filter(is_builtin=False)
        return Response(collection([represent_schema(each) for each in own]))

    @documented(
        "Create an object type with its properties", {201: bodies.ObjectSchema}, body=bodies.ObjectSchemaEgg, tag=TAG
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.ObjectSchemaEgg)
        name = body.name.lower()
        if ObjectType.objects.filter(name=name).exists():
            raise ApiError(409, f"An object type named '{shown(name)}' already exists.")
        for word in body.associated_objects or ():  # every pair of types can be associated from the start
            if word.lower() not in (name, body.name):
                object_type_of(word)
        if not body.properties:
            raise bad_request("An object type needs at least one property; name it in properties.")
        object_type = schema.create_object_type(
            name=name,
            label=body.labels.singular or name,
            plural_label=body.labels.plural or body.labels.singular or name,
            description=body.description or "",
            primary_property=body.primary_display_property or body.properties[0].name,
            properties=[new_property(each) for each in body.properties],
            **given_lists(body),
        )
        return Response(represent_schema(object_type), status=201)


class OneSchema(SchemaView):
    """An object type."""

    name = "Object schema"

    def example(self) -> Any:
        return {"labels": {"singular": "", "plural": ""}} if self.request.method == "PATCH" else None

    @documented("Read an object type", {200: bodies.ObjectSchema}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response(represent_schema(self.found))

    @documented(
        "Change the words of an object type, and what its properties are for",
        {200: bodies.ObjectTypeDefinition},
        body=bodies.ObjectTypeDefinitionPatch,
        tag=TAG,
    )
    def patch(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.ObjectTypeDefinitionPatch)
        was = self.found
        words = body.labels or bodies.ObjectTypeDefinitionLabels()
        description = was.description if body.description is None else body.description
        changed = schema.update_object_type(
            was,
            label=words.singular or was.label,
            plural_label=words.plural or was.plural_label,
            description="" if body.clear_description else description,
            primary_property=body.primary_display_property,
            **given_lists(body),
        )
        return Response(represent_definition(changed))

    @documented(
        "Delete an object type that has no records; archived ones go with it for good",
        {204: None},
        parameters=[query("archived", "As HubSpot's clients say it; it makes no difference here", bool)],
        tag=TAG,
    )
    def delete(self, request: Request, **kwargs: str) -> Response:
        object_type = self.found
        with transaction.atomic():
            if not object_type.is_builtin:
                if count := live_records(object_type).count():
                    raise InUse(f"{object_type} cannot be deleted, for it has records", [f"{count:,} records"])
                archived = object_type.records.values_list("pk", flat=True)
                archiving.delete_records(object_type, archived, origin=origin_of(request))
            schema.delete_object_type(object_type)
        return self.empty()


class BatchRead(SchemaView):
    reads = True

    def example(self) -> Any:
        return {"inputs": ["0-1"]}

    @documented(
        "Read object types",
        {200: bodies.CollectionResponseObjectSchema},
        body=bodies.ObjectSchemaBatchReadRequest,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.ObjectSchemaBatchReadRequest)
        refuse_many(body.inputs)
        found = dict.fromkeys(object_type_of(word) for word in body.inputs)
        return Response(collection([represent_schema(each) for each in found]))


class Associations(SchemaView):
    """Ways in which records of an object type are associated."""

    def example(self) -> Any:
        return {"fromObjectTypeId": self.found.type_id, "toObjectTypeId": "0-1", "name": ""}

    @documented(
        "Define an association with another object type; without a name the one that every pair has",
        {201: bodies.AssociationDefinition},
        body=bodies.AssociationDefinitionEgg,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        here = self.found
        body = read_body(request, bodies.AssociationDefinitionEgg)
        from_type, to_type = object_type_of(body.from_object_type_id), object_type_of(body.to_object_type_id)
        if here not in (from_type, to_type):
            raise bad_request(f"The association should be one of {here}: from it or to it.")
        directed = querysets.unlabeled_type(from_type, to_type)
        if body.name:
            beside = querysets.types_of_pair(from_type, to_type)
            known = [each for each in beside if each.type.name == body.name]
            words = body.name.replace("_", " ").strip().capitalize()
            directed = known[0] if known else labels.create_label(from_type, to_type, label=words, name=body.name)
        return Response(represent_association(directed), status=201)


class OneAssociation(SchemaView):
    @documented("Delete an association definition that nothing uses", {204: None}, tag=TAG)
    def delete(self, request: Request, associationIdentifier: str, **kwargs: str) -> Response:  # noqa: N803
        here, id_ = self.found, read_id(associationIdentifier)
        sides = Q(from_object_type=here) | Q(to_object_type=here)
        names = Q(name=associationIdentifier) if id_ is None else Q(id=id_) | Q(inverse_id=id_)
        type_ = association_types().filter(sides & names).first()
        if type_ is None:
            raise not_found(f"{here} has no association {shown(associationIdentifier)!r}.")
        labels.delete_label(type_)
        return self.empty()


# Answers ------------------------------------------------------------------------------------------


def represent_definition(object_type: ObjectType) -> dict[str, Any]:
    return {
        "id": object_type.type_id,
        "objectTypeId": object_type.type_id,
        "fullyQualifiedName": full_name(object_type),
        "name": object_type.name.upper() if object_type.is_builtin else object_type.name,
        "labels": {"singular": object_type.label, "plural": object_type.plural_label},
        "description": object_type.description,
        "primaryDisplayProperty": object_type.primary_property,
        "secondaryDisplayProperties": object_type.secondary_properties,
        "requiredProperties": object_type.required_properties,
        "searchableProperties": object_type.searchable_properties,
        "archived": False,
        "createdAt": moment(object_type.created_at),
        "updatedAt": moment(object_type.updated_at),
    }


def represent_schema(object_type: ObjectType) -> dict[str, Any]:
    types = association_types().filter(Q(from_object_type=object_type) | Q(to_object_type=object_type))
    return {
        **represent_definition(object_type),
        "properties": all_properties(object_type),
        "associations": [represent_association(each) for each in _directions(types)],
    }


def _directions(types: Iterable[AssociationType]) -> Iterable[DirectedType]:
    for type_ in types:
        yield DirectedType(type_, outgoing=True)
        if not type_.is_symmetric:
            yield DirectedType(type_, outgoing=False)


def represent_association(directed: DirectedType) -> dict[str, Any]:
    pair = f"{full_name(directed.record_type)}_to_{full_name(directed.other_type)}"
    return {
        "id": str(directed.type_id),
        "fromObjectTypeId": directed.record_type.type_id,
        "toObjectTypeId": directed.other_type.type_id,
        "name": directed.type.name or pair.lower(),
        "createdAt": moment(directed.type.created_at),
        "updatedAt": moment(directed.type.updated_at),
    }


def given_lists(body: bodies.ObjectSchemaEgg | bodies.ObjectTypeDefinitionPatch) -> Mapping[str, Any]:
    return {ours: value for theirs, ours in LISTS.items() if (value := getattr(body, theirs)) is not None}
