"""The admin's pages of association labels: the unlabeled type of each pair of object types, and its labels."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from associations.models import AssociationType, ObjectType
from associations.services import labels
from associations.types import DirectedType

from .base import ServiceForm
from .label_pages import MANAGE, LabelPages


class NewLabelForm(ServiceForm[AssociationType]):
    object_type = forms.ModelChoiceField(ObjectType.objects.all())
    other_object_type = forms.ModelChoiceField(ObjectType.objects.all(), label="Associated object type")
    label = forms.CharField(max_length=100, help_text="What the associated record is to the other, such as Manager")
    inverse_label = forms.CharField(
        max_length=100,
        required=False,
        help_text="For a paired label what the other is to it, such as Employee; empty for one word for both sides",
    )

    class Meta:
        model = AssociationType
        fields = ("object_type", "other_object_type", "label", "inverse_label")


class LabelForm(ServiceForm[AssociationType]):
    """The words and limits of a type that is there, said from its first object type."""

    class Meta:
        model = AssociationType
        fields = ("label", "inverse_label", "max_to", "inverse_max_to")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        type_ = self.instance
        first, second = type_.from_object_type, type_.to_object_type
        words = {
            "label": "Label" if first == second else f"What a {second.label.lower()} is to a {first.label.lower()}",
            "inverse_label": (
                "Label the other way"
                if first == second
                else f"What a {first.label.lower()} is to a {second.label.lower()}"
            ),
            "max_to": f"Limit: {second.plural_label.lower()} per {first.label.lower()}",
            "inverse_max_to": f"Limit: {first.plural_label.lower()} per {second.label.lower()}",
        }
        if first == second and not type_.is_symmetric:  # only the label tells the two ways apart
            words["max_to"] += f" ({type_.label})"
            words["inverse_max_to"] += f" ({type_.inverse_label})"
        for name, field in self.fields.items():
            field.label = words[name]
            field.help_text = "Empty for many" if "max_to" in name else ""
        if inverse := self.fields.get("inverse_label"):
            inverse.required = type_.is_paired
            if not type_.is_paired:
                self.initial["inverse_label"] = ""
                inverse.help_text = "Empty for one word for both sides"


class ObjectTypeFilter(admin.SimpleListFilter):
    """Either side of the pair."""

    title = "object type"
    parameter_name = "object_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.name, each.label) for each in ObjectType.objects.all()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AssociationType]) -> QuerySet[AssociationType]:
        if not self.value():
            return queryset
        return queryset.filter(Q(from_object_type__name=self.value()) | Q(to_object_type__name=self.value()))


class UnlabeledFilter(admin.SimpleListFilter):
    title = "labels"
    parameter_name = "labels"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("only", "Labels only"), ("own", "Defined here"), ("all", "With the unlabeled ones")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AssociationType]) -> QuerySet[AssociationType]:
        if self.value() == "own":
            return queryset.filter(category=AssociationType.Category.USER_DEFINED).exclude(name="")
        return queryset.exclude(name="") if self.value() == "only" else queryset


@admin.register(AssociationType)
class AssociationTypeAdmin(LabelPages):
    form = LabelForm
    list_display = ("pair", "words", "kind", "type_ids", "limits", "category")
    list_display_links = ("pair", "words")
    list_filter = (ObjectTypeFilter, UnlabeledFilter)
    list_select_related = ("from_object_type", "to_object_type")
    search_fields = ("label", "inverse_label", "name")
    # Grouped by pair, and so not to be sorted otherwise; in each pair the unlabeled type first.
    ordering = ("from_object_type", "to_object_type", "name")
    sortable_by = ()

    # One permission for all that is done to labels.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE)

    def has_change_permission(self, request: HttpRequest, obj: AssociationType | None = None) -> bool:
        return request.user.has_perm(MANAGE)

    def has_delete_permission(self, request: HttpRequest, obj: AssociationType | None = None) -> bool:
        return request.user.has_perm(MANAGE)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AssociationType]:
        return super().get_queryset(request).select_related("from_object_type", "to_object_type")

    # The list -------------------------------------------------------------------------------------

    @admin.display(description="Object types")
    def pair(self, type_: AssociationType) -> str:
        return f"{type_.from_object_type} – {type_.to_object_type}"

    @admin.display(description="Label")
    def words(self, type_: AssociationType) -> str:
        if type_.is_unlabeled:
            return "unlabeled"
        return f"{type_.label} / {type_.inverse_label}" if type_.is_paired else type_.label

    @admin.display(description="Kind")
    def kind(self, type_: AssociationType) -> str:
        if type_.is_unlabeled:
            return "Unlabeled"
        return "Paired" if type_.is_paired else "Single"

    @admin.display(description="Type ids")
    def type_ids(self, type_: AssociationType) -> str:
        return str(type_.id) if type_.is_symmetric else f"{type_.id} / {type_.inverse_id}"

    @admin.display(description="Limits")
    def limits(self, type_: AssociationType) -> str:
        if type_.is_primary:
            return f"one {type_.to_object_type.label.lower()} per {type_.from_object_type.label.lower()}"
        ways = [DirectedType(type_, True)] + ([] if type_.is_symmetric else [DirectedType(type_, False)])
        limited = [
            f"{way.max_to:,} {_called(way.other_type, way.max_to)} per {way.record_type.label.lower()}"
            for way in ways
            if way.max_to is not None
        ]
        return ", ".join(limited) or "many"

    # The page -------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: AssociationType | None = None) -> Any:
        if obj is None:
            return NewLabelForm.Meta.fields
        fixed = ["pair", "kind", "name", "type_ids", "category"]
        words = [] if obj.is_unlabeled else ["label", "inverse_label"]
        limits = [] if obj.is_primary else ["max_to", "inverse_max_to"]
        if obj.is_symmetric:
            words, limits = words[:1], limits[:1]
        return fixed + words + limits

    def get_readonly_fields(self, request: HttpRequest, obj: AssociationType | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        words = () if obj.category == AssociationType.Category.USER_DEFINED else ("label", "inverse_label")
        return ("pair", "kind", "name", "type_ids", "category", *words)

    def get_form(
        self, request: HttpRequest, obj: AssociationType | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs["form"] = NewLabelForm
        return super().get_form(request, obj, change, **kwargs)

    def save_by_service(
        self, request: HttpRequest, form: ServiceForm[AssociationType], obj: AssociationType | None
    ) -> AssociationType:
        data, changed = form.cleaned_data, set(form.changed_data)
        if obj is None:
            return labels.create_label(
                data["object_type"], data["other_object_type"], label=data["label"], inverse_label=data["inverse_label"]
            ).type
        directed = DirectedType(obj, outgoing=True)
        if changed & {"label", "inverse_label"}:
            labels.rename_label(directed, label=data["label"], inverse_label=data.get("inverse_label", ""))
        if changed & {"max_to", "inverse_max_to"}:
            inverse = data["max_to"] if obj.is_symmetric else data["inverse_max_to"]
            labels.set_limits(directed, max_to=data["max_to"], inverse_max_to=inverse)
        return obj

    def delete_model(self, request: HttpRequest, obj: AssociationType) -> None:
        labels.delete_label(obj)


def _called(object_type: ObjectType, count: int) -> str:
    return (object_type.label if count == 1 else object_type.plural_label).lower()
