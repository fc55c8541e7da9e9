"""How the value of a property is entered in a form and shown on a page.

A form field reads what was entered by the services' own rule (property_values), so that both agree on what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import widgets
from django.core.exceptions import ValidationError
from django.db.models.fields.json import KeyTransform
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import escape
from django.utils.text import Truncator

from associations.models import Property, Record
from associations.property_values import Value, read_value

from .base import sentence

# How much of a long text a cell of a list has room for.
CELL = 80
NO_CHOICE = ("", "---------")


def field_name(prop_name: str) -> str:
    """What a property is called in forms and addresses, where fields of the record itself have names, too."""
    return f"property_{prop_name}"


# Shown ------------------------------------------------------------------------------------------


def in_words(prop: Property, value: Any) -> str:
    """A kept value as people read it."""
    if prop.type == Property.Type.BOOL:
        return "Yes" if value else "No"
    if prop.type == Property.Type.ENUMERATION:
        words = {option["value"]: option["label"] for option in prop.options}
        return ", ".join(words.get(each, each) for each in str(value).split(";"))
    if prop.type == Property.Type.DATETIME:
        return " ".join(_local(value))
    return str(value)


def _local(value: str) -> list[str]:
    """Date and time of a kept instant, in the time zone of the installation."""
    instant = parse_datetime(value)
    if instant is None:
        return [value, ""]
    local = timezone.localtime(instant)
    return [local.date().isoformat(), local.time().isoformat(timespec="seconds")]


def column(
    prop: Property, *, longest: int | None = None, ordering: str | None = None
) -> Callable[[Record], str | None]:
    """A property as a column of a list."""

    @admin.display(description=prop.label, ordering=ordering or KeyTransform(prop.name, "properties"))
    def shown(record: Record) -> str | None:
        value = record.properties.get(prop.name)
        if value is None:
            return None
        words = in_words(prop, value)
        return Truncator(words).chars(longest) if longest else words

    shown.__name__ = field_name(prop.name)
    return shown


def line(prop: Property) -> Callable[[Record], str]:
    """A property as a read-only line of a page. Of no value Django's lists say "-", but its pages "None"."""
    shown = column(prop)

    @wraps(shown)
    def said(record: Record) -> str:
        return shown(record) or "-"

    return said


def named(shown: Callable[[Record], str | None]) -> Callable[[Record], str]:
    """A column that shows the record's name where there is no value."""

    @wraps(shown)
    def name(record: Record) -> str:
        return shown(record) or str(record)

    return name


# Entered ----------------------------------------------------------------------------------------


class PropertyField(forms.Field):
    """The value of one property of one record; `initial` is the value as it is kept."""

    def __init__(self, prop: Property, kept: Value | None) -> None:
        self.prop = prop
        super().__init__(
            required=False,
            label=prop.label,
            help_text=escape(prop.description),
            initial=kept,
            widget=_widget(prop, kept),
        )

    def clean(self, value: Any) -> Any:
        """What is left as it was is not judged again: an option may have gone since it was chosen."""
        if not self.has_changed(self.initial, value):
            return self.initial
        try:
            return read_value(self.prop, self._raw(value))
        except ValueError as error:
            raise ValidationError(sentence(str(error))) from error

    def prepare_value(self, value: Any) -> Any:
        """A kept value in the parts that its widget has; what was entered stays as it is."""
        if isinstance(value, str) and self.prop.type == Property.Type.DATETIME:
            return _local(value)
        if isinstance(value, str) and self.prop.field_type == Property.FieldType.CHECKBOX:
            return value.split(";")
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether something else was entered than was shown, however it is written."""
        return self._comparable(data) != self._comparable(self.prepare_value(initial))

    def _comparable(self, entered: Any) -> Any:
        raw = self._raw(entered)
        try:
            return read_value(self.prop, raw)
        except ValueError:
            return sorted(raw) if isinstance(raw, list) else raw

    def _raw(self, entered: Any) -> Any:
        """What was entered, the way read_value takes it."""
        if self.prop.type == Property.Type.DATETIME and isinstance(entered, list):
            return " ".join(part.strip() for part in entered if part)
        if isinstance(entered, str):
            return entered.replace("\r\n", "\n")  # browsers end lines the other way
        return entered


def _widget(prop: Property, kept: Value | None) -> forms.Widget:
    field_types = Property.FieldType
    if prop.type == Property.Type.ENUMERATION:
        choices = [(option["value"], option["label"]) for option in prop.options]
        gone = [each for each in str(kept or "").split(";") if each and each not in prop.option_values]
        choices += [(each, f"{each} (no longer an option)") for each in gone]
        if prop.field_type == field_types.CHECKBOX:
            return forms.CheckboxSelectMultiple(choices=choices)
        if prop.field_type == field_types.RADIO:
            return widgets.AdminRadioSelect(choices=[("", "No value"), *choices])
        return forms.Select(choices=[NO_CHOICE, *choices])
    if prop.type == Property.Type.DATETIME:
        return widgets.AdminSplitDateTime()
    simple: dict[str, Callable[[], forms.Widget]] = {
        field_types.TEXTAREA: widgets.AdminTextareaWidget,
        field_types.HTML: widgets.AdminTextareaWidget,
        field_types.PHONENUMBER: lambda: widgets.AdminTextInputWidget(attrs={"type": "tel"}),
        # Not type=number: a browser gives back nothing of what it takes for no number.
        field_types.NUMBER: lambda: widgets.AdminTextInputWidget(attrs={"inputmode": "decimal"}),
        field_types.DATE: widgets.AdminDateWidget,
        field_types.BOOLEANCHECKBOX: forms.NullBooleanSelect,
    }
    return simple.get(prop.field_type, widgets.AdminTextInputWidget)()
