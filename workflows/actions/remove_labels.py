"""Remove association labels, or the associations that have them (behaviour.md, section 4, action 4)."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms

from associations.services import linking
from associations.types import DirectedType
from workflows import sql

from .base import ActionContext, ActionForm, ActionKind, References


@dataclass(frozen=True)
class RemoveConfig:
    unlabeled: DirectedType
    labels: tuple[DirectedType, ...]
    remove_associations: bool


class RemoveForm(ActionForm):
    label_fields = ("labels",)

    labels = forms.MultipleChoiceField(label="Labels to remove", widget=forms.CheckboxSelectMultiple)
    remove_associations = forms.BooleanField(label="Remove the associations with these labels", required=False)


class RemoveLabels(ActionKind[RemoveConfig]):
    kind = "remove_labels"
    label = "Remove association labels"
    form = RemoveForm

    def config(self, form: RemoveForm) -> RemoveConfig:
        cleaned = form.cleaned_data
        return RemoveConfig(form.unlabeled, cleaned["labels"], cleaned["remove_associations"])

    def references(self, config: RemoveConfig) -> References:
        return References(association_types=(config.unlabeled, *config.labels))

    def run(self, config: RemoveConfig, context: ActionContext) -> None:
        staged = sql.stage_associated(config.labels, context.enrolled, context.bounds)
        if config.remove_associations:
            linking.disassociate_staged(config.unlabeled, context.change_set)
            sql.write_removals(context.action_run, context.change_set, [config.unlabeled], "association_removed")
        else:
            removed = linking.remove_labels_staged(config.labels, context.change_set)
            one_each = len(config.labels) == 1 and removed == staged
            sql.write_removals(
                context.action_run, context.change_set, config.labels, "label_removed", one_each=one_each
            )
        sql.write_reasons(context.action_run, context.enrolled, "not_associated")

    def sentence(self, config: RemoveConfig) -> str:
        other = config.unlabeled.other_type.label.lower()
        labels = " or ".join(str(label) for label in config.labels)
        if config.remove_associations:
            return f"Remove the association with every {other} labelled {labels}."
        return f"Remove the label {labels} from every {other} of the enrolled record."
