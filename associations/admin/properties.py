"""The admin's pages of properties."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from associations.models import Property
from associations.services import schema

from .choosing import ChoosesObjectType, chosen_object_type, object_type_for
from .property_forms import PropertyForm, kind_in_words, option_lines


@admin.register(Property)
class PropertyAdmin(ChoosesObjectType[Property]):
    form = PropertyForm
    list_display = ("label", "name", "object_type", "kind", "has_unique_value", "is_builtin")
    list_filter = ("object_type", "type", "has_unique_value", "is_builtin")
    list_select_related = ("object_type",)
    search_fields = ("label", "name")
    ordering = ("object_type", "display_order", "id")
    show_full_result_count = False

    kind = staticmethod(kind_in_words)
    option_lines = staticmethod(admin.display(description="Options")(option_lines))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Property]:
        return super().get_queryset(request).select_related("object_type")

    def get_fields(self, request: HttpRequest, obj: Property | None = None) -> Any:
        fields = ["object_type", "label", "name", "kind", "option_lines", "has_unique_value", "group", "description"]
        if obj and not obj.options and obj.type != Property.Type.ENUMERATION:
            fields.remove("option_lines")
        return fields if obj else fields[1:]

    def get_readonly_fields(self, request: HttpRequest, obj: Property | None = None) -> tuple[str, ...]:
        return ("object_type",) if obj else ()

    def get_form(self, request: HttpRequest, obj: Property | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.object_type = chosen_object_type(request)
        return form

    def save_by_service(self, request: HttpRequest, form: PropertyForm, obj: Property | None) -> Property:
        if obj is None:
            return schema.create_property(object_type_for(request, obj), **form.changes())
        return schema.update_property(obj, **form.changes())

    def delete_model(self, request: HttpRequest, obj: Property) -> None:
        schema.delete_property(obj)
