"""When a record enrolls: the triggers of a workflow, read from its definition.

Either filters (a record that *comes to* meet them enrolls), or events (a record to which one of them happens enrolls,
if it meets the filters, where there are any), or a schedule (all that meet the filters then), or nothing: by hand only.
Suppression filters keep records out of all of these.
Called by services (lifecycle, events, scheduling); reads no records itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact

from associations.models import ObjectType, Property, RecordEvent
from associations.property_values import read_value
from associations.querysets import Surroundings
from associations.types import DirectedType

from .before import claimed_events, gained, lost, oldest_events
from .criteria import Criteria, read_criteria
from .operators import property_q
from .schedules import Schedule, read_schedule

CREATED, PROPERTY_CHANGED = "created", "property_changed"
ASSOCIATED, LABEL_ADDED, LABEL_REMOVED = "associated", "label_added", "label_removed"
EVENTS = {
    CREATED: "Record created",
    PROPERTY_CHANGED: "Property changed",
    ASSOCIATED: "Associated",
    LABEL_ADDED: "Label added",
    LABEL_REMOVED: "Label removed",
}


@dataclass(frozen=True)
class EventTrigger:
    event: str
    prop: Property | None = None
    values: tuple[Any, ...] = ()
    known: bool = False
    directed: DirectedType | None = None

    def touched(self) -> list[QuerySet[Any, Any]]:
        """The ids of the records to which this happened in the claimed change sets."""
        if self.event == CREATED:
            return [claimed_events().filter(kind=RecordEvent.Kind.CREATED).values("record")]
        if self.event == PROPERTY_CHANGED:
            assert self.prop is not None
            return [changed(self.prop, self.values, known=self.known).values("record")]
        assert self.directed is not None
        return list(lost(self.directed) if self.event == LABEL_REMOVED else gained(self.directed))


def changed(prop: Property, values: tuple[Any, ...] = (), *, known: bool = False) -> QuerySet[RecordEvent]:
    """The oldest events of records whose value of a property is another one now: any or none, any if it must be
    `known`, or one of `values`."""

    def text(column: str) -> Coalesce:
        return Coalesce(Cast(KeyTextTransform(prop.name, column), TextField()), Value(""), output_field=TextField())

    same = Q(Exact(text("before"), text("record__properties")))
    events = oldest_events().exclude(kind=RecordEvent.Kind.CREATED).filter(~same)
    if values:
        return events.filter(property_q(prop, "is_any_of", list(values), column="record__properties"))
    return events.filter(property_q(prop, "is_known", [], column="record__properties")) if known else events


@dataclass(frozen=True)
class Triggers:
    criteria: Criteria
    suppression: Criteria
    events: tuple[EventTrigger, ...] = ()
    schedule: Schedule | None = None
    re_enrollment_properties: tuple[Property, ...] = ()
    unenroll: bool = False

    @property
    def by_what_happens(self) -> bool:
        """Whether records enroll by what happens to them."""
        return bool((self.criteria.groups or self.events) and not self.schedule)

    @property
    def moves(self) -> bool:
        """Whether whom they bring in depends on the day, and not on what happened alone."""
        return self.criteria.moves or self.suppression.moves

    @property
    def properties(self) -> set[int]:
        """The properties that a trigger refers to."""
        filters = [*self.criteria.filters, *self.suppression.filters]
        used = {prop.pk for each in filters for prop in each.properties}
        return (
            used
            | {each.prop.pk for each in self.events if each.prop}
            | {prop.pk for prop in self.re_enrollment_properties}
        )

    @property
    def association_type_ids(self) -> set[int]:
        """The association types that a trigger refers to."""
        return (
            self.criteria.association_type_ids
            | self.suppression.association_type_ids
            | {each.directed.type.pk for each in self.events if each.directed}
        )


def read_triggers(
    definition: Mapping[str, Any], object_type: ObjectType, around: Surroundings | None = None
) -> Triggers:
    """The typed triggers of a definition. Raises ValidationError that says which part is wrong."""
    around = around or Surroundings(object_type)
    events = tuple(_read_event(raw, number, around) for number, raw in enumerate(definition.get("events", []), 1))
    schedule = read_schedule(definition["schedule"]) if definition.get("schedule") else None
    if events and schedule:
        raise ValidationError("A workflow starts by events or by a schedule, not by both.")
    named = {prop.name: prop for prop in around.properties(object_type)}
    marked = definition.get("re_enrollment_properties", [])
    if unknown := [name for name in marked if name not in named]:
        raise ValidationError(f"Re-enrollment: a {object_type.label.lower()} has no property {unknown[0]!r}.")
    if marked and not definition.get("should_re_enroll"):
        raise ValidationError("Re-enrollment: properties are marked, but re-enrollment is off.")
    criteria = read_criteria(definition.get("triggers", []), object_type, around)
    unenroll = bool(definition.get("unenroll", False))
    if unenroll and not criteria.groups:
        raise ValidationError("Unenroll when no longer matching needs filters that can stop matching.")
    return Triggers(
        criteria=criteria,
        suppression=read_criteria(definition.get("suppression", []), object_type, around),
        events=events,
        schedule=schedule,
        re_enrollment_properties=tuple(named[name] for name in marked),
        unenroll=unenroll,
    )


def _read_event(raw: Mapping[str, Any], number: int, around: Surroundings) -> EventTrigger:
    try:
        return read_event(raw, around)
    except ValidationError as error:
        raise ValidationError(f"Event {number}: {' '.join(error.messages)}") from error


def read_event(raw: Mapping[str, Any], around: Surroundings) -> EventTrigger:
    """One event trigger from its JSON: {"event": "property_changed", "property": "city", "values": ["Boston"]} (or
    "known": true, to any value), or {"event": "label_added", "type_id": 1}. Raises ValidationError by field."""
    event = raw.get("event")
    record = around.object_type.label.lower()
    if event == CREATED:
        return EventTrigger(CREATED)
    if event == PROPERTY_CHANGED:
        prop = next((each for each in around.properties(around.object_type) if each.name == raw.get("property")), None)
        if prop is None:
            raise ValidationError({"property": f"A {record} has no property {raw.get('property') or ''!r}."})
        try:
            values = tuple(read_value(prop, value) for value in raw.get("values") or ())
        except ValueError as error:
            raise ValidationError({"values": f"{prop} {error}"}) from None
        given = tuple(each for each in values if each is not None)
        return EventTrigger(PROPERTY_CHANGED, prop=prop, values=given, known=raw.get("known") is True)
    if event == "unsupported":  # of a flow of HubSpot's, see flows/
        raise ValidationError({"event": str(raw.get("reason"))})
    if event in (ASSOCIATED, LABEL_ADDED, LABEL_REMOVED):
        directed = next((each for each in around.types if str(each.type_id) == str(raw.get("type_id"))), None)
        if directed is None or directed.type.is_unlabeled != (event == ASSOCIATED):
            wanted = "object it is associated with" if event == ASSOCIATED else "label"
            raise ValidationError({"type_id": f"Choose which {wanted}, of those a {record} has."})
        return EventTrigger(event, directed=directed)
    raise ValidationError({"event": f"There is no event called {event!r}."})
