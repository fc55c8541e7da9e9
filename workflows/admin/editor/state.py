"""What stands in the editor, before anybody has judged it: rows as a browser sends them, and the steps that people take
with them (add, move, remove). Made of a workflow's definition or of what was sent; draft.py makes forms of it.

A part that only is to be kept (imported, and cannot run here) is a row that names its place in the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.datastructures import MultiValueDict

from associations.querysets import Surroundings
from workflows.actions import ACTIONS
from workflows.schedules import DAILY, MONTHLY, WEEKLY
from workflows.triggers import EVENTS

from .cards import action_row
from .filters import empty_filter, filter_row
from .rows import Row, below, numbered, row_of
from .starts import FILTERS, MANUAL, ON_EVENTS, SCHEDULE, empty_event, empty_schedule, event_row

KEPT = "kept"
KINDS_OF_FILTER = ("property", "associated_property", "association")
ENROLL, SUPPRESS = "enroll", "suppress"


@dataclass
class State:
    """`settings` are the fields of SettingsForm; `focus` the prefix or id of what was just added or moved, `done` says
    so in words."""

    settings: Row
    groups: dict[str, list[list[Row]]]
    events: list[Row]
    schedule: Row
    actions: list[Row]
    focus: str = ""
    done: str = ""

    @classmethod
    def of(cls, name: str, description: str, definition: Mapping[str, Any], around: Surroundings) -> State:
        """As it is kept."""
        schedule = definition.get("schedule") or {}
        has_schedule = _kept_or(schedule.get("frequency") in (DAILY, WEEKLY, MONTHLY), "schedule", row_of(schedule))
        return cls(
            settings=row_of(
                {
                    "name": name,
                    "description": description,
                    "start": _start_of(definition),
                    "should_re_enroll": definition["should_re_enroll"],
                    "re_enrollment_properties": definition.get("re_enrollment_properties", []),
                    "unenroll": definition.get("unenroll", False),
                }
            ),
            groups={
                ENROLL: _groups(definition, "triggers", around),
                SUPPRESS: _groups(definition, "suppression", around),
            },
            events=[
                _kept_or(raw.get("event") in EVENTS, f"events {number}", event_row(raw, around))
                for number, raw in enumerate(definition.get("events", []))
            ],
            schedule=has_schedule if schedule else empty_schedule(),
            actions=[
                _kept_or(raw["kind"] in ACTIONS, f"actions {number}", action_row(raw))
                for number, raw in enumerate(definition["actions"])
            ],
        )

    @classmethod
    def sent(cls, post: Row) -> State:
        """As a browser sent it."""
        names = ("name", "description", "start", "should_re_enroll", "re_enrollment_properties", "unenroll")
        actions = numbered(post, "actions")
        return cls(
            settings=MultiValueDict({name: post.getlist(name) for name in names if name in post}),
            groups={part: [numbered(group, "filter") for group in numbered(post, part)] for part in (ENROLL, SUPPRESS)},
            events=numbered(post, "events"),
            schedule=below(post, "schedule"),
            actions=[row for row in actions if row.get("kind") in ACTIONS or KEPT in row],
        )

    # Steps ----------------------------------------------------------------------------------------

    def take(self, step: str) -> None:
        """Do what a button says, such as `remove-filter enroll 0 1`. What names nothing that is there does nothing."""
        verb, *where = step.split() or [""]
        steps: dict[str, Callable[..., None]] = {
            "add-group": self._add_group,
            "add-filter": self._add_filter,
            "remove-filter": self._remove_filter,
            "add-event": self._add_event,
            "remove-event": self._remove_event,
            "add-action": self._add_action,
            "move-action": self._move_action,
            "remove-action": self._remove_action,
        }
        try:
            steps[verb](*where)
        except (KeyError, IndexError, ValueError, TypeError):
            return

    def _add_group(self, part: str) -> None:
        self.groups[part].append([empty_filter()])
        self.focus, self.done = f"id_{part}-{len(self.groups[part]) - 1}-filter-0-property", "Group added."

    def _add_filter(self, part: str, group: str) -> None:
        rows = self.groups[part][int(group)]
        rows.append(empty_filter())
        self.focus, self.done = f"id_{part}-{group}-filter-{len(rows) - 1}-property", "Filter added."

    def _remove_filter(self, part: str, group: str, number: str) -> None:
        rows = self.groups[part][int(group)]
        del rows[int(number)]
        self.focus = f"{part}-{group}-add" if rows else f"{part}-add"
        if not rows:
            del self.groups[part][int(group)]
        self.done = "Filter removed."

    def _add_event(self) -> None:
        self.events.append(empty_event())
        self.focus, self.done = f"id_events-{len(self.events) - 1}-event", "Event added."

    def _remove_event(self, number: str) -> None:
        del self.events[int(number)]
        self.focus, self.done = "events-add", "Event removed."

    def _add_action(self, kind: str) -> None:
        label = ACTIONS[kind].label
        self.actions.append(row_of({"kind": kind}))
        self.focus = f"id_actions-{len(self.actions) - 1}-to_object_type"
        self.done = f"{label} added as action {len(self.actions)}."

    def _move_action(self, number: str, direction: str) -> None:
        place = int(number)
        to = place + {"up": -1, "down": 1}[direction]
        if not 0 <= to < len(self.actions):
            raise IndexError(to)
        self.actions.insert(to, self.actions.pop(place))
        at_end = to == (0 if direction == "up" else len(self.actions) - 1)
        other = "down" if direction == "up" else "up"
        self.focus = f"actions-{to}-{other if at_end else direction}"
        self.done = f"Moved {direction}: it is action {to + 1} now."

    def _remove_action(self, number: str) -> None:
        del self.actions[int(number)]
        self.focus, self.done = "add-action", f"Action {int(number) + 1} removed."


def _start_of(definition: Mapping[str, Any]) -> str:
    if definition.get("events"):
        return ON_EVENTS
    if definition.get("schedule"):
        return SCHEDULE
    return FILTERS if definition.get("triggers") else MANUAL


def _groups(definition: Mapping[str, Any], name: str, around: Surroundings) -> list[list[Row]]:
    return [
        [
            _kept_or(
                raw.get("kind", "property") in KINDS_OF_FILTER, f"{name} {group} {number}", filter_row(raw, around)
            )
            for number, raw in enumerate(filters)
        ]
        for group, filters in enumerate(definition.get(name, []))
    ]


def _kept_or(can_be_edited: bool, place: str, row: Row) -> Row:
    return row if can_be_edited else row_of({KEPT: place})
