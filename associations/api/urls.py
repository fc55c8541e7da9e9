"""The addresses of the CRM's API.

HubSpot has two families of the same paths: by number (`/crm/v3/objects/…`) and by date (`/crm/objects/2026-03/…`). Both
lead to the same views; the numbered one is what the OpenAPI document tells of.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, register_converter

from . import (
    associations,
    associations_batch,
    associations_v3,
    labels,
    limits,
    objects,
    objects_batch,
    properties,
    schemas,
    search,
)


class Dated:
    """A version by date: 2026-03, 2026-09-beta."""

    regex = r"20[0-9]{2}-(?:0[1-9]|1[0-2])(?:-beta)?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Dated, "dated")

OBJECTS: list[URLPattern] = [
    path("<str:objectType>", objects.Objects.as_view()),
    path("<str:objectType>/search", search.SearchView.as_view()),
    path("<str:objectType>/merge", objects.Merge.as_view()),
    path("<str:objectType>/gdpr-delete", objects.GdprDelete.as_view()),
    path("<str:objectType>/batch/read", objects_batch.BatchRead.as_view()),
    path("<str:objectType>/batch/create", objects_batch.BatchCreate.as_view()),
    path("<str:objectType>/batch/update", objects_batch.BatchUpdate.as_view()),
    path("<str:objectType>/batch/upsert", objects_batch.BatchUpsert.as_view()),
    path("<str:objectType>/batch/archive", objects_batch.BatchArchive.as_view()),
    path("<str:objectType>/<str:objectId>", objects.Object.as_view()),
]

RECORD_ASSOCIATIONS = [
    path(
        "<str:fromObjectType>/<str:fromObjectId>/associations/default/<str:toObjectType>/<str:toObjectId>",
        associations.DefaultAssociation.as_view(),
    ),
    path("<str:objectType>/<str:objectId>/associations/<str:toObjectType>", associations.RecordAssociations.as_view()),
    path(
        "<str:objectType>/<str:objectId>/associations/<str:toObjectType>/<str:toObjectId>",
        associations.Association.as_view(),
    ),
]

CONFIGURATIONS = [
    path("all", labels.AllConfigurations.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>", labels.Configurations.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>/batch/create", labels.SetConfigurations.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>/batch/update", labels.UpdateConfigurations.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>/batch/purge", labels.PurgeConfigurations.as_view()),
]

ASSOCIATIONS: list[URLPattern | URLResolver] = [
    path("definitions/configurations/", include(CONFIGURATIONS)),
    path("usage/high-usage-report/<str:userId>", labels.HighUsageReport.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>/labels", labels.Labels.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>/labels/<str:associationTypeId>", labels.Label.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>/batch/create", associations_batch.BatchCreate.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>/batch/associate/default", associations_batch.BatchDefault.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>/batch/read", associations_batch.BatchRead.as_view()),
    path("<str:fromObjectType>/<str:toObjectType>/batch/archive", associations_batch.BatchArchive.as_view()),
    path(
        "<str:fromObjectType>/<str:toObjectType>/batch/labels/archive",
        associations_batch.BatchArchiveLabels.as_view(),
    ),
]

PROPERTIES = [
    path("<str:objectType>", properties.Properties.as_view()),
    path("<str:objectType>/batch/read", properties.BatchRead.as_view()),
    path("<str:objectType>/batch/create", properties.BatchCreate.as_view()),
    path("<str:objectType>/batch/archive", properties.BatchArchive.as_view()),
    path("<str:objectType>/groups", properties.Groups.as_view()),
    path("<str:objectType>/groups/<str:groupName>", properties.OneGroup.as_view()),
    path("<str:objectType>/<str:propertyName>", properties.OneProperty.as_view()),
]


# The addresses below a prefix, as there are several.
def schemas_at(prefix: str) -> list[URLPattern]:
    return [
        path(prefix, schemas.Schemas.as_view()),
        path(f"{prefix}/batch/read", schemas.BatchRead.as_view()),
        path(f"{prefix}/<str:objectType>", schemas.OneSchema.as_view()),
        path(f"{prefix}/<str:objectType>/associations", schemas.Associations.as_view()),
        path(f"{prefix}/<str:objectType>/associations/<str:associationIdentifier>", schemas.OneAssociation.as_view()),
    ]


LIMITS = [
    path("associations/labels", limits.LabelLimits.as_view()),
    path("associations/records/from", limits.TypesFrom.as_view()),
    path("associations/records/<str:fromObjectTypeId>/to", limits.TypesTo.as_view()),
    path("associations/records/<str:fromObjectTypeId>/<str:toObjectTypeId>", limits.RecordsNear.as_view()),
]

ASSOCIATIONS_V3 = [
    path("crm/v3/associations/<str:fromObjectType>/<str:toObjectType>/batch/read", associations_v3.BatchRead.as_view()),
    path(
        "crm/v3/associations/<str:fromObjectType>/<str:toObjectType>/batch/create",
        associations_v3.BatchCreate.as_view(),
    ),
    path(
        "crm/v3/associations/<str:fromObjectType>/<str:toObjectType>/batch/archive",
        associations_v3.BatchArchive.as_view(),
    ),
    path("crm/v3/associations/<str:fromObjectType>/<str:toObjectType>/types", associations_v3.Types.as_view()),
    path(
        "crm/v3/objects/<str:objectType>/<str:objectId>/associations/<str:toObjectType>",
        associations_v3.RecordAssociations.as_view(),
    ),
    path(
        "crm/v3/objects/<str:objectType>/<str:objectId>/associations/<str:toObjectType>/<str:toObjectId>"
        "/<str:associationType>",
        associations_v3.Association.as_view(),
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("crm/v3/objects/", include(OBJECTS)),
    path("crm/v3/properties/", include(PROPERTIES)),
    *schemas_at("crm-object-schemas/v3/schemas"),
    path("crm/v4/objects/", include(RECORD_ASSOCIATIONS)),
    path("crm/v4/associations/", include(ASSOCIATIONS)),
    path("crm/v3/limits/", include(LIMITS)),
    path("", include(ASSOCIATIONS_V3)),
    # The same by other names: the family that the newer clients use, and those by date.
    path("crm/associations/v4/", include(ASSOCIATIONS)),
    *schemas_at("crm/v3/schemas"),
    path("crm/objects/<dated:version>/", include([*RECORD_ASSOCIATIONS, *OBJECTS])),
    path("crm/properties/<dated:version>/", include(PROPERTIES)),
    *schemas_at("crm-object-schemas/<dated:version>/schemas"),
    *schemas_at("crm/schemas/<dated:version>"),
    path("crm/associations/<dated:version>/", include(ASSOCIATIONS)),
    path("crm/limits/<dated:version>/", include(LIMITS)),
]
