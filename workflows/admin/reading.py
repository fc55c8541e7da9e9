"""What runs and enrollments have in common: written by the engine, only read by people, and possibly very many."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from associations.admin.base import ShowsMore
from associations.admin.paging import CappedPaginator


class ReadOnlyAdmin(ShowsMore[Any]):
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    actions = None
    ordering = ("-id",)

    class Media:
        css = {"all": ["workflows/admin.css", "workflows/runs.css"]}
        js = ["associations/live.js"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def link(to: Model, text: object = None) -> str:
    """A link to the admin's page of a row, or its bare name where it has none."""
    try:
        url = reverse(f"admin:{to._meta.app_label}_{to._meta.model_name}_change", args=[to.pk])
    except NoReverseMatch:
        return str(to if text is None else text)
    return format_html('<a href="{}">{}</a>', url, to if text is None else text)
