"""`/crm/v3/properties/{objectType}`: the properties of an object type and their groups. Thin over services.schema."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from associations.models import ObjectType, Property, PropertyGroup
from associations.services import schema
from associations.services.property_groups import create_group, delete_group, update_group
from associations.system_properties import COLUMNS, as_property
from crmproject.api.documenting import ARCHIVED, documented
from crmproject.api.errors import ApiError, bad_request, not_found, shown
from crmproject.api.paging import collection
from crmproject.api.reading import read_body, read_flag
from crmproject.api.scopes import Needs, of_family

from . import property_bodies as bodies
from .base import CrmView, family_of, refuse_many
from .definitions import (
    all_properties,
    changes_of,
    find_group,
    find_property,
    new_property,
    no_property,
    represent_property,
)

TAG = "CRM properties"


class DefinitionView(CrmView):
    """Definitions: reading them takes a scope of the definitions or of the records, changing them one of the first."""

    model = "property"

    def needs(self) -> Needs:
        family = family_of(self.object_type)
        if self.reads or not self.writes:
            scopes = (*of_family("schemas", family, "read"), *of_family("objects", family, "read"))
            return Needs(tuple(dict.fromkeys(scopes)), f"associations.view_{self.model}")
        verb = {"POST": "add", "DELETE": "delete"}.get(self.request.method or "", "change")
        return Needs(of_family("schemas", family, "write"), f"associations.{verb}_{self.model}")


class Properties(DefinitionView):
    """Properties of an object type."""

    name = "Properties"

    def example(self) -> Any:
        return example_property(self.object_type)

    @documented("List properties", {200: bodies.CollectionResponseProperty}, parameters=[ARCHIVED], tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        sensitive = request.query_params.get("dataSensitivity", "non_sensitive") != "non_sensitive"
        if read_flag(request, "archived") or sensitive:
            return Response(collection([]))
        return Response(collection(all_properties(self.object_type)))

    @documented("Create a property", {201: bodies.Property}, body=bodies.PropertyCreate, tag=TAG)
    def post(self, request: Request, **kwargs: str) -> Response:
        [made] = create_properties(self.object_type, [read_body(request, bodies.PropertyCreate)])
        return Response(made, status=201)


class OneProperty(DefinitionView):
    """One property."""

    name = "Property"

    def example(self) -> Any:
        return {"label": "", "description": ""} if self.request.method == "PATCH" else None

    @documented("Read a property", {200: bodies.Property}, parameters=[ARCHIVED], tag=TAG)
    def get(self, request: Request, propertyName: str, **kwargs: str) -> Response:  # noqa: N803 - HubSpot's words
        if read_flag(request, "archived"):
            raise no_property(propertyName)
        if propertyName in COLUMNS:
            group = self.object_type.property_groups.first()
            system = as_property(self.object_type, propertyName)
            return Response(represent_property(system, group.name if group else ""))
        prop = find_property(self.object_type, propertyName)
        return Response(represent_property(prop, prop.group.name))

    @documented("Change a property", {200: bodies.Property}, body=bodies.PropertyUpdate, tag=TAG)
    def patch(self, request: Request, propertyName: str, **kwargs: str) -> Response:  # noqa: N803
        refuse_system(propertyName)
        body = read_body(request, bodies.PropertyUpdate)
        prop = find_property(self.object_type, propertyName)
        if changes := changes_of(prop, body):
            schema.update_property(prop, **changes)
            prop = find_property(self.object_type, propertyName)
        return Response(represent_property(prop, prop.group.name))

    @documented("Delete a property that no record has a value of", {204: None}, tag=TAG)
    def delete(self, request: Request, propertyName: str, **kwargs: str) -> Response:  # noqa: N803
        refuse_system(propertyName)
        schema.delete_property(find_property(self.object_type, propertyName))
        return self.empty()


class BatchRead(DefinitionView):
    reads = True

    def example(self) -> Any:
        return {"inputs": [{"name": self.object_type.primary_property}], "archived": False}

    @documented(
        "Read properties by their names",
        {200: bodies.BatchResponseProperty, 207: bodies.BatchResponseProperty},
        body=bodies.BatchReadInputPropertyName,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.BatchReadInputPropertyName)
        refuse_many(body.inputs)
        names = dict.fromkeys(each.name for each in body.inputs)
        known = {} if body.archived else {each["name"]: each for each in all_properties(self.object_type)}
        missing = [name for name in names if name not in known]
        error = {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some properties, they may be deleted or not exist. Check that names are valid.",
            "context": {"name": [shown(name) for name in missing]},
        }
        return self.batch([known[name] for name in names if name in known], errors=[error] if missing else [])


class BatchCreate(DefinitionView):
    def example(self) -> Any:
        return {"inputs": [example_property(self.object_type)]}

    @documented(
        "Create properties, all or none",
        {201: bodies.BatchResponseProperty},
        body=bodies.BatchInputPropertyCreate,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputPropertyCreate).inputs
        refuse_many(inputs)
        return self.batch(create_properties(self.object_type, inputs), 201)


class BatchArchive(DefinitionView):
    def needs(self) -> Needs:
        return Needs(super().needs().scopes, "associations.delete_property")

    def example(self) -> Any:
        return {"inputs": [{"name": ""}]}

    @documented(
        "Delete properties that no record has a value of; names that there are not are passed over",
        {204: None},
        body=bodies.BatchInputPropertyName,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputPropertyName).inputs
        refuse_many(inputs)
        for each in inputs:
            refuse_system(each.name)
        with transaction.atomic():
            for prop in self.object_type.properties.filter(name__in=[each.name for each in inputs]):
                schema.delete_property(prop)
        return self.empty()


class Groups(DefinitionView):
    """Groups of properties."""

    name = "Property groups"

    def example(self) -> Any:
        return {"name": "", "label": "", "displayOrder": -1}

    @documented("List property groups", {200: bodies.CollectionResponsePropertyGroup}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response(collection([represent_group(each) for each in self.object_type.property_groups.all()]))

    @documented("Create a property group", {201: bodies.PropertyGroup}, body=bodies.PropertyGroupCreate, tag=TAG)
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.PropertyGroupCreate)
        if find_group(self.object_type, body.name):
            raise ApiError(409, f"Property group named '{shown(body.name)}' already exists.")
        order = -1 if body.display_order is None else body.display_order
        group = create_group(self.object_type, name=body.name, label=body.label, display_order=order)
        return Response(represent_group(group), status=201)


class OneGroup(DefinitionView):
    """One group of properties."""

    name = "Property group"

    def example(self) -> Any:
        return {"label": ""} if self.request.method == "PATCH" else None

    @property
    def group(self) -> PropertyGroup:
        found = find_group(self.object_type, self.kwargs["groupName"])
        if found is None:
            raise not_found(f"There is no property group {shown(self.kwargs['groupName'])!r}.")
        return found

    @documented("Read a property group", {200: bodies.PropertyGroup}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response(represent_group(self.group))

    @documented("Change a property group", {200: bodies.PropertyGroup}, body=bodies.PropertyGroupUpdate, tag=TAG)
    def patch(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.PropertyGroupUpdate)
        group = update_group(self.group, label=body.label, display_order=body.display_order)
        return Response(represent_group(group))

    @documented("Delete a property group that has no properties", {204: None}, tag=TAG)
    def delete(self, request: Request, **kwargs: str) -> Response:
        delete_group(self.group)
        return self.empty()


def represent_group(group: PropertyGroup) -> dict[str, Any]:
    return {"name": group.name, "label": group.label, "displayOrder": group.display_order, "archived": False}


def create_properties(object_type: ObjectType, inputs: list[bodies.PropertyCreate]) -> list[dict[str, Any]]:
    """Create properties, all or none: what the API shows of them."""
    groups = {group.name: group for group in object_type.property_groups.all()}
    names = [each.name for each in inputs]
    taken = COLUMNS.keys() | set(object_type.properties.filter(name__in=names).values_list("name", flat=True))
    for index, each in enumerate(inputs):
        if each.name in taken or each.name in names[:index]:
            raise ApiError(409, f"Property named '{shown(each.name)}' already exists.")
    wanted = [new_property(each, groups) for each in inputs]
    with transaction.atomic():
        made: list[Property] = [schema.create_property(object_type, **each) for each in wanted]
    return [represent_property(each, each.group.name) for each in made]


def refuse_system(name: str) -> None:
    if name in COLUMNS:
        raise bad_request(f"{name} is kept by the system and cannot be changed.")


def example_property(object_type: ObjectType) -> dict[str, Any]:
    group = object_type.property_groups.first()
    kind = {"type": "string", "fieldType": "text"}
    return {"name": "", "label": "", "groupName": group.name if group else "", **kind}
