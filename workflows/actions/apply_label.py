"""Apply an association label to records that are associated already (behaviour.md, section 4, action 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from associations.models import MatchIndex, Property, Record
from associations.property_values import Value, read_value
from associations.services import linking, match_keys
from associations.types import DirectedType
from workflows import sql
from workflows.operators import IS_EQUAL_TO, IS_NOT_EQUAL_TO, property_q, value_words
from workflows.value_inputs import ValueField, input_for

from .base import ActionContext, ActionForm, ActionKind, References, are_comparable, comparison_of

ALL, MATCHING, ENROLLED, ASSOCIATED = "all", "matching_property", "enrolled_property", "associated_property"
# Which properties decide to which records the label goes.
_DECIDES = {MATCHING: (ENROLLED, ASSOCIATED), ENROLLED: (ENROLLED,), ASSOCIATED: (ASSOCIATED,)}


@dataclass(frozen=True)
class ApplyConfig:
    unlabeled: DirectedType
    label: DirectedType
    apply_to: str
    enrolled_property: Property | None
    associated_property: Property | None
    comparison: str
    operator: str
    value: Value | None
    or_no_value: bool

    def condition(self) -> Q:
        """What the enrolled or the associated record's property value must be."""
        prop = self.enrolled_property if self.apply_to == ENROLLED else self.associated_property
        assert prop is not None
        return property_q(prop, self.operator, [self.value], or_no_value=self.or_no_value)


class ApplyForm(ActionForm):
    label_fields = ("label",)
    enrolled_property_fields = ("enrolled_property",)
    associated_property_fields = ("associated_property",)
    rarely_needed = ("comparison",)
    empty_choices = {ENROLLED: "Choose …", ASSOCIATED: "Choose …"}

    label = forms.ChoiceField(label="Label to apply")
    apply_to = forms.ChoiceField(
        label="Apply to",
        required=False,
        choices=[
            (ALL, "All associated records of that type"),
            (MATCHING, "Those with a matching property"),
            (ENROLLED, "All, if the enrolled record has a property value"),
            (ASSOCIATED, "Those that have a property value"),
        ],
    )
    enrolled_property = forms.ChoiceField(label="Property of the enrolled record", required=False)
    associated_property = forms.ChoiceField(label="Property of the associated record", required=False)
    comparison = forms.ChoiceField(
        label="How values are compared",
        required=False,
        choices=[("", "By the kind of the properties"), *MatchIndex.Comparison.choices],
    )
    operator = forms.ChoiceField(
        label="Condition",
        required=False,
        choices=[(IS_EQUAL_TO, "is equal to"), (IS_NOT_EQUAL_TO, "is not equal to")],
    )
    value = ValueField(label="Value", required=False)
    or_no_value = forms.BooleanField(label="or has no value", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        apply_to = self["apply_to"].value()
        if apply_to in (ENROLLED, ASSOCIATED):
            known = self.enrolled_properties if apply_to == ENROLLED else self.associated_properties
            self.fields["value"].widget = input_for(known.get(self[apply_to].value()))

    def shown(self) -> list[str]:
        apply_to = self["apply_to"].value() or ALL
        told = {"to_object_type", "label", "apply_to", *_DECIDES.get(apply_to, ())}
        if apply_to == MATCHING:
            told |= {"comparison"}
        elif apply_to != ALL:
            told |= {"operator", "value"}
            told |= {"or_no_value"} if self["operator"].value() == IS_NOT_EQUAL_TO else set()
        return [name for name in super().shown() if name in told]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        apply_to = cleaned.get("apply_to") or ALL
        needed = _DECIDES.get(apply_to, ())
        for name in {ENROLLED, ASSOCIATED} - set(needed):
            cleaned[name] = ""  # what decides nothing is not kept: nothing would protect it from being deleted
        for name in needed:
            if not cleaned.get(name) and name not in self.errors:
                raise ValidationError({name: "Choose the property that decides."})
        own, theirs = cleaned.get(ENROLLED), cleaned.get(ASSOCIATED)
        if own and theirs and not are_comparable(own, theirs):
            raise ValidationError({ASSOCIATED: f"{theirs} ({theirs.type}) can never equal {own} ({own.type})."})
        if apply_to in (ENROLLED, ASSOCIATED) and (prop := cleaned.get(apply_to)):
            try:
                cleaned["value"] = read_value(prop, cleaned.get("value"))
            except ValueError as error:
                raise ValidationError({"value": f"{prop} {error}"}) from None
            if cleaned["value"] is None:
                raise ValidationError({"value": "Say which value decides."})
        return cleaned


class ApplyLabel(ActionKind[ApplyConfig]):
    kind = "apply_label"
    label = "Apply association label"
    form = ApplyForm

    def config(self, form: ApplyForm) -> ApplyConfig:
        cleaned = form.cleaned_data
        both = (cleaned["enrolled_property"] or None, cleaned["associated_property"] or None)
        return ApplyConfig(
            unlabeled=form.unlabeled,
            label=cleaned["label"],
            apply_to=cleaned["apply_to"] or ALL,
            enrolled_property=both[0],
            associated_property=both[1],
            comparison=comparison_of(cleaned["comparison"], both[0], both[1]) if both[0] and both[1] else "",
            operator=cleaned["operator"] or IS_EQUAL_TO,
            value=cleaned["value"],
            or_no_value=cleaned["or_no_value"],
        )

    def references(self, config: ApplyConfig) -> References:
        used = [getattr(config, name) for name in _DECIDES.get(config.apply_to, ())]
        properties = tuple(prop for prop in used if prop is not None)
        return References(
            association_types=(config.unlabeled, config.label),
            properties=properties,
            match_indexes=tuple((prop, config.comparison) for prop in properties)
            if config.apply_to == MATCHING
            else (),
        )

    def run(self, config: ApplyConfig, context: ActionContext) -> None:
        reasons: dict[str, Any] = {}
        if config.apply_to == MATCHING:
            assert config.enrolled_property and config.associated_property
            own, other = match_keys.ensure_match_indexes(
                (config.enrolled_property, config.associated_property), config.comparison
            )
            sql.stage_associated(config.unlabeled, context.enrolled, context.bounds, matching=(own, other))
            reasons["index"] = own
        elif config.apply_to == ENROLLED:
            met = Record.objects.filter(config.condition())
            sql.stage_associated(config.unlabeled, sql.those_among(context.enrolled, met), context.bounds)
        elif config.apply_to == ASSOCIATED:
            others = Record.objects.filter(config.condition())
            sql.stage_associated(config.unlabeled, context.enrolled, context.bounds, others=others)
        else:
            sql.stage_associated(config.unlabeled, context.enrolled, context.bounds)
        written = linking.add_label_staged(config.label, config.unlabeled, context.change_set)
        sql.write_pair_outcomes(context.action_run, context.change_set, None, config.label, written)
        if config.apply_to == ALL:  # whoever is associated at all has an outcome
            sql.write_reasons(context.action_run, context.enrolled, "not_associated")
            return
        sql.write_not_associated(context.action_run, context.enrolled, config.unlabeled)
        sql.write_reasons(context.action_run, context.enrolled, "condition_not_met", **reasons)

    def sentence(self, config: ApplyConfig) -> str:
        other = config.unlabeled.other_type.label.lower()
        record = config.unlabeled.record_type.label.lower()
        is_ = "is" if config.operator == IS_EQUAL_TO else "is not"
        prop = config.enrolled_property if config.apply_to == ENROLLED else config.associated_property
        value = value_words(prop, config.value) if prop else ""
        value += ", or has no value" if config.or_no_value else ""
        where = {
            ALL: "",
            MATCHING: f" whose {config.associated_property} equals the enrolled {record}'s {config.enrolled_property}",
            ENROLLED: f" if the enrolled {record}'s {config.enrolled_property} {is_} {value}",
            ASSOCIATED: f" whose {config.associated_property} {is_} {value}",
        }[config.apply_to]
        return f"Apply the label {config.label} to every associated {other}{where}."
