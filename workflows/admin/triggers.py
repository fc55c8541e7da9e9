"""Enrollment triggers in a workflow's form: one filter a row, read by the function that reads it everywhere."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from associations.models import Property
from associations.querysets import Surroundings
from workflows.criteria import MAX_FILTERS, AssociatedPropertyFilter, PropertyFilter, read_filter
from workflows.models import EnrollmentTrigger, Workflow
from workflows.operators import IS_EQUAL_TO, OPERATORS
from workflows.sentences import filter_sentence
from workflows.services.editing import enrolling_filters

Kind = EnrollmentTrigger.Kind
EMPTY = ("", "---------")
OPERATOR_WORDS = {name: words for operators in OPERATORS.values() for name, words in operators.items()}


class Offer:
    """What every row of a workflow offers. The marks tell admin.js which options fit together."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        object_types = list(dict.fromkeys([around.object_type, *around.other_types.values()]))
        self.properties = {f"{each.object_type.name}.{each.name}": each for each in around.properties(*object_types)}
        grouped: dict[str, list[tuple[str, str]]] = {each.label: [] for each in object_types}
        for key, prop in self.properties.items():
            grouped[prop.object_type.label].append((key, prop.label))
        self.property_choices = [EMPTY, *grouped.items()]
        self.type_choices = [
            EMPTY,
            *((each.type_id, f"{each.other_type}: {each.label or 'any'}") for each in around.types),
        ]
        self.others = {directed.type_id: directed.other_type for directed in around.types}
        self.marks: dict[str, dict[str, str]] = {
            **{key: {"data-object": p.object_type.name, "data-type": p.type} for key, p in self.properties.items()},
            **{str(type_id): {"data-object": other.name} for type_id, other in self.others.items()},
            **{
                name: {"data-types": " ".join(type_ for type_, known in OPERATORS.items() if name in known)}
                for name in OPERATOR_WORDS
            },
        }


class MarkedSelect(forms.Select):
    marks: dict[str, dict[str, str]] = {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["attrs"] |= self.marks.get(str(value), {})
        return option


class ValuesField(forms.Field):
    """Several values, one a line."""

    widget = forms.Textarea(attrs={"rows": 1, "cols": 24, "placeholder": "One value a line"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(_as_text, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        ProhibitNullCharactersValidator()(value or "")
        return _lines(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _lines(data) != list(map(_as_text, initial or []))


def _lines(text: Any) -> list[str]:
    return [line.strip() for line in str(text or "").splitlines() if line.strip()]


def _as_text(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


class TriggerForm(forms.ModelForm[EnrollmentTrigger]):
    """The names of the fields are those of the filter's JSON, so that its errors stand at their field."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in Kind if kind != Kind.EVENT])
    type_id = forms.TypedChoiceField(
        label="Association", required=False, coerce=int, empty_value=None, widget=MarkedSelect
    )
    has = forms.ChoiceField(label="Has or lacks", required=False, choices=[("has", "has"), ("lacks", "lacks")])
    property = forms.ChoiceField(required=False, widget=MarkedSelect)
    operator = forms.ChoiceField(
        required=False, initial=IS_EQUAL_TO, choices=list(OPERATOR_WORDS.items()), widget=MarkedSelect
    )
    values = ValuesField(required=False)
    or_no_value = forms.BooleanField(label="or has no value", required=False)

    class Meta:
        model = EnrollmentTrigger
        fields = ["group", "kind"]

    def __init__(self, *args: Any, offer: Offer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer = offer
        for name, choices in (("type_id", offer.type_choices), ("property", offer.property_choices)):
            cast(forms.ChoiceField, self.fields[name]).choices = choices
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label  # the rows have no room for labels
        for name in ("type_id", "property", "operator"):
            cast(MarkedSelect, self.fields[name].widget).marks = offer.marks
        self.fields["kind"].widget.attrs["data-object"] = offer.around.object_type.name
        if self.instance.pk:
            self.initial = {**self.initial, **self._from_json(self.instance.kind, self.instance.fields)}

    def _from_json(self, kind: str, raw: dict[str, Any]) -> dict[str, Any]:
        object_type = self._object_type(kind, raw.get("type_id"))
        return {
            "type_id": raw.get("type_id"),
            "has": "has" if raw.get("has", True) else "lacks",
            "property": f"{object_type.name}.{raw.get('property')}" if object_type else "",
            "operator": raw.get("operator", IS_EQUAL_TO),
            "values": raw.get("values", [raw["value"]] if "value" in raw else []),
            "or_no_value": raw.get("or_no_value", False),
        }

    def _object_type(self, kind: str, type_id: object) -> Any:
        """Whose property is tested; None while the association is not chosen."""
        if kind == Kind.PROPERTY:
            return self.offer.around.object_type
        return self.offer.others.get(int(str(type_id))) if type_id else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        raw = self._to_json(cleaned)
        read = read_filter({"kind": cleaned["kind"], **raw}, self.offer.around.object_type, self.offer.around)
        tested = read.filter if isinstance(read, AssociatedPropertyFilter) else read
        if isinstance(tested, PropertyFilter):
            raw["values"] = list(tested.values)
        self.instance.fields = {name: value for name, value in raw.items() if value not in (None, [])}
        return cleaned

    def _to_json(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        kind, type_id = cleaned["kind"], cleaned["type_id"]
        if kind == Kind.ASSOCIATION:
            return {"type_id": type_id, "has": cleaned["has"] != "lacks"}
        prop: Property | None = self.offer.properties.get(cleaned["property"])
        object_type = self._object_type(kind, type_id)
        if prop and object_type and prop.object_type != object_type:
            words = f"{prop} is a property of {prop.object_type.plural_label}, not of {object_type.plural_label}."
            raise ValidationError({"property": words})
        return {
            "type_id": type_id if kind == Kind.ASSOCIATED_PROPERTY else None,
            "property": prop.name if prop else "",
            "operator": cleaned["operator"],
            "values": cleaned["values"],
            "or_no_value": cleaned["or_no_value"] or None,
        }


class TriggerFormSet(forms.BaseInlineFormSet[EnrollmentTrigger, Workflow, forms.ModelForm[EnrollmentTrigger]]):
    @cached_property
    def offer(self) -> Offer:
        return Offer(Surroundings(self.instance.object_type))

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "offer": self.offer}

    def triggers(self) -> list[EnrollmentTrigger]:
        """All filters as they are after the edit, in the order of the rows."""
        rows = [form for form in self.forms if form not in self.deleted_forms]
        return [form.instance for form in rows if form.instance.pk or form.has_changed()]


class EnrollmentTriggerInline(admin.TabularInline[EnrollmentTrigger, Workflow]):
    """Whoever may change or see the workflow may change or see its triggers."""

    model = EnrollmentTrigger
    form = TriggerForm
    formset = TriggerFormSet
    extra = 1
    max_num = MAX_FILTERS
    verbose_name = "filter"
    verbose_name_plural = "Enrollment triggers: all filters of at least one group must be met"

    def get_queryset(self, request: HttpRequest) -> QuerySet[EnrollmentTrigger]:
        return enrolling_filters(super().get_queryset(request)).select_related("workflow__object_type")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if not self.has_change_permission(request, obj):
            return ("group", "sentence")
        return ("group", "kind", "type_id", "has", "property", "operator", "values", "or_no_value")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return () if self.has_change_permission(request, obj) else ("group", "sentence")

    @admin.display(description="filter")
    def sentence(self, trigger: EnrollmentTrigger) -> str:
        return filter_sentence({"kind": trigger.kind, **trigger.fields}, self._around(trigger.workflow)).text

    def _around(self, workflow: Workflow) -> Surroundings:
        """An inline lives for one request, in which it shows the triggers of one workflow."""
        if not hasattr(self, "_surroundings"):
            self._surroundings = Surroundings(workflow.object_type)
        return self._surroundings

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("workflows.view_workflow") or self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("workflows.change_workflow")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)
