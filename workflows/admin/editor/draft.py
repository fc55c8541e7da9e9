"""The editor's state as forms: what the page shows, what is wrong with it, and the definition that it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from associations.querysets import Surroundings
from workflows.criteria import MAX_FILTERS
from workflows.sentences import action_sentence, describe, filter_sentence

from .cards import Card
from .filters import FilterForm
from .rows import Row, said
from .starts import FILTERS, MANUAL, ON_EVENTS, SCHEDULE, EventForm, ScheduleForm, SettingsForm
from .state import ENROLL, KEPT, SUPPRESS, State


@dataclass(frozen=True)
class KeptPart:
    """A part that cannot be edited here: it stays as it is, or is removed. `text` says why."""

    prefix: str
    place: str
    raw: Any
    text: str
    title: str = ""
    is_kept: bool = True


Part = FilterForm | KeptPart


class Draft:
    """`checked`: somebody wants it saved, so what is wrong stands at its field; else it may still be incomplete."""

    def __init__(self, state: State, definition: Mapping[str, Any], around: Surroundings, *, checked: bool) -> None:
        self.state, self.definition, self.around, self.checked = state, definition, around, checked
        self.settings = SettingsForm(state.settings, around)
        self.start = self.settings.starts_by
        self.groups = {part: self._groups(part, groups) for part, groups in state.groups.items()}
        self.events = [self._event(row, f"events-{number}") for number, row in enumerate(state.events)]
        self.schedule = self._schedule(state.schedule)
        self.cards = [self._card(row, number) for number, row in enumerate(state.actions)]
        self.problems: list[str] = []
        counting = set(self._counting()) if checked else set()
        for form in self._forms():
            if form not in counting:
                form.errors.clear()

    # Its parts ------------------------------------------------------------------------------------

    def _groups(self, part: str, groups: list[list[Row]]) -> list[list[Part]]:
        return [
            [self._filter(row, f"{part}-{number}-filter-{place}") for place, row in enumerate(rows)]
            for number, rows in enumerate(groups)
        ]

    def _filter(self, row: Row, prefix: str) -> Part:
        if KEPT not in row:
            return FilterForm(row, prefix, self.around)
        raw = self._raw(row)
        return KeptPart(prefix, said(row, KEPT), raw, filter_sentence(raw, self.around).text)

    def _event(self, row: Row, prefix: str) -> EventForm | KeptPart:
        if KEPT not in row:
            return EventForm(row, prefix, self.around)
        raw = self._raw(row)
        return KeptPart(prefix, said(row, KEPT), raw, self._start_text({"events": [raw]}))

    def _schedule(self, row: Row) -> ScheduleForm | KeptPart:
        if KEPT not in row:
            return ScheduleForm(row, "schedule")
        raw = self._raw(row)
        return KeptPart("schedule", said(row, KEPT), raw, self._start_text({"schedule": raw}))

    def _start_text(self, definition: Mapping[str, Any]) -> str:
        return describe({**definition, "actions": []}, self.around).starts[0].text

    def _card(self, row: Row, number: int) -> Card | KeptPart:
        if KEPT not in row:
            return Card(row, number, self.around)
        raw = self._raw(row)
        sentence = action_sentence(raw["kind"], raw["fields"], self.around)
        return KeptPart(f"actions-{number}", said(row, KEPT), raw, sentence.text, sentence.title)

    def _raw(self, row: Row) -> Any:
        """What stands in the definition at the place that a row names. Raises LookupError where nothing does."""
        found: Any = self.definition
        for step in said(row, KEPT).split():
            found = found[int(step)] if isinstance(found, list) else found[step]
        return found

    # What is wrong --------------------------------------------------------------------------------

    def _forms(self) -> Iterator[forms.BaseForm]:
        yield self.settings
        yield from self._filters(ENROLL)
        yield from self._filters(SUPPRESS)
        yield from (each for each in (*self.events, self.schedule) if isinstance(each, forms.BaseForm))
        yield from (card.form for card in self.cards if isinstance(card, Card))

    def _counting(self) -> Iterator[forms.BaseForm]:
        """What counts, after the way it starts."""
        for form in self._forms():
            if isinstance(form, EventForm):
                counts = self.start == ON_EVENTS
            elif isinstance(form, ScheduleForm):
                counts = self.start == SCHEDULE
            else:
                counts = not isinstance(form, FilterForm) or str(form.prefix).startswith(SUPPRESS) or self._counts(form)
            if counts:
                yield form

    def _filters(self, part: str) -> Iterator[FilterForm]:
        return (each for group in self.groups[part] for each in group if isinstance(each, FilterForm))

    def _counts(self, each: Part) -> bool:
        """Filters are optional where something else starts a workflow; one without a property is left out then."""
        if self.start == MANUAL:
            return False
        return self.start == FILTERS or not isinstance(each, FilterForm) or not each.is_blank

    def is_valid(self) -> bool:
        valid = [form.is_valid() for form in self._counting()]
        for part in (ENROLL, SUPPRESS):
            if sum(map(len, self.groups[part])) > MAX_FILTERS:
                self.problems.append(f"At most {MAX_FILTERS} filters are possible.")
        if self.start == FILTERS and not self.groups[ENROLL]:
            self.settings.add_error("start", "Add a filter, or choose another way to enroll.")
        if self.start == ON_EVENTS and not self.events:
            self.settings.add_error("start", "Add an event, or choose another way to enroll.")
        has_filters = any(self._counts(each) for group in self.groups[ENROLL] for each in group)
        if self.settings.cleaned_data.get("unenroll") and not has_filters:
            self.settings.add_error("unenroll", "This needs filters that a record can stop meeting.")
        return all(valid) and not self.problems and not self.settings.errors

    # What it comes to -----------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """The definition, of a draft that is valid."""
        cleaned = self.settings.cleaned_data
        again = cleaned["should_re_enroll"]
        return {
            "should_re_enroll": again,
            "re_enrollment_properties": cleaned["re_enrollment_properties"] if again else [],
            "unenroll": cleaned["unenroll"],
            "triggers": self._groups_json(ENROLL),
            "suppression": self._groups_json(SUPPRESS),
            "events": [each.raw for each in self.events] if self.start == ON_EVENTS else [],
            "schedule": self.schedule.raw if self.start == SCHEDULE else None,
            "actions": [card.raw if isinstance(card, KeptPart) else card.to_json() for card in self.cards],
        }

    def _groups_json(self, part: str) -> list[list[dict[str, Any]]]:
        groups = [[each.raw for each in group if part == SUPPRESS or self._counts(each)] for group in self.groups[part]]
        return [group for group in groups if group]
