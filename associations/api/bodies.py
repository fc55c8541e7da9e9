"""What requests and answers of the objects API look like, in the words of HubSpot's specification."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from crmproject.api.reading import Id, Model, Number, Scalar

Category = Literal["HUBSPOT_DEFINED", "USER_DEFINED", "INTEGRATOR_DEFINED", "WORK"]
Properties = dict[str, Scalar]


class PublicObjectId(Model):
    id: Id


class AssociationSpec(Model):
    association_category: Category
    association_type_id: Number


class PublicAssociationsForObject(Model):
    to: PublicObjectId
    types: list[AssociationSpec]


# Requests ---------------------------------------------------------------------------------------


class SimplePublicObjectInput(Model):
    properties: Properties


class SimplePublicObjectInputForCreate(Model):
    properties: Properties = {}
    associations: list[PublicAssociationsForObject] | None = None
    object_write_trace_id: str | None = None


class SimplePublicObjectBatchInput(Model):
    id: Id
    id_property: str | None = None
    object_write_trace_id: str | None = None
    properties: Properties = {}


class BatchInputForCreate(Model):
    inputs: list[SimplePublicObjectInputForCreate]


class BatchInputForUpdate(Model):
    inputs: list[SimplePublicObjectBatchInput]


class BatchInputId(Model):
    inputs: list[PublicObjectId]


class BatchReadInput(Model):
    inputs: list[PublicObjectId]
    id_property: str | None = None
    properties: list[str] | None = None
    properties_with_history: list[str] | None = None


class PublicMergeInput(Model):
    primary_object_id: Id
    object_id_to_merge: Id


class PublicGdprDeleteInput(Model):
    object_id: Id
    id_property: str | None = None


def _sort(value: Any) -> Any:
    """Sorts come as {"propertyName", "direction"} or, in short, as "name" and "-name"."""
    if isinstance(value, str):
        direction = "DESCENDING" if value.startswith("-") else "ASCENDING"
        return {"propertyName": value.removeprefix("-"), "direction": direction}
    return value


class Sort(Model):
    property_name: str
    direction: Literal["ASCENDING", "DESCENDING"] = "ASCENDING"


class Filter(Model):
    property_name: str
    operator: Literal[
        "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY",
        "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN",
    ]  # fmt: skip
    value: Scalar = None
    high_value: Scalar = None
    values: list[Scalar] | None = None


class FilterGroup(Model):
    filters: list[Filter]


class PublicObjectSearchRequest(Model):
    filter_groups: list[FilterGroup] | None = None
    # Without groups: the filters of the only one.
    filters: list[Filter] | None = None
    sorts: list[Annotated[Sort, BeforeValidator(_sort)]] | None = None
    query: str | None = None
    properties: list[str] | None = None
    limit: Annotated[Number, Field(ge=1, le=200)] = 10
    after: Annotated[str | int | None, Field()] = None


# Answers ----------------------------------------------------------------------------------------


class NextPage(Model):
    after: str
    link: str | None = None


class Paging(Model):
    next: NextPage


class AssociatedId(Model):
    id: str
    type: str


class CollectionResponseAssociatedId(Model):
    results: list[AssociatedId]
    paging: Paging | None = None


class ValueWithTimestamp(Model):
    value: str
    timestamp: str
    source_type: str
    source_id: str | None = None
    source_label: str | None = None
    updated_by_user_id: int | None = None


class SimplePublicObject(Model):
    id: str
    properties: dict[str, str | None]
    created_at: str
    updated_at: str
    archived: bool
    archived_at: str | None = None
    object_write_trace_id: str | None = None
    properties_with_history: dict[str, list[ValueWithTimestamp]] | None = None


class SimplePublicObjectWithAssociations(SimplePublicObject):
    associations: dict[str, CollectionResponseAssociatedId] | None = None


class SimplePublicUpsertObject(SimplePublicObject):
    new: bool


class CollectionResponseSimplePublicObjectWithAssociations(Model):
    results: list[SimplePublicObjectWithAssociations]
    paging: Paging | None = None


class CollectionResponseWithTotalSimplePublicObject(Model):
    total: int
    results: list[SimplePublicObject]
    paging: Paging | None = None


class StandardError(Model):
    status: str
    category: str
    message: str
    sub_category: str | None = None
    context: dict[str, list[str]] | None = None


class BatchResponse(Model):
    status: Literal["COMPLETE"]
    requested_at: str
    started_at: str
    completed_at: str
    num_errors: int | None = None
    errors: list[StandardError] | None = None


class BatchResponseSimplePublicObject(BatchResponse):
    results: list[SimplePublicObject]


class BatchResponseSimplePublicUpsertObject(BatchResponse):
    results: list[SimplePublicUpsertObject]
