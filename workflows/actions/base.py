"""What an action is: a kind with a form, a typed config and one function over a set of enrolled records.

A new action is one file with a subclass of ActionKind, one line in `workflows.actions`, and one test file.
Called by services.execution (run), services.lifecycle (read, references) and the forms of admin and API.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast

from django import forms
from django.core.exceptions import ValidationError

from associations.models import ChangeSet, MatchIndex, ObjectType, Property
from associations.querysets import Surroundings
from associations.types import DirectedType
from workflows import sql
from workflows.models import ActionRun

Config = TypeVar("Config")
_TEXTS = (Property.Type.STRING, Property.Type.ENUMERATION)


@dataclass(frozen=True)
class ActionContext:
    """For whom an action runs: the enrolled records of a batch. What it writes belongs to `change_set`."""

    action_run: ActionRun
    change_set: ChangeSet
    enrolled: sql.Enrolled

    @property
    def bounds(self) -> tuple[int, int]:
        """Between which record ids they are."""
        return self.action_run.batch.first_record_id, self.action_run.batch.last_record_id

    @property
    def claimant(self) -> int | None:
        """Who an action that keeps in sync claims associations as (see services.synced)."""
        claimants: dict[str, int] = self.action_run.batch.run.revision.claimants
        return claimants.get(str(self.action_run.position))


@dataclass(frozen=True)
class References:
    """What a config refers to and must not lose. `match_indexes`: of which values match keys must be kept."""

    association_types: tuple[DirectedType, ...] = ()
    properties: tuple[Property, ...] = ()
    match_indexes: tuple[tuple[Property, str], ...] = ()


def comparison_of(chosen: str, one: Property, other: Property) -> str:
    """How the values of two properties are compared: as chosen, else by the kind of the properties."""
    phones = one.field_type == other.field_type == Property.FieldType.PHONENUMBER
    return chosen or (MatchIndex.Comparison.PHONE if phones else MatchIndex.Comparison.NORMALIZED)


def are_comparable(one: Property, other: Property) -> bool:
    """Whether two properties may ever hold the same value: alike, or one of them holds any text."""
    return one.type == other.type or not {one.type, other.type}.isdisjoint(_TEXTS)


class ActionForm(forms.Form):
    """The fields of an action, offering only what fits the workflow's object type.

    The names of its fields are the keys of Action.fields; admin and API validate with it alike. Cleaned labels
    are DirectedTypes as the enrolled record sees them, cleaned properties are Properties.
    """

    label_fields: ClassVar[tuple[str, ...]] = ()
    enrolled_property_fields: ClassVar[tuple[str, ...]] = ()
    associated_property_fields: ClassVar[tuple[str, ...]] = ()
    only_matchable_properties: ClassVar[bool] = False
    # What the editor shows on demand only, and what an empty choice says where it means something.
    rarely_needed: ClassVar[tuple[str, ...]] = ()
    empty_choices: ClassVar[Mapping[str, str]] = {}

    to_object_type = forms.ChoiceField(label="Associated object")

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        object_type: ObjectType,
        around: Surroundings | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.object_type = object_type
        self.around = around or Surroundings(object_type)
        self.types = self.around.types
        self.other_types = self.around.other_types
        self.chosen = self.other_types.get(str(self["to_object_type"].value() or ""))
        self._offer_object_types()
        self._offer_labels()
        self._offer_properties()

    def _offer(self, name: str, choices: Iterable[tuple[str, Any]]) -> None:
        chosen = cast(forms.ChoiceField, self.fields[name])
        empty = [("", self.empty_choices.get(name, "Choose …" if chosen.required else "---------"))]
        if isinstance(chosen, forms.MultipleChoiceField):
            empty = []
        chosen.choices = [*empty, *choices]

    def _offer_object_types(self) -> None:
        """All of them, or where the action is about labels only those with a label of the pair [H]."""
        needs_label = any(self.fields[name].required for name in self.label_fields)
        offered = {each.other_type for each in self.types if not (needs_label and each.type.is_unlabeled)}
        choices = [(type_id, other.label) for type_id, other in self.other_types.items() if other in offered]
        self._offer("to_object_type", choices)

    def _offer_labels(self) -> None:
        self.labels_by_id = {
            str(directed.type_id): directed
            for directed in self.types
            if not directed.type.is_unlabeled and self.chosen in (None, directed.other_type)
        }
        for name in self.label_fields:
            which = "" if self.chosen else "{0.other_type}: "
            self._offer(name, [(id_, f"{which.format(label)}{label}") for id_, label in self.labels_by_id.items()])

    def _offer_properties(self) -> None:
        others = [self.chosen] if self.chosen else list(self.other_types.values())
        self.enrolled_properties = self._properties(self.object_type)
        self.associated_properties = self._properties(*others)
        for names, properties, of_type in (
            (self.enrolled_property_fields, self.enrolled_properties, self.object_type),
            (self.associated_property_fields, self.associated_properties, self.chosen),
        ):
            for name in names:
                which = "" if of_type else "{0.object_type}: "
                self._offer(name, [(each.name, f"{which.format(each)}{each}") for each in properties.values()])
                if of_type:
                    self.fields[name].label = str(self.fields[name].label).replace("record", of_type.label.lower())

    def _properties(self, *object_types: ObjectType) -> dict[str, Property]:
        return {
            each.name: each
            for each in self.around.properties(*object_types)
            if each.is_matchable or not self.only_matchable_properties
        }

    def shown(self) -> list[str]:
        """The fields that matter after what is chosen so far, in their order. The object comes first."""
        return list(self.fields) if self.chosen else ["to_object_type"]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        for names, found in (
            (self.label_fields, self.labels_by_id),
            (self.enrolled_property_fields, self.enrolled_properties),
            (self.associated_property_fields, self.associated_properties),
        ):
            for name in names:
                if isinstance(chosen := cleaned.get(name), list):
                    cleaned[name] = tuple(found[each] for each in chosen)
                elif chosen:
                    cleaned[name] = found[chosen]
        return cleaned

    def kept(self) -> dict[str, Any]:
        """What Action.fields keeps of a valid form: what was filled in and matters, as JSON."""
        shown = self.shown()
        given = {name: self[name].data for name, value in self.cleaned_data.items() if value != "" and name in shown}
        return {
            name: self.cleaned_data[name] if isinstance(self.fields[name], forms.IntegerField) else data
            for name, data in given.items()
            if data not in (None, "", False, [])
        }

    @property
    def unlabeled(self) -> DirectedType:
        """The unlabeled type of the pair of object types, in a valid form."""
        return next(each for each in self.types if each.type.is_unlabeled and each.other_type == self.chosen)


class ActionKind(ABC, Generic[Config]):
    """One kind of action. Instances hold no state."""

    kind: ClassVar[str]
    label: ClassVar[str]
    form: ClassVar[type[ActionForm]]

    @abstractmethod
    def config(self, form: Any) -> Config:
        """The typed config of a valid form."""

    @abstractmethod
    def references(self, config: Config) -> References: ...

    @abstractmethod
    def run(self, config: Config, context: ActionContext) -> None:
        """Do it for all enrolled records as one set, in a number of statements that does not grow with it,
        and write at least one outcome for each of them."""

    @abstractmethod
    def sentence(self, config: Config) -> str:
        """What it will do with each enrolled record, in plain words."""

    def read(self, fields: Mapping[str, Any], object_type: ObjectType, around: Surroundings | None = None) -> Config:
        """The config of an action's fields. Raises ValidationError by field."""
        if not isinstance(fields, Mapping):
            raise ValidationError("The fields of an action are an object of names and values.")
        form = self.form(fields, object_type=object_type, around=around)
        # A misspelled "label" must not mean "without a label".
        if unknown := {name: f"{self.label} has no field {name!r}." for name in fields if name not in form.fields}:
            raise ValidationError(unknown)
        if not form.is_valid():
            raise ValidationError(form.errors.as_data())
        return self.config(form)
