"""Update association labels: add a new label to an existing one, or put it in its place
(behaviour.md, section 4, action 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from associations.services import linking
from associations.types import DirectedType
from workflows import sql

from .base import ActionContext, ActionForm, ActionKind, References

APPEND, REPLACE = "append", "replace"


@dataclass(frozen=True)
class UpdateConfig:
    unlabeled: DirectedType
    existing_label: DirectedType
    mode: str
    new_label: DirectedType


class UpdateForm(ActionForm):
    label_fields = ("existing_label", "new_label")

    existing_label = forms.ChoiceField(label="Existing label")
    mode = forms.ChoiceField(
        label="Update",
        required=False,
        choices=[(APPEND, "Append: keep it and add the new label"), (REPLACE, "Replace it by the new label")],
    )
    new_label = forms.ChoiceField(label="New label")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        existing, new = cleaned.get("existing_label"), cleaned.get("new_label")
        if new and new == existing:
            raise ValidationError({"new_label": "Choose a label other than the existing one."})
        if new and existing and new.type == existing.type and cleaned.get("mode") == REPLACE:
            # Where both records of a pair are enrolled, a second run would turn it back.
            raise ValidationError({"new_label": "A label cannot be replaced by its own other direction."})
        return cleaned


class UpdateLabels(ActionKind[UpdateConfig]):
    kind = "update_labels"
    label = "Update association labels"
    form = UpdateForm

    def config(self, form: UpdateForm) -> UpdateConfig:
        cleaned = form.cleaned_data
        return UpdateConfig(
            unlabeled=form.unlabeled,
            existing_label=cleaned["existing_label"],
            mode=cleaned["mode"] or APPEND,
            new_label=cleaned["new_label"],
        )

    def references(self, config: UpdateConfig) -> References:
        return References(association_types=(config.unlabeled, config.existing_label, config.new_label))

    def run(self, config: UpdateConfig, context: ActionContext) -> None:
        sql.stage_associated(config.existing_label, context.enrolled, context.bounds)
        written = linking.add_label_staged(config.new_label, config.unlabeled, context.change_set)
        sql.write_pair_outcomes(context.action_run, context.change_set, None, config.new_label, written)
        if config.mode == REPLACE:
            # Pairs that a limit refused are no longer admitted: where the new label is refused the old one stays.
            old = [config.existing_label]
            one_each = linking.remove_labels_staged(old, context.change_set) == written.admitted
            sql.write_removals(context.action_run, context.change_set, old, "label_removed", one_each=one_each)
        sql.write_reasons(context.action_run, context.enrolled, "not_associated")

    def sentence(self, config: UpdateConfig) -> str:
        other = config.unlabeled.other_type.label.lower()
        record = config.unlabeled.record_type.label.lower()
        if config.mode == REPLACE:
            return f"Replace the label {config.existing_label} by {config.new_label} on every {other} of the {record}."
        return f"Add the label {config.new_label} to every {other} of the {record} labelled {config.existing_label}."
