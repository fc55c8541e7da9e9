"""What the pages of records of one object type have: fields, columns and filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from associations import querysets
from associations.models import ObjectType, Property, Record
from associations.property_values import read_value
from associations.services.selecting import NO_VALUE, chosen

from .base import sentence
from .values import CELL, column, field_name, line, named

# The primary display property and the first few others.
COLUMNS = 6


@dataclass(frozen=True)
class Layout:
    object_type: ObjectType

    @cached_property
    def properties(self) -> list[Property]:
        properties = self.object_type.properties.select_related("group")
        return querysets.told_apart(properties.order_by("group__display_order", "group_id", "display_order", "id"))

    @property
    def primary_first(self) -> list[Property]:
        return sorted(self.properties, key=lambda prop: prop.name != self.object_type.primary_property)

    def fieldsets(self, *, editable: bool) -> list[tuple[str | None, dict[str, Any]]]:
        """The properties by group: form fields, or lines to be read."""
        return [
            (group.label, {"fields": [field_name(prop.name) if editable else line(prop) for prop in properties]})
            for group, properties in groupby(self.properties, attrgetter("group"))
        ]

    @property
    def shown(self) -> list[Property]:
        """The properties that lists show: the chosen ones, else the primary display property and the first others."""
        by_name = {prop.name: prop for prop in self.properties}
        wanted = [by_name[name] for name in self.object_type.columns if name in by_name]
        return wanted or self.primary_first[:COLUMNS]

    def columns(self) -> list[Callable[[Record], str | None]]:
        """The name of a record, which one without a value of its primary display property has, too; then others."""
        primary = self.object_type.primary_property
        columns = [
            column(prop, longest=CELL, ordering="name_key" if prop.name == primary else None) for prop in self.shown
        ]
        return [named(columns[0]), *columns[1:]]

    def filters(self) -> list[Callable[..., admin.ListFilter]]:
        filterable = (Property.Type.ENUMERATION, Property.Type.BOOL)
        of_options = [partial(PropertyFilter, prop) for prop in self.properties if prop.type in filterable]
        return [*of_options, partial(ValueFilter, [prop for prop in self.properties if prop.type not in filterable])]


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

    NONE = NO_VALUE

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
        return queryset if value is None else chosen(queryset, self.prop, value)


class ValueFilter(admin.ListFilter):
    """The records whose text, number or date is just this. What is entered is read as it is on a record's page."""

    title = "value"
    template = "admin/associations/record/value_filter.html"
    PARAMETERS = ("value_of", "value_is")

    def __init__(
        self, properties: list[Property], request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.properties = properties
        for name in self.PARAMETERS:
            if given := params.pop(name, None):
                self.used_parameters[name] = given[-1]
        self.text = str(self.used_parameters.get("value_is", ""))
        named = [prop for prop in properties if prop.name == self.used_parameters.get("value_of")]
        self.prop = named[0] if named else None
        self.problem = ""
        self.kept: Any = None
        if self.prop and self.text:
            try:
                self.kept = read_value(self.prop, self.text)
            except ValueError as error:
                self.problem = sentence(str(error))

    def has_output(self) -> bool:
        return bool(self.properties)

    def expected_parameters(self) -> list[str | None]:
        return list(self.PARAMETERS)

    def choices(self, changelist: Any) -> Any:
        """What the template shows: one row with all of it."""
        others = [
            (name, value)
            for name, values in changelist.filter_params.items()
            if name not in self.PARAMETERS
            for value in values
        ]
        if changelist.query:
            others.append(("q", changelist.query))
        yield {
            "properties": self.properties,
            "others": [("object_type", changelist.object_type.name), *others],
            "clear": changelist.get_query_string(remove=list(self.PARAMETERS)) if self.prop else "",
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Record]) -> QuerySet[Record]:
        if self.prop is None or not self.text:
            return queryset
        return queryset.none() if self.problem else querysets.with_equal(queryset, self.prop, self.kept)
