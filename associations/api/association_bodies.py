"""What requests and answers of the associations API look like, in the words of HubSpot's specification."""

from __future__ import annotations

from pydantic import ConfigDict, RootModel

from crmproject.api.reading import Id, Model, Number

from .bodies import AssociationSpec, BatchResponse, Category, Paging, PublicObjectId

# "from" is a word of Python's own.
FROM = ConfigDict(alias_generator=lambda name: name.removesuffix("_"))


class AssociationSpecs(RootModel[list[AssociationSpec]]):
    """A bare list."""


class PublicAssociationMultiPost(Model):
    from_: PublicObjectId
    to: PublicObjectId
    types: list[AssociationSpec]

    model_config = FROM


class BatchInputPublicAssociationMultiPost(Model):
    inputs: list[PublicAssociationMultiPost]


class PublicDefaultAssociationMultiPost(Model):
    from_: PublicObjectId
    to: PublicObjectId

    model_config = FROM


class BatchInputPublicDefaultAssociationMultiPost(Model):
    inputs: list[PublicDefaultAssociationMultiPost]


class PublicAssociationMultiArchive(Model):
    from_: PublicObjectId
    to: list[PublicObjectId]

    model_config = FROM


class BatchInputPublicAssociationMultiArchive(Model):
    inputs: list[PublicAssociationMultiArchive]


class PublicFetchAssociationsBatchRequest(Model):
    id: Id
    after: Id | None = None


class BatchInputPublicFetchAssociationsBatchRequest(Model):
    inputs: list[PublicFetchAssociationsBatchRequest]


class PublicAssociationDefinitionCreateRequest(Model):
    label: str
    name: str | None = None
    inverse_label: str | None = None


class PublicAssociationDefinitionUpdateRequest(Model):
    association_type_id: Number
    label: str
    inverse_label: str | None = None


class PublicAssociationSpec(Model):
    category: Category
    type_id: Number


class PublicAssociationDefinitionConfigurationRequest(PublicAssociationSpec):
    max_to_object_ids: Number


class BatchInputPublicAssociationDefinitionConfigurationRequest(Model):
    inputs: list[PublicAssociationDefinitionConfigurationRequest]


class BatchInputPublicAssociationSpec(Model):
    inputs: list[PublicAssociationSpec]


# Answers ----------------------------------------------------------------------------------------


class LabelsBetweenObjectPair(Model):
    from_object_type_id: str
    from_object_id: str | int
    to_object_type_id: str
    to_object_id: str | int
    labels: list[str]


class BatchResponseLabelsBetweenObjectPair(BatchResponse):
    results: list[LabelsBetweenObjectPair]


class PublicDefaultAssociation(Model):
    from_: PublicObjectId
    to: PublicObjectId
    associationSpec: AssociationSpec  # noqa: N815 - HubSpot's word, beside "from"

    model_config = FROM


class BatchResponsePublicDefaultAssociation(BatchResponse):
    results: list[PublicDefaultAssociation]


class AssociationSpecWithLabel(Model):
    category: str
    type_id: int
    label: str | None


class MultiAssociatedObjectWithLabel(Model):
    to_object_id: str | int
    association_types: list[AssociationSpecWithLabel]


class CollectionResponseMultiAssociatedObjectWithLabel(Model):
    results: list[MultiAssociatedObjectWithLabel]
    paging: Paging | None = None


class PublicAssociationMultiWithLabel(Model):
    from_: PublicObjectId
    to: list[MultiAssociatedObjectWithLabel]
    paging: Paging | None = None

    model_config = FROM


class BatchResponsePublicAssociationMultiWithLabel(BatchResponse):
    results: list[PublicAssociationMultiWithLabel]


class AssociationLabel(AssociationSpecWithLabel):
    from_object_type_id: str
    to_object_type_id: str


class CollectionResponseAssociationLabel(Model):
    results: list[AssociationLabel]


class PublicAssociationDefinitionUserConfiguration(Model):
    category: str
    type_id: int
    label: str | None = None
    user_enforced_max_to_object_ids: int | None = None


class CollectionResponseConfiguration(Model):
    results: list[PublicAssociationDefinitionUserConfiguration]


class BatchResponseConfiguration(BatchResponse):
    results: list[PublicAssociationDefinitionUserConfiguration]


class ReportCreationResponse(Model):
    user_id: int
    user_email: str
    enqueue_time: str
