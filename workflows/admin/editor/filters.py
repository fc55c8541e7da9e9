"""Filters in the editor: whose property, which one, an operator that fits its type, and inputs that fit both.

A filter is read by the function that reads it everywhere (criteria.read_filter); here it only gets its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from associations.models import ObjectType, Property
from associations.querysets import Surroundings
from workflows.criteria import AssociatedPropertyFilter, PropertyFilter, read_filter
from workflows.operators import OPERATORS
from workflows.value_inputs import DAYS, Inputs, as_entered, as_meant, inputs_for

from .rows import Row, RowForm, said

OWN = "own"
# In the place of a property: whether there is such an association at all.
HAS, LACKS = "_has", "_lacks"
_DENIALS = ("is_not_equal_to", "is_none_of", "does_not_contain")


def filter_row(raw: Mapping[str, Any], around: Surroundings) -> Row:
    """A kept filter as its row sends it."""
    kind = raw.get("kind", "property")
    row: Row = MultiValueDict()
    subject = row["subject"] = OWN if kind == "property" else str(raw.get("type_id"))
    if kind == "association":
        row["property"] = HAS if raw.get("has", True) else LACKS
        return row
    name, operator = str(raw.get("property", "")), str(raw.get("operator", "is_equal_to"))
    row["property"], row["operator"] = name, operator
    values = raw.get("values")
    if values is None:
        values = [raw["value"]] if raw.get("value") not in (None, "") else []
    prop = property_named(name, subject_type(subject, around), around)
    row.setlist("values", as_entered(prop, operator, values) if prop else [str(each) for each in values])
    if raw.get("or_no_value"):
        row["or_no_value"] = "on"
    return row


def empty_filter() -> Row:
    return MultiValueDict({"subject": [OWN]})


def subject_type(subject: str, around: Surroundings) -> ObjectType | None:
    """Whose properties a filter is about."""
    if subject == OWN:
        return around.object_type
    return next((each.other_type for each in around.types if str(each.type_id) == subject), None)


def property_named(name: str, of_type: ObjectType | None, around: Surroundings) -> Property | None:
    return next((each for each in around.properties(of_type) if each.name == name), None) if of_type else None


class FilterForm(RowForm):
    subject = forms.ChoiceField(label="Whose property")
    property = forms.ChoiceField(required=False, label="Property")
    operator = forms.ChoiceField(required=False, label="Operator")
    values = forms.Field(required=False, label="Value")
    or_no_value = forms.BooleanField(required=False, label="or has no value")

    def __init__(self, row: Row, prefix: str, around: Surroundings) -> None:
        self.around = around
        row = row.copy()
        if subject_type(row.get("subject", ""), around) is None:
            row["subject"] = OWN
        self.of_type = cast(ObjectType, subject_type(said(row, "subject"), around))
        self.tested = property_named(row.get("property", ""), self.of_type, around)
        if not self.tested and not (row["subject"] != OWN and row.get("property") in (HAS, LACKS)):
            row["property"] = ""
        if self.tested and row.get("operator") not in OPERATORS[self.tested.type]:
            row["operator"] = next(iter(OPERATORS[self.tested.type]))
        super().__init__(row, prefix)
        self.is_blank = not row["property"]  # nothing was chosen yet
        self.takes_days = self.tested is not None and row["operator"] in DAYS
        self._offer(row)

    def _offer(self, row: Row) -> None:
        cast(forms.ChoiceField, self.fields["subject"]).choices = subjects(self.around)
        cast(forms.ChoiceField, self.fields["property"]).choices = self._properties(own=row["subject"] == OWN)
        inputs = None
        if self.tested:
            operators = OPERATORS[self.tested.type]
            cast(forms.ChoiceField, self.fields["operator"]).choices = [*operators.items()]
            inputs = inputs_for(self.tested, said(row, "operator"), row.getlist("values"))
        if inputs is None:
            del self.fields["values"]
        else:
            if isinstance(inputs, Inputs):
                inputs.attrs["aria-label"] = "Value"
            self.fields["values"].widget = inputs
        if not self.tested:
            del self.fields["operator"]
        if not self.tested or row["operator"] not in _DENIALS:
            del self.fields["or_no_value"]

    def _properties(self, *, own: bool) -> list[Any]:
        properties = [(each.name, each.label) for each in self.around.properties(self.of_type)]
        if own:
            return [("", "Choose a property …"), *properties]
        exist = [(HAS, "exists"), (LACKS, "does not exist")]
        return [("", "Choose …"), *exist, (f"Property of the {self.of_type.label.lower()}", properties)]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if self.errors:
            return cleaned
        if self.is_blank:
            raise ValidationError({"property": "Choose what is tested, or remove this filter."})
        self.raw = self._to_json(cleaned)
        try:
            read = read_filter(self.raw, self.around.object_type, self.around)
        except ValidationError as error:
            self._place(error)
            return cleaned
        tested = read.filter if isinstance(read, AssociatedPropertyFilter) else read
        if isinstance(tested, PropertyFilter) and tested.values:
            self.raw["values"] = list(tested.values)
        return cleaned

    def _place(self, error: ValidationError) -> None:
        """At the field that it is about, as far as that is shown."""
        by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
        for name, errors in by_field.items():
            self.add_error(name if name in self.fields else "property", cast(Any, errors))

    def _to_json(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        subject = cleaned["subject"]
        raw: dict[str, Any] = {"kind": "property"} if subject == OWN else {"type_id": int(subject)}
        if cleaned["property"] in (HAS, LACKS):
            return {"kind": "association", **raw, "has": cleaned["property"] == HAS}
        raw |= {"property": cleaned["property"], "operator": cleaned["operator"]}
        if subject != OWN:
            raw = {"kind": "associated_property", **raw}
        assert self.tested is not None
        if values := as_meant(self.tested, cleaned["operator"], cleaned.get("values") or []):
            raw["values"] = values
        if cleaned.get("or_no_value"):
            raw["or_no_value"] = True
        return raw


def subjects(around: Surroundings) -> list[Any]:
    """The record itself, and those that are associated with it, at all or with a label."""
    by_type: dict[str, list[tuple[str, str]]] = {}
    for each in around.types:
        words = f"Associated {each.other_type.label.lower()}"
        labelled = f"{words}: {each.label}" if each.label else words
        by_type.setdefault(words, []).append((str(each.type_id), labelled))
    others = sorted(by_type.items(), key=lambda item: -len(item[1]))
    return [(OWN, around.object_type.label), *others]
