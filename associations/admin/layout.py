"""What the pages of records of one object type have: fields, columns, filters, and what is searched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import IContains
from django.http import HttpRequest

from associations import querysets
from associations.models import ObjectType, Property, Record

from .values import CELL, column, field_name, named

# The primary display property and the first few others.
COLUMNS = 6


@dataclass(frozen=True)
class Layout:
    object_type: ObjectType

    @cached_property
    def properties(self) -> list[Property]:
        properties = self.object_type.properties.select_related("group")
        return list(properties.order_by("group__display_order", "group_id", "display_order", "id"))

    @property
    def primary_first(self) -> list[Property]:
        return sorted(self.properties, key=lambda prop: prop.name != self.object_type.primary_property)

    def fieldsets(self, *, editable: bool) -> list[tuple[str | None, dict[str, Any]]]:
        """The properties by group: form fields, or lines to be read."""
        return [
            (group.label, {"fields": [field_name(prop.name) if editable else column(prop) for prop in properties]})
            for group, properties in groupby(self.properties, attrgetter("group"))
        ]

    def columns(self) -> list[Callable[[Record], str | None]]:
        """The name of a record, which one without a value of its primary display property has, too; then others."""
        columns = [column(prop, longest=CELL) for prop in self.primary_first[:COLUMNS]]
        return [named(columns[0]), *columns[1:]]

    def filters(self) -> list[Callable[..., admin.SimpleListFilter]]:
        filterable = (Property.Type.ENUMERATION, Property.Type.BOOL)
        return [partial(PropertyFilter, prop) for prop in self.properties if prop.type in filterable]

    def search(self, records: QuerySet[Record], words: Iterable[str]) -> QuerySet[Record]:
        """The records in which each word stands in what they are shown by or in a unique value, or is the id."""
        unique = {prop.name for prop in self.properties if prop.has_unique_value}
        for word in words:
            found = Q(pk=int(word)) if word.isascii() and word.isdecimal() else Q()
            for name in sorted({self.object_type.primary_property, *unique}):
                found |= Q(IContains(KeyTextTransform(name, "properties"), word))
            records = records.filter(found)
        return records


def layout_of(request: HttpRequest, object_type: ObjectType) -> Layout:
    """The layout of an object type, read once per request."""
    layouts: dict[int, Layout] = vars(request).setdefault("layouts", {})
    return layouts.setdefault(object_type.pk, Layout(object_type))


class ArchivedFilter(admin.SimpleListFilter):
    """Archived records take part in nothing, and stay out of the list until they are asked for."""

    title = "archived"
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes")]

    def choices(self, changelist: Any) -> Any:
        live, archived = super().choices(changelist)
        return [{**live, "display": "No"}, archived]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Record]) -> QuerySet[Record]:
        return queryset.filter(archived_at__isnull=self.value() != "yes")


class PropertyFilter(admin.SimpleListFilter):
    """One option of an enumeration, yes or no, or no value."""

    NONE = "_none"

    def __init__(
        self, prop: Property, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any
    ) -> None:
        self.prop = prop
        self.title = prop.label
        self.parameter_name = field_name(prop.name)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if self.prop.type == Property.Type.BOOL:
            return [("true", "Yes"), ("false", "No"), (self.NONE, "No value")]
        options = [(option["value"], option["label"]) for option in self.prop.options]
        return [*options, (self.NONE, "No value")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Record]) -> QuerySet[Record]:
        value = self.value()
        if value is None:
            return queryset
        if value == self.NONE:
            return querysets.with_value(queryset, self.prop, known=False)
        is_bool = self.prop.type == Property.Type.BOOL
        return querysets.with_choice(queryset, self.prop, value == "true" if is_bool else value)
