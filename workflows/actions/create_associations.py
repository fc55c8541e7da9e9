"""Create associations where property values match (behaviour.md, section 4, action 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from associations.models import MatchIndex, Property
from associations.services import claims, linking, match_keys
from associations.types import DirectedType
from workflows import sql

from .base import ActionContext, ActionForm, ActionKind, References, comparison_of

DEFAULT_CAP = 1_000
KEPT = "when values change, associate what matches then, and take back what no longer does"
SEVERAL = {
    "all": "Associate all of them",
    "oldest": "Associate the oldest",
    "newest": "Associate the newest",
    "review": "Associate none and put the record up for review",
}


@dataclass(frozen=True)
class CreateConfig:
    unlabeled: DirectedType
    label: DirectedType | None
    enrolled_property: Property
    associated_property: Property
    comparison: str
    several: str
    cap: int
    keep_in_sync: bool


class CreateForm(ActionForm):
    label_fields = ("label",)
    enrolled_property_fields = ("enrolled_property",)
    associated_property_fields = ("associated_property",)
    only_matchable_properties = True
    rarely_needed = ("comparison", "several", "cap", "keep_in_sync")
    empty_choices = {"label": "None: create only the association"}

    label = forms.ChoiceField(label="Label to apply", required=False)
    enrolled_property = forms.ChoiceField(label="Property of the enrolled record")
    associated_property = forms.ChoiceField(label="Property of the record to associate")
    comparison = forms.ChoiceField(
        label="How values are compared",
        required=False,
        choices=[("", "By the kind of the properties"), *MatchIndex.Comparison.choices],
    )
    several = forms.ChoiceField(label="When several match", required=False, choices=list(SEVERAL.items()))
    cap = forms.IntegerField(
        label="Most per record",
        required=False,
        min_value=1,
        max_value=10_000,
        help_text=f"How many records one enrolled record is associated with at most ({DEFAULT_CAP:,})",
    )
    keep_in_sync = forms.BooleanField(
        label="Keep in sync",
        required=False,
        help_text="Look again when values change: what begins to match is associated, what this action associated and"
        " no longer matches goes, unless somebody else asked for it too",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        chosen = cleaned.get("label")
        if chosen and chosen.type.is_primary and chosen.outgoing and cleaned.get("several") in ("", "all"):
            # A record has one primary company; which of several would be left to chance. A company may be that of many.
            raise ValidationError({"several": "Primary goes to one record: choose the oldest, the newest or review."})
        return cleaned


class CreateAssociations(ActionKind[CreateConfig]):
    kind = "create_associations"
    label = "Create associations"
    form = CreateForm

    def config(self, form: CreateForm) -> CreateConfig:
        cleaned = form.cleaned_data
        both = (cleaned["enrolled_property"], cleaned["associated_property"])
        return CreateConfig(
            unlabeled=form.unlabeled,
            label=cleaned["label"] or None,
            enrolled_property=both[0],
            associated_property=both[1],
            comparison=comparison_of(cleaned["comparison"], *both),
            several=cleaned["several"] or "all",
            cap=cleaned["cap"] or DEFAULT_CAP,
            keep_in_sync=cleaned["keep_in_sync"],
        )

    def references(self, config: CreateConfig) -> References:
        both = (config.enrolled_property, config.associated_property)
        return References(
            association_types=(config.unlabeled, *([config.label] if config.label else [])),
            properties=both,
            match_indexes=tuple((prop, config.comparison) for prop in both),
        )

    def run(self, config: CreateConfig, context: ActionContext) -> None:
        both = (config.enrolled_property, config.associated_property)
        own, other = match_keys.ensure_match_indexes(both, config.comparison)
        linking.hold_ends(config.unlabeled)
        sql.stage_matches(context.enrolled, context.bounds, own, other, config.several, config.cap)
        claimant = context.claimant if config.keep_in_sync else None
        lost = self._take_back(claimant, config, context) if claimant is not None else 0
        written = linking.associate_staged(config.unlabeled, config.label, context.change_set, claimant=claimant)
        sql.write_pair_outcomes(context.action_run, context.change_set, config.unlabeled, config.label, written)
        sql.write_reasons(context.action_run, context.enrolled, "no_match", own)
        if lost:
            sql.write_lost(context.action_run, context.change_set)

    def _take_back(self, claimant: int, config: CreateConfig, context: ActionContext) -> int:
        """What this action has associated for the enrolled records and would not any more; before anything is
        associated, for that makes room under a limit."""
        types = [config.unlabeled, config.label] if config.label else [config.unlabeled]
        return claims.take_back(claimant, *context.enrolled, types, context.change_set)

    def sentence(self, config: CreateConfig) -> str:
        which = {"all": "every", "oldest": "the oldest", "newest": "the newest", "review": "the one"}[config.several]
        other = config.unlabeled.other_type.label.lower()
        record = config.unlabeled.record_type.label.lower()
        labelled = f", labelled {config.label}" if config.label else ""
        unless = (
            f" Where several match, the {record} is put up for review instead." if config.several == "review" else ""
        )
        return (
            f"Associate each enrolled {record} with {which} {other} whose {config.associated_property}"
            f" equals the {record}'s {config.enrolled_property}{labelled}"
            + (f", and keep them in sync: {KEPT}." if config.keep_in_sync else ".")
            + unless
        )
