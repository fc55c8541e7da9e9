"""The addresses of the CRM's API.

HubSpot has two families of the same paths: by number (`/crm/v3/objects/…`) and by date (`/crm/objects/2026-03/…`). Both
lead to the same views; the numbered one is what the OpenAPI document tells of.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, register_converter

from . import objects, objects_batch, search


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

urlpatterns: list[URLPattern | URLResolver] = [
    path("crm/v3/objects/", include(OBJECTS)),
    path("crm/objects/<dated:version>/", include(OBJECTS)),
]
