"""The actions of a workflow in the editor, a card each: fed by the form of its kind, so that a new kind has its card
without a line here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.forms import BoundField

from associations.querysets import Surroundings
from workflows.actions import ACTIONS

from .rows import Row, prefixed, row_of, said


def action_row(raw: Mapping[str, Any]) -> Row:
    """A kept action as its card sends it."""
    row = row_of(raw["fields"])
    row["kind"] = raw["kind"]
    return row


class Card:
    """An action that is being edited. `sentence` says what it will do, or `missing` what there is still to say."""

    def __init__(self, row: Row, number: int, around: Surroundings) -> None:
        self.number, self.prefix = number, f"actions-{number}"
        self.kind = ACTIONS[said(row, "kind")]
        self.form = self.kind.form(
            prefixed(row, self.prefix),
            prefix=self.prefix,
            object_type=around.object_type,
            around=around,
            use_required_attribute=False,
            label_suffix="",
        )
        self.is_valid = self.form.is_valid()
        self.sentence = self.kind.sentence(self.kind.config(self.form)) if self.is_valid else ""
        self.missing = "" if self.is_valid else self._missing()

    def _missing(self) -> str:
        errors = self.form.errors
        empty = [self.form[name].label for name in self.form.shown() if name in errors and not self.form[name].value()]
        if empty:
            return f"Still to say: {', '.join(map(str, empty))}."
        return " ".join(str(error) for each in errors.values() for error in each)

    @cached_property
    def main(self) -> list[BoundField]:
        return [self.form[name] for name in self.form.shown() if name not in self.form.rarely_needed]

    @cached_property
    def more(self) -> list[BoundField]:
        """What is rarely needed."""
        return [self.form[name] for name in self.form.shown() if name in self.form.rarely_needed]

    @cached_property
    def shows_more(self) -> bool:
        """Whether something of that was chosen, or is wrong."""
        return any(field.errors or not _is_as_it_comes(field) for field in self.more)

    @cached_property
    def not_shown(self) -> list[BoundField]:
        """What does not matter now and comes back when something else is chosen again."""
        shown = self.form.shown()
        return [self.form[name] for name in self.form.fields if name not in shown]

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind.kind, "fields": self.form.kept()}


def _is_as_it_comes(field: BoundField) -> bool:
    choices = list(getattr(field.field, "choices", ()))
    return field.value() in (None, "", *(value for value, _ in choices[:1]))
