"""When records enroll, in the editor: the way a workflow starts, its events, its schedule, and who may enroll again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from associations.querysets import Surroundings
from workflows.models import Workflow
from workflows.schedules import DAILY, MONTHLY, WEEKDAYS, WEEKLY, read_schedule
from workflows.triggers import ASSOCIATED, EVENTS, LABEL_ADDED, LABEL_REMOVED, PROPERTY_CHANGED, read_event
from workflows.value_inputs import Inputs, as_entered, inputs_for

from .filters import property_named
from .rows import Row, RowForm, row_of

FILTERS, ON_EVENTS, SCHEDULE, MANUAL = "filters", "events", "schedule", "manual"
# Files among those of time zones that are none: of a machine without one, and whatever this machine has.
NO_PLACES = {"Factory", "localtime"}


class SettingsForm(forms.Form):
    """What a workflow has once."""

    name = forms.CharField(max_length=Workflow._meta.get_field("name").max_length)
    description = forms.CharField(required=False, widget=forms.Textarea({"rows": 2}))
    start = forms.ChoiceField(
        label="Records enroll",
        widget=forms.RadioSelect,
        choices=[
            (FILTERS, "When filter criteria are met"),
            (ON_EVENTS, "When an event occurs"),
            (SCHEDULE, "Based on a schedule"),
            (MANUAL, "Manually"),
        ],
    )
    should_re_enroll = forms.BooleanField(required=False)
    re_enrollment_properties = forms.Field(required=False)
    unenroll = forms.BooleanField(required=False)

    def __init__(self, row: Row, around: Surroundings) -> None:
        super().__init__(row, use_required_attribute=False, label_suffix="")
        records = around.object_type.plural_label.lower()
        properties = [(each.name, each.label) for each in around.properties(around.object_type)]
        self.fields["should_re_enroll"].label = f"Let {records} enroll again when they come to meet the triggers again"
        self.fields["unenroll"].label = f"Unenroll {records} that no longer meet the filters"
        inputs = Inputs(forms.Select(choices=[("", "Choose a property …"), *properties]), spare=True)
        inputs.attrs["aria-label"] = "Re-enrollment property"
        self.fields["re_enrollment_properties"].widget = inputs
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def clean_re_enrollment_properties(self) -> list[str]:
        return list(dict.fromkeys(self.cleaned_data["re_enrollment_properties"]))

    @property
    def starts_by(self) -> str:
        return str(self["start"].value() or FILTERS)


def event_row(raw: Mapping[str, Any], around: Surroundings) -> Row:
    """A kept event as its row sends it."""
    row = row_of({name: raw.get(name) for name in ("event", "property", "type_id", "known")})
    if prop := property_named(str(raw.get("property")), around.object_type, around):
        row.setlist("values", as_entered(prop, "is_any_of", raw.get("values") or []))
    return row


def empty_event() -> Row:
    return MultiValueDict({"event": [PROPERTY_CHANGED]})


class EventForm(RowForm):
    event = forms.ChoiceField(choices=list(EVENTS.items()), label="Event")
    property = forms.ChoiceField(required=False, label="Property")
    type_id = forms.ChoiceField(required=False, label="Association or label")
    values = forms.Field(required=False, label="To")
    known = forms.BooleanField(required=False, label="only if it has a value then")

    def __init__(self, row: Row, prefix: str, around: Surroundings) -> None:
        self.around = around
        super().__init__(row, prefix)
        event = row.get("event")
        prop = (
            property_named(row.get("property", ""), around.object_type, around) if event == PROPERTY_CHANGED else None
        )
        if event == PROPERTY_CHANGED:
            properties = [(each.name, each.label) for each in around.properties(around.object_type)]
            cast(forms.ChoiceField, self.fields["property"]).choices = [("", "Choose a property …"), *properties]
        else:
            del self.fields["property"]
        if event in (ASSOCIATED, LABEL_ADDED, LABEL_REMOVED):
            cast(forms.ChoiceField, self.fields["type_id"]).choices = self._types(unlabeled=event == ASSOCIATED)
        else:
            del self.fields["type_id"]
        if prop and (inputs := inputs_for(prop, "is_any_of", row.getlist("values"))):
            if isinstance(inputs, Inputs):
                inputs.attrs["aria-label"] = "To value"
            self.fields["values"].widget = inputs
        else:
            del self.fields["values"]
        if not prop or row.getlist("values") not in ([], [""], ["", ""]):
            del self.fields["known"]

    def _types(self, *, unlabeled: bool) -> list[tuple[str, str]]:
        chosen = [each for each in self.around.types if each.type.is_unlabeled == unlabeled]
        if unlabeled:
            return [("", "Choose an object …"), *((str(each.type_id), f"with a {each.other_type}") for each in chosen)]
        return [("", "Choose a label …"), *((str(each.type_id), f"{each.other_type}: {each}") for each in chosen)]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if self.errors:
            return cleaned
        if "property" in self.fields and not cleaned["property"]:
            raise ValidationError({"property": "Choose a property."})
        self.raw = {name: value for name, value in cleaned.items() if value}
        if "type_id" in self.raw:
            self.raw["type_id"] = int(self.raw["type_id"])
        read = read_event(self.raw, self.around)
        if read.values:
            self.raw["values"] = list(read.values)
        return cleaned


def empty_schedule() -> Row:
    return row_of({"frequency": DAILY, "time": "09:00", "time_zone": settings.TIME_ZONE, "weekday": "0", "day": "1"})


class ScheduleForm(RowForm):
    frequency = forms.ChoiceField(choices=[(DAILY, "Every day"), (WEEKLY, "Every week"), (MONTHLY, "Every month")])
    weekday = forms.TypedChoiceField(label="Day of the week", coerce=int, choices=list(enumerate(WEEKDAYS)))
    day = forms.TypedChoiceField(
        label="Day of the month", coerce=int, choices=[(day, f"on day {day}") for day in range(1, 32)]
    )
    time = forms.CharField(label="Time", widget=forms.TimeInput({"type": "time"}))
    time_zone = forms.ChoiceField(label="Time zone")

    def __init__(self, row: Row, prefix: str) -> None:
        super().__init__(row, prefix)
        zones = sorted({*available_timezones(), settings.TIME_ZONE} - NO_PLACES)
        cast(forms.ChoiceField, self.fields["time_zone"]).choices = [(zone, zone.replace("_", " ")) for zone in zones]
        for name, frequency in (("weekday", WEEKLY), ("day", MONTHLY)):
            if row.get("frequency") != frequency:
                self.fields[name].required = False
                self.fields[name].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not self.errors:
            names = {DAILY: (), WEEKLY: ("weekday",), MONTHLY: ("day",)}[cleaned["frequency"]]
            self.raw = {name: cleaned[name] for name in ("frequency", "time", "time_zone", *names)}
            read_schedule(self.raw)
        return cleaned
