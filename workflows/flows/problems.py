"""What can be wrong with a flow: it is no flow at all (InvalidFlow), or a part of it cannot run here (CannotRun)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from associations.errors import Refused

UNSUPPORTED = "unsupported"
TOLD = 20


@dataclass(frozen=True)
class Problem:
    """`place` is the path of the part in the flow's JSON, such as actions[0].fields.labelToApply."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


class InvalidFlow(Refused):
    """A flow that cannot be kept. Nothing of it was saved."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        more = f" (and {len(self.problems) - TOLD} more)" if len(self.problems) > TOLD else ""
        super().__init__(" ".join(map(str, self.problems[:TOLD])) + more)


class CannotRun(Exception):
    """A part that is HubSpot's and not this product's; its text says what it is, for people."""


def invalid(place: str, reason: str) -> InvalidFlow:
    return InvalidFlow([Problem(place, reason)])


def unsupported(flow: Any, reason: str) -> dict[str, Any]:
    """How a part that cannot run is kept among those that can."""
    return {"flow": flow, "reason": reason}


def what_can_run(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition without the triggers that cannot run here."""
    schedule = definition["schedule"]
    return {
        **definition,
        **{name: list(filter(None, map(_runnable, definition[name]))) for name in ("triggers", "suppression")},
        "events": [event for event in definition["events"] if event.get("event") != UNSUPPORTED],
        "schedule": None if schedule and schedule.get("frequency") == UNSUPPORTED else schedule,
    }


def _runnable(group: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in group if each["kind"] != UNSUPPORTED]


# Reading JSON whose form nobody has checked ------------------------------------------------------


def an_object(raw: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise invalid(place, "should be an object of names and values.")
    return raw


def a_list(raw: Any, place: str) -> list[Any]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise invalid(place, "should be a list.")
    return raw


def a_text(raw: Any, place: str) -> str:
    if not isinstance(raw, str) or not raw:
        raise invalid(place, "should be text.")
    return raw


def a_number(raw: Any, place: str) -> int:
    """A whole number; clients write ids as text, too."""
    if isinstance(raw, str) and raw.isascii() and raw.removeprefix("-").isdecimal() and len(raw) < 19:
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or abs(raw) >= 2**63:
        raise invalid(place, "should be a whole number.")
    return raw


def a_flag(raw: Any, place: str, *, default: bool = False) -> bool:
    """true, false, or the same as text, as HubSpot writes it among an action's fields."""
    if raw is None or raw == "":
        return default
    if isinstance(raw, str) and raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    if not isinstance(raw, bool):
        raise invalid(place, "should be true or false.")
    return raw
