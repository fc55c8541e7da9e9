"""The admin's pages of object types, with their properties as rows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from associations.models import ObjectType, Property
from associations.services import schema

from .base import ServiceAdmin, ServiceForm, refusals, refused_at
from .property_forms import PropertyRowForm, kind_in_words


class NewObjectTypeForm(ServiceForm[ObjectType]):
    primary_label = forms.CharField(
        label="Label of the primary display property",
        max_length=200,
        required=False,
        help_text="Empty: like its internal name",
    )


class PropertyRows(admin.TabularInline[Property, ObjectType]):
    """Existing properties are deleted on their own pages, where their options are, too."""

    model = Property
    form = PropertyRowForm
    fields = ("label", "name", "kind", "has_unique_value")
    extra = 0
    can_delete = False
    show_change_link = True
    verbose_name_plural = "properties (those with options are added on a page of their own)"

    kind = staticmethod(kind_in_words)

    def get_formset(self, request: HttpRequest, obj: ObjectType | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.refusals = refusals(request)  # type: ignore[attr-defined]
        return formset


@admin.register(ObjectType)
class ObjectTypeAdmin(ServiceAdmin[ObjectType]):
    inlines = (PropertyRows,)
    list_display = ("label", "name", "type_id", "primary_property", "is_builtin", "records")
    list_filter = ("is_builtin",)
    search_fields = ("label", "plural_label", "name")

    @admin.display(description="Records")
    def records(self, object_type: ObjectType) -> str:
        address = reverse("admin:associations_record_changelist", query={"object_type": object_type.name})
        return format_html('<a href="{}">{}</a>', address, object_type.plural_label)

    def get_fields(self, request: HttpRequest, obj: ObjectType | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("label", "plural_label", "name", "primary_property", "primary_label", "description")
        return ("label", "plural_label", "name", "type_id", "primary_property", "description", "is_builtin")

    def get_readonly_fields(self, request: HttpRequest, obj: ObjectType | None = None) -> tuple[str, ...]:
        return ("name", "type_id", "primary_property", "is_builtin") if obj else ()

    def get_inlines(self, request: HttpRequest, obj: ObjectType | None) -> tuple[type[PropertyRows], ...]:
        return (PropertyRows,) if obj else ()

    def get_form(self, request: HttpRequest, obj: ObjectType | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewObjectTypeForm
        return super().get_form(request, obj, change, **kwargs)

    def save_by_service(
        self, request: HttpRequest, form: ServiceForm[ObjectType], obj: ObjectType | None
    ) -> ObjectType:
        if obj is None:
            return schema.create_object_type(**form.cleaned_data)
        return schema.update_object_type(obj, **form.cleaned_data)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for row in formset.forms:
            if not row.has_changed():
                continue
            with refused_at(row):
                if row.instance.pk:
                    formset.changed_objects.append(
                        (schema.update_property(row.instance, **row.changes()), row.changed_data)
                    )
                else:
                    formset.new_objects.append(schema.create_property(formset.instance, **row.changes()))

    def delete_model(self, request: HttpRequest, obj: ObjectType) -> None:
        schema.delete_object_type(obj)
