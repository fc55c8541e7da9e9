"""Rows of a form that has as many as people add: what was sent under numbered names, such as `events-0-property`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

Row = MultiValueDict[str, str]


def numbered(sent: Row, prefix: str) -> list[Row]:
    """The rows below a prefix in the order of their numbers, each with the names that its fields have in it."""
    found: dict[int, Row] = {}
    for name in sent:
        if match := re.fullmatch(rf"{re.escape(prefix)}-(\d{{1,4}})-(.+)", name, re.ASCII):
            found.setdefault(int(match[1]), MultiValueDict()).setlist(match[2], sent.getlist(name))
    return [found[number] for number in sorted(found)]


def below(sent: Row, prefix: str) -> Row:
    """What was sent below a prefix that has no numbers."""
    start = f"{prefix}-"
    return MultiValueDict({name.removeprefix(start): sent.getlist(name) for name in sent if name.startswith(start)})


def said(row: Row, name: str) -> str:
    """What a row says under a name; nothing where it says nothing."""
    return str(row.get(name) or "")


def prefixed(row: Row, prefix: str) -> Row:
    return MultiValueDict({f"{prefix}-{name}": row.getlist(name) for name in row})


def row_of(fields: Mapping[str, Any]) -> Row:
    """Kept fields as a browser sends them back: nothing for no value, `on` for what is checked."""
    row: Row = MultiValueDict()
    for name, value in fields.items():
        if isinstance(value, list | tuple):
            row.setlist(name, [str(each) for each in value])
        elif value is True:
            row[name] = "on"
        elif value not in (None, False):
            row[name] = str(value)
    return row


class RowForm(forms.Form):
    """The form of one row. It is always filled in, from what is kept or from what was sent; what is wrong with it is
    shown only where somebody asks for it to be saved."""

    def __init__(self, row: Row, prefix: str) -> None:
        super().__init__(prefixed(row, prefix), prefix=prefix, use_required_attribute=False)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", field.label)  # rows have no room for labels
