"""Inputs in which the value of a property is entered, as its type wants it: options, yes or no, a date picker, text.

For the forms of filters, events and actions; what is entered is read by criteria and property_values, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from associations.models import Property

from .operators import ANY_OF, KNOWN_OR_NOT

NO_CHOICE = ("", "Choose …")
DAYS = ("in_last_days", "in_next_days")


class DateInput(forms.DateInput):
    input_type = "date"

    def format_value(self, value: Any) -> Any:
        return value  # as it is kept, which is how a browser writes it


class DateTimeInput(forms.DateTimeInput):
    """An instant in the time zone of the installation; it is kept in UTC."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__({"step": "any"})

    def format_value(self, value: Any) -> Any:
        try:
            instant = parse_datetime(str(value or ""))
        except ValueError:
            return value
        if instant is None or timezone.is_naive(instant):
            return value
        return timezone.localtime(instant).replace(tzinfo=None).isoformat()


class ValueField(forms.CharField):
    """One value of a property that is chosen in the same form. Several options of a checkbox property are one value."""

    def to_python(self, value: Any) -> str:
        return super().to_python(";".join(map(str, value)) if isinstance(value, list | tuple) else value) or ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.to_python(initial), self.to_python(data))


def input_for(prop: Property | None) -> forms.Widget:
    """The input for one value of a property."""
    if prop is None:
        return forms.TextInput()
    if prop.type == Property.Type.ENUMERATION:
        if prop.field_type == Property.FieldType.CHECKBOX:
            return forms.CheckboxSelectMultiple(choices=_options(prop))
        return forms.Select(choices=[NO_CHOICE, *_options(prop)])
    if prop.type == Property.Type.BOOL:
        return forms.Select(choices=[NO_CHOICE, ("true", "yes"), ("false", "no")])
    if prop.type == Property.Type.DATE:
        return DateInput()
    if prop.type == Property.Type.DATETIME:
        return DateTimeInput()
    # Not type=number: a browser gives back nothing of what it takes for no number.
    return forms.TextInput({"inputmode": "decimal"} if prop.type == Property.Type.NUMBER else {})


def _options(prop: Property) -> list[tuple[str, str]]:
    return [(option["value"], option["label"]) for option in prop.options]


class Inputs(forms.Widget):
    """Several inputs of one name with a word between them; its value is a list. `spare`: one more that is empty."""

    def __init__(self, single: forms.Widget, *, number: int = 1, between: str = "or", spare: bool = False) -> None:
        super().__init__()
        self.single, self.number, self.between, self.spare = single, number, between, spare

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        given = data.getlist(name) if hasattr(data, "getlist") else data.get(name) or []
        return [value for value in given if str(value).strip()]

    def id_for_label(self, id_: str) -> str:
        return id_

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        values = list(value or [])
        if self.spare:
            values += [""] if values else ["", ""]  # for Tab goes to the second before the server has drawn it
        values += [""] * (self.number - len(values))
        attrs = {**self.attrs, **(attrs or {})}
        label = attrs.pop("aria-label", "Value")
        return format_html_join(
            format_html(' <span class="between">{}</span> ', self.between) if self.between else " ",
            "{}",
            ((self._one(name, each, number, label, attrs),) for number, each in enumerate(values)),
        )

    def _one(self, name: str, value: str, number: int, label: str, attrs: dict[str, Any]) -> SafeString:
        own = {**attrs, "aria-label": f"{label} {number + 1}" if number else label}
        if number and "id" in own:
            own["id"] = f"{own['id']}_{number}"
        return self.single.render(name, value, own)


def inputs_for(prop: Property, operator: str, values: Sequence[str]) -> forms.Widget | None:
    """The inputs for the values that an operator takes, so many as there are; all of them give a list. None where it
    takes no value."""
    if operator in KNOWN_OR_NOT:
        return None
    if operator in DAYS:
        return Inputs(forms.NumberInput({"min": 1, "max": 36_500}))
    if operator == "is_between":
        return Inputs(input_for(prop), number=2, between="and")
    if operator in ANY_OF:
        if prop.type != Property.Type.ENUMERATION:
            return Inputs(input_for(prop), spare=True)
        others = [value for value in values if value not in prop.option_values]  # several at once, or gone
        choices = [*_options(prop), *((value, value.replace(";", " and ")) for value in others)]
        return forms.CheckboxSelectMultiple(choices=choices)
    single = input_for(prop)
    return single if isinstance(single, forms.CheckboxSelectMultiple) else Inputs(single)


def as_entered(prop: Property, operator: str, values: Iterable[Any]) -> list[str]:
    """Kept values of a filter in the form in which its inputs send them."""
    texts = [("true" if value else "false") if isinstance(value, bool) else str(value) for value in values]
    return [part for text in texts for part in text.split(";")] if _is_one_of_several(prop, operator) else texts


def as_meant(prop: Property, operator: str, entered: list[str]) -> list[str]:
    """What inputs sent, as a filter takes it."""
    return [";".join(entered)] if entered and _is_one_of_several(prop, operator) else entered


def _is_one_of_several(prop: Property, operator: str) -> bool:
    """Whether what is checked is one value."""
    return prop.field_type == Property.FieldType.CHECKBOX and operator not in ANY_OF
