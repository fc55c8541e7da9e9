"""Forms that define properties: alone on a page of its own, and as a row on the page of its object type."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin

from associations.models import ObjectType, Property, PropertyGroup
from associations.models.schema import FIELD_TYPES
from associations.services.schema import INTERCHANGEABLE_FIELD_TYPES

from .base import ServiceForm

SEPARATOR = "|"
# People choose how a value is shown; how it is kept follows from that. The one field type with two types is "date".
KINDS = {
    f"{type_}/{field_type}": "Date and time picker" if type_ == "datetime" else Property.FieldType(field_type).label
    for type_, field_types in FIELD_TYPES.items()
    for field_type in field_types
}


def kind_of(prop: Property) -> str:
    return f"{prop.type}/{prop.field_type}"


@admin.display(description="Field type", ordering="field_type")
def kind_in_words(prop: Property) -> str:
    return KINDS[kind_of(prop)]


def option_lines(prop: Property) -> str:
    return "\n".join(f"{option['value']} {SEPARATOR} {option['label']}" for option in prop.options)


def read_options(lines: str) -> list[dict[str, str]]:
    """One option from each line: value | label, or a value that is its own label."""
    options = []
    for line in filter(None, map(str.strip, lines.splitlines())):
        value, _, label = (part.strip() for part in line.partition(SEPARATOR))
        options.append({"value": value, "label": label or value})
    return options


class PropertyForm(ServiceForm[Property]):
    """What is fixed once a property is created can be seen, not changed."""

    # For a new property; the admin sets it.
    object_type: ClassVar[ObjectType | None] = None

    kind = forms.ChoiceField(label="Field type", choices=KINDS.items)
    option_lines = forms.CharField(
        label="Options",
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 60, "class": "vLargeTextField"}),
        help_text="For an enumeration, one option per line: value | label",
    )

    class Meta:
        model = Property
        fields: tuple[str, ...] = ("label", "name", "kind", "has_unique_value", "description", "group", "option_lines")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        prop = self.instance
        if prop.pk:
            self.initial.update(kind=kind_of(prop), option_lines=option_lines(prop))
            self._fix("name")
            self._fix("has_unique_value")
            self._restrict_kinds(prop)
        if "group" in self.fields:
            self._restrict_groups(prop.object_type if prop.pk else self.object_type)

    def field_of(self, name: str) -> str:
        return {"options": "option_lines", "type": "kind", "field_type": "kind"}.get(name, name)

    def _fix(self, name: str) -> None:
        if name in self.fields:
            self.fields[name].disabled = True

    def _restrict_groups(self, object_type: ObjectType | None) -> None:
        group = cast("forms.ModelChoiceField[PropertyGroup]", self.fields["group"])
        group.queryset = PropertyGroup.objects.filter(object_type=object_type)
        if not self.instance.pk:
            group.required = False
            group.help_text = "Empty: the first group of the object type"

    def _restrict_kinds(self, prop: Property) -> None:
        """Offer the field types that show the values which records have."""
        alike = {prop.field_type}.union(*(row for row in INTERCHANGEABLE_FIELD_TYPES if prop.field_type in row))
        offered = alike if not prop.is_builtin else {prop.field_type}
        kinds = [f"{prop.type}/{field_type}" for field_type in FIELD_TYPES[prop.type] if field_type in offered]
        cast("forms.ChoiceField", self.fields["kind"]).choices = [(kind, KINDS[kind]) for kind in kinds]
        if len(kinds) == 1:
            self._fix("kind")

    def changes(self) -> dict[str, Any]:
        """What was changed or, for a new property, entered; in the words of the service."""
        data, is_new = self.cleaned_data, self.instance.pk is None
        names = [name for name in PropertyForm.Meta.fields if data.get(name)] if is_new else self.changed_data
        changes = {name: data[name] for name in names}
        if "kind" in changes:
            type_, changes["field_type"] = changes.pop("kind").split("/")
            changes |= {"type": type_} if is_new else {}
        if "option_lines" in changes:
            changes["options"] = read_options(changes.pop("option_lines"))
        return changes


class PropertyRowForm(PropertyForm):
    """A row has no room for options: properties with options are added on their own page."""

    option_lines = None  # type: ignore[assignment]

    class Meta(PropertyForm.Meta):
        fields = ("label", "name", "kind", "has_unique_value")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            without_options = [(kind, word) for kind, word in KINDS.items() if not kind.startswith("enumeration")]
            cast("forms.ChoiceField", self.fields["kind"]).choices = without_options
