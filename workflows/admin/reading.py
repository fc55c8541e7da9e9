"""What runs and enrollments have in common: written by the engine, only read by people, and possibly very many."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html


class CappedPaginator(Paginator[Any]):
    """Counts to an end: further pages than that nobody turns, while counting millions of rows keeps people waiting."""

    MOST = 10_000

    @cached_property
    def _counted(self) -> int:
        listed: Any = self.object_list
        return listed.order_by()[: self.MOST + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.MOST)

    @property
    def is_capped(self) -> bool:
        return self._counted > self.MOST


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    actions = None
    ordering = ("-id",)

    class Media:
        css = {"all": ["workflows/admin.css"]}

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
