"""Associating by hand from a record's page, and taking labels and associations off again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.contrib.admin import widgets

from associations import querysets
from associations.models import ObjectType, Record
from associations.services import linking
from associations.services.origin import Origin
from associations.types import DirectedType

MOST_CANDIDATES = 20


class AssociateForm(forms.Form):
    """Which record, and as what. The object type is chosen with the label: one list, grouped by object type."""

    type_id = forms.TypedChoiceField(label="As", coerce=int)
    other = forms.CharField(
        label="Record",
        widget=widgets.AdminTextInputWidget,
        help_text="Its name or the beginning of it, a unique value such as its e-mail address or domain, or its id",
    )

    def __init__(self, record: Record, types: Sequence[DirectedType], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whom the person may have meant, where it is not clear: to choose from.
        self.candidates: list[Record] = []
        self.types = {directed.type_id: directed for directed in types}
        ordered = sorted(types, key=lambda each: (each.other_type.place, not each.type.is_unlabeled, each.label))
        self.fields["type_id"].choices = [("", "---------")] + [  # type: ignore[attr-defined]
            (f"{object_type.label}", [(each.type_id, each.label or f"{object_type.label}, no label") for each in group])
            for object_type, group in groupby(ordered, lambda each: each.other_type)
        ]

    def clean(self) -> dict[str, Any]:
        """Find the record that is meant."""
        data = self.cleaned_data
        if "type_id" in data and "other" in data:
            object_type = self.types[data["type_id"]].other_type
            found = querysets.records_known_as(object_type, data["other"])
            if len(found) == 1:
                data["record"] = found[0]
                return data
            self.candidates = self._like(object_type, data["other"])
            if found:
                told = f"Several {object_type.plural_label.lower()} are called so: choose one of those listed."
            elif self.candidates:
                told = f"No {object_type.label.lower()} is called just so: choose one of those listed."
            else:
                told = f"There is no {object_type.label.lower()} {data['other']}."
            self.add_error("other", told)
        return data

    def _like(self, object_type: ObjectType, text: str) -> list[Record]:
        live = querysets.live_records(object_type).select_related("object_type")
        return list(querysets.search(live, object_type, text).order_by("name_key", "id")[:MOST_CANDIDATES])


def associate(record: Record, other: Record, directed: DirectedType, origin: Origin) -> linking.LinkCounts:
    """Associate with the label, or without one if the type is the unlabeled one."""
    unlabeled = querysets.unlabeled_type(record.object_type, directed.other_type)
    labels = [] if directed.type.is_unlabeled else [directed]
    return linking.associate(unlabeled, [(record.pk, other.pk)], origin=origin, labels=labels)


def take_off(record: Record, other_id: int, directed: DirectedType, origin: Origin) -> linking.LinkCounts:
    """Take a label off or, with the unlabeled type, the association with all its labels [H]."""
    pairs = [(record.pk, other_id)]
    if directed.type.is_unlabeled:
        return linking.disassociate(directed, pairs, origin=origin)
    return linking.remove_labels([directed], pairs, origin=origin)
