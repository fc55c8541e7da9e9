"""What happened to a record, by change set, the newest first: its events and what the ledger tells of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.text import Truncator

from associations import querysets
from associations.models import AssociationChange, ChangeSet, Property, Record, RecordEvent
from associations.services.provenance import change_sets_by_id, who
from associations.types import DirectedType

from .values import CELL, in_words

# How many of its events and of its association changes a record's history shows.
SHOWN = 200


@dataclass(frozen=True)
class Entry:
    """What one change set did to a record."""

    change_set: ChangeSet | None
    lines: list[str]

    @property
    def who(self) -> str:
        return who(self.change_set)


def history_of(record: Record, properties: Iterable[Property]) -> list[Entry]:
    lines: dict[int, list[str]] = defaultdict(list)
    _tell_events(record, {prop.name: prop for prop in properties}, lines)
    _tell_associations(record, lines)
    change_sets = change_sets_by_id(lines)
    return [Entry(change_sets.get(id_), lines[id_]) for id_ in sorted(lines, reverse=True)]


def _tell_events(record: Record, properties: dict[str, Property], lines: dict[int, list[str]]) -> None:
    after = record.properties
    for event in RecordEvent.objects.filter(record=record).order_by("-id")[:SHOWN]:
        told = lines[event.change_set_id]
        told.append(event.get_kind_display())
        for name in sorted(after.keys() | event.before.keys()):
            old, new = event.before.get(name), after.get(name)
            if old != new:
                prop = properties.get(name)
                told.append(f"{prop or name}: {_word(prop, old)} → {_word(prop, new)}")
        after = event.before


def _word(prop: Property | None, value: Any) -> str:
    if value is None:
        return "no value"
    return Truncator(in_words(prop, value) if prop else str(value)).chars(CELL)


def _tell_associations(record: Record, lines: dict[int, list[str]]) -> None:
    """The ledger outlives records and labels, so both may be gone."""
    ledger = AssociationChange.objects.filter(Q(source=record) | Q(target=record)).order_by("-change_set", "-added")
    changes = list(ledger.values_list("change_set_id", "source_id", "target_id", "type_id", "added")[:SHOWN])
    others = {target if source == record.pk else source for _, source, target, _, _ in changes}
    names = {each.pk: str(each) for each in Record.objects.filter(pk__in=others).select_related("object_type")}
    types = querysets.association_types().in_bulk({change[3] for change in changes})
    for change_set_id, source, target, type_id, added in reversed(changes):
        other = target if source == record.pk else source
        name = names.get(other, f"{other}, which is deleted")
        type_ = types.get(type_id)
        label = DirectedType(type_, outgoing=source == record.pk).label if type_ else "that is deleted"
        if type_ and type_.is_unlabeled:
            line = f"Associated with {name}" if added else f"No longer associated with {name}"
        else:
            line = f"Label {label} {'put on' if added else 'taken off'} {name}"
        lines[change_set_id].append(line)
