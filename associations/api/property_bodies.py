"""What requests and answers of the properties and schemas API look like, in the words of HubSpot's specification."""

from __future__ import annotations

from typing import Literal

from crmproject.api.reading import Id, Int32, Model

from .bodies import BatchResponse

PropertyType = Literal["string", "number", "date", "datetime", "enumeration", "bool", "phone_number"]
FieldType = Literal[
    "text", "textarea", "phonenumber", "html", "number", "date", "select", "radio", "checkbox", "booleancheckbox",
    "file", "calculation_equation",
]  # fmt: skip


class OptionInput(Model):
    label: str
    value: str
    description: str | None = None
    display_order: Int32 | None = None
    hidden: bool | None = None


class Hints(Model):
    """How a property is shown: kept and given back, for it changes nothing here."""

    hidden: bool | None = None
    form_field: bool | None = None
    external_options: bool | None = None
    number_display_hint: str | None = None
    text_display_hint: str | None = None
    date_display_hint: str | None = None
    show_currency_symbol: bool | None = None
    currency_property_name: str | None = None
    referenced_object_type: str | None = None


class PropertyUpdate(Hints):
    label: str | None = None
    type: PropertyType | None = None
    field_type: FieldType | None = None
    group_name: str | None = None
    description: str | None = None
    display_order: Int32 | None = None
    options: list[OptionInput] | None = None
    calculation_formula: str | None = None


class ObjectTypePropertyCreate(Hints):
    name: str
    label: str
    type: PropertyType
    field_type: FieldType
    group_name: str | None = None
    description: str | None = None
    display_order: Int32 | None = None
    options: list[OptionInput] | None = None
    has_unique_value: bool | None = None
    calculation_formula: str | None = None


class PropertyCreate(ObjectTypePropertyCreate):
    group_name: str


class BatchInputPropertyCreate(Model):
    inputs: list[PropertyCreate]


class PropertyName(Model):
    name: str


class BatchInputPropertyName(Model):
    inputs: list[PropertyName]


class BatchReadInputPropertyName(Model):
    inputs: list[PropertyName]
    archived: bool = False
    data_sensitivity: str | None = None


class PropertyGroupCreate(Model):
    name: str
    label: str
    display_order: Int32 | None = None


class PropertyGroupUpdate(Model):
    label: str | None = None
    display_order: Int32 | None = None


class ObjectTypeDefinitionLabels(Model):
    singular: str | None = None
    plural: str | None = None


class ObjectSchemaEgg(Model):
    name: str
    labels: ObjectTypeDefinitionLabels
    properties: list[ObjectTypePropertyCreate]
    required_properties: list[str] | None = None
    associated_objects: list[Id] | None = None
    primary_display_property: str | None = None
    secondary_display_properties: list[str] | None = None
    searchable_properties: list[str] | None = None
    description: str | None = None


class ObjectTypeDefinitionPatch(Model):
    labels: ObjectTypeDefinitionLabels | None = None
    description: str | None = None
    clear_description: bool | None = None
    primary_display_property: str | None = None
    secondary_display_properties: list[str] | None = None
    required_properties: list[str] | None = None
    searchable_properties: list[str] | None = None


class ObjectSchemaBatchReadRequest(Model):
    inputs: list[Id]
    include_association_definitions: bool = True
    include_audit_metadata: bool = True
    include_property_definitions: bool = True


class AssociationDefinitionEgg(Model):
    from_object_type_id: Id
    to_object_type_id: Id
    name: str | None = None


# Answers ----------------------------------------------------------------------------------------


class Option(Model):
    label: str
    value: str
    description: str | None = None
    display_order: int
    hidden: bool


class PropertyModificationMetadata(Model):
    archivable: bool
    read_only_definition: bool
    read_only_options: bool | None = None
    read_only_value: bool


class Property(Hints):
    name: str
    label: str
    type: str
    field_type: str
    description: str
    group_name: str
    options: list[Option]
    display_order: int
    calculated: bool
    has_unique_value: bool
    hubspot_defined: bool
    archived: bool
    data_sensitivity: str
    modification_metadata: PropertyModificationMetadata
    created_at: str
    updated_at: str


class CollectionResponseProperty(Model):
    results: list[Property]


class BatchResponseProperty(BatchResponse):
    results: list[Property]


class PropertyGroup(Model):
    name: str
    label: str
    display_order: int
    archived: bool


class CollectionResponsePropertyGroup(Model):
    results: list[PropertyGroup]


class AssociationDefinition(Model):
    id: str
    from_object_type_id: str
    to_object_type_id: str
    name: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class ObjectTypeDefinition(Model):
    id: str
    object_type_id: str
    fully_qualified_name: str
    name: str
    labels: ObjectTypeDefinitionLabels
    description: str | None = None
    primary_display_property: str
    secondary_display_properties: list[str]
    required_properties: list[str]
    searchable_properties: list[str]
    archived: bool
    portal_id: int | None = None
    created_at: str | None = None
    updated_at: str | None = None


class ObjectSchema(ObjectTypeDefinition):
    properties: list[Property]
    associations: list[AssociationDefinition]


class CollectionResponseObjectSchema(Model):
    results: list[ObjectSchema]
