"""The fields of the four association actions: HubSpot's as ours, and ours as HubSpot's.

HubSpot writes a type id as text, a flag as "true" or "false", a property as "0-1/city". Fields that HubSpot has not are
named by the rule that HubSpot's own follow: camelCase, choices in capitals. So a new field of an action's form is a
field of the API without a line here. Called by actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from associations.querysets import Surroundings
from workflows.actions import ACTIONS
from workflows.actions.apply_label import ALL, ASSOCIATED, ENROLLED, MATCHING
from workflows.actions.base import ActionForm

from .problems import CannotRun, InvalidFlow, Problem, a_flag

Json = dict[str, Any]
FROM, ONLY, MATCH_BY = "fromObjectType", "createAssociationOnly", "matchBy"
_BOTH = "fromAndToObjects"
_TO_MATCH = {
    "enrolled_property": "enrolledObjectPropertyNameToMatch",
    "associated_property": "associatedObjectPropertyNameToMatch",
}
_TO_TEST = {"enrolled_property": "enrolledObjectPropertyName", "associated_property": "associatedObjectPropertyName"}
# Which fields of apply decide, by what it applies to.
_DECIDES = {
    ALL: set(),
    MATCHING: set(_TO_MATCH.values()),
    ENROLLED: {_TO_TEST["enrolled_property"], "value"},
    ASSOCIATED: {_TO_TEST["associated_property"], "value"},
}
_DECIDING = set().union(*_DECIDES.values())


@dataclass(frozen=True)
class ActionType:
    """One of HubSpot's actions that this product has. `names` are HubSpot's words for our fields."""

    id: str
    kind: str
    version: int
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def form(self) -> type[ActionForm]:
        return ACTIONS[self.kind].form


_TO = {"to_object_type": "toObjectType"}
_OWN_NAMES = {"several": "whenSeveralMatch", "cap": "maxPerRecord"}
CREATE = ActionType("0-63189541", "create_associations", 6, {**_TO, "label": "labelToApply", **_TO_MATCH})
APPLY = ActionType("0-73444249", "apply_label", 0, {**_TO, "label": "labelToApply"})
UPDATE = ActionType(
    "0-61139484",
    "update_labels",
    0,
    {**_TO, "existing_label": "labelToUpdate", "mode": "updateMode", "new_label": "labelToApply"},
)
REMOVE = ActionType(
    "0-61139476",
    "remove_labels",
    0,
    {**_TO, "labels": "labelsToRemove", "remove_associations": "removeAssociations"},
)
TYPES = (CREATE, APPLY, UPDATE, REMOVE)


def names_of(type_: ActionType, apply_to: str = MATCHING) -> dict[str, str]:
    """What HubSpot calls each of our fields; the properties of apply are called by what they are for."""
    names = {**_OWN_NAMES, **type_.names}
    if type_ is APPLY:
        names |= _TO_MATCH if apply_to == MATCHING else _TO_TEST
    return {ours: names.get(ours) or _camel(ours) for ours in type_.form.base_fields}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


# Reading ----------------------------------------------------------------------------------------


class WrongFields(Exception):
    """Fields that can never be right, however the action is completed."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(" ".join(map(str, problems)))


def read_fields(type_: ActionType, raw: Mapping[str, Any], place: str, around: Surroundings) -> Json:
    """Our fields. What is missing may be missing while the workflow is off; what is there must be right.

    Raises WrongFields, and CannotRun for fields that this product has not.
    """
    given = {name: _unwrapped(value) for name, value in raw.items() if value not in (None, "", [])}
    read = _Reading(type_, given, place, around)
    fields = read.all()
    if read.problems:
        raise WrongFields(read.problems)
    try:
        ACTIONS[type_.kind].read(fields, around.object_type, around)
    except ValidationError as error:
        if wrong := list(read.wrong(error, fields)):
            raise WrongFields(wrong) from None
    return fields


def _unwrapped(value: Any) -> Any:
    """HubSpot's newer actions say {"type": "STATIC_VALUE", "staticValue": …} for a value."""
    if isinstance(value, Mapping):
        if value.get("type") != "STATIC_VALUE" or isinstance(value.get("staticValue"), Mapping | list):
            raise CannotRun(f"the value {value.get('type')!s:.40} in an association action")
        return value.get("staticValue")
    return value


class _Reading:
    def __init__(self, type_: ActionType, given: Mapping[str, Any], place: str, around: Surroundings) -> None:
        self.type, self.given, self.place, self.around = type_, given, place, around
        self.problems: list[Problem] = []
        self.apply_to = str(given.get("applyTo") or ALL).lower() if type_ is APPLY else MATCHING
        self.names = names_of(type_, self.apply_to)

    def _wrong(self, name: str, reason: str) -> None:
        self.problems.append(Problem(f"{self.place}.{name}", reason))

    def all(self) -> Json:
        self._check_names()
        record_type = self.around.object_type.type_id
        if (from_ := self.given.get(FROM, record_type)) != record_type:
            self._wrong(FROM, f"should be {record_type}, which the workflow enrolls, not {from_!s:.40}.")
        fields: Json = {}
        for ours, theirs in self.names.items():
            if theirs in self.given:
                fields[ours] = self._field(ours, theirs, self.given[theirs])
        if self.type is CREATE:
            self._check_label(fields)
        return {ours: value for ours, value in fields.items() if value is not None and value is not False}

    def _check_names(self) -> None:
        known = {FROM, *self.names.values(), *((ONLY, MATCH_BY) if self.type is CREATE else ())}
        idle = _DECIDING - _DECIDES.get(self.apply_to, _DECIDING) if self.type is APPLY else set()
        for name in self.given:
            if name in idle:
                self._wrong(name, f"decides nothing while applyTo is {self.apply_to.upper()}; leave one of them out.")
            elif name not in known:
                raise CannotRun(f"{name:.60} of the action {ACTIONS[self.type.kind].label!r}")
        if self.given.get(MATCH_BY, _BOTH) != _BOTH:
            raise CannotRun(f"{MATCH_BY} {self.given[MATCH_BY]!s:.60}")

    def _check_label(self, fields: Json) -> None:
        only = self._flag(ONLY, self.given.get(ONLY))
        if only and "label" in fields:
            self._wrong(ONLY, "is true, and labelToApply names a label; leave one of them out.")
        if only is False and ONLY in self.given and "label" not in fields:
            raise CannotRun("an association with a label while labelToApply names none")

    def _field(self, ours: str, theirs: str, value: Any) -> Any:
        form, kind = self.type.form, self.type.form.base_fields[ours]
        if isinstance(kind, forms.MultipleChoiceField):
            return [self._text(theirs, each) for each in (value if isinstance(value, list) else [value])]
        if isinstance(value, list):
            self._wrong(theirs, "should be a single value, not a list.")
            return None
        if ours in form.enrolled_property_fields:
            return self._property(theirs, value, self.around.object_type.type_id)
        if ours in form.associated_property_fields:
            return self._property(theirs, value, str(self.given.get("toObjectType") or ""))
        if isinstance(kind, forms.BooleanField):
            return self._flag(theirs, value)
        text = self._text(theirs, value)
        if isinstance(kind, forms.IntegerField):
            return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else text
        if isinstance(kind, forms.ChoiceField) and ours != "to_object_type" and ours not in form.label_fields:
            return text.lower() if text else text
        return text

    def _text(self, name: str, value: Any) -> str | None:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        self._wrong(name, "should be text.")
        return None

    def _flag(self, name: str, value: Any) -> bool | None:
        try:
            return a_flag(value, name)
        except InvalidFlow:
            self._wrong(name, 'should be "true" or "false".')
            return None

    def _property(self, name: str, value: Any, type_id: str) -> str | None:
        text = self._text(name, value)
        of, slash, prop = (text or "").partition("/")
        if not slash:
            return text
        if type_id and of != type_id:
            self._wrong(name, f"should be a property of {type_id}, such as {type_id}/{prop:.60}, not of {of:.40}.")
        return prop

    def wrong(self, error: ValidationError, fields: Json) -> list[Problem]:
        """Of the form's errors those about fields that were given."""
        found = []
        for ours, errors in getattr(error, "error_dict", {}).items():
            if ours in fields:
                theirs = self.names.get(ours, ours)
                reason = " ".join(message for each in errors for message in each.messages)
                found.append(Problem(f"{self.place}.{theirs}", self._reason(ours, fields[ours]) or reason))
        return found

    def _reason(self, ours: str, value: Any) -> str:
        """Better words than the form's for what clients mistake most."""
        form, record = self.type.form, self.around.object_type
        other = self.around.other_types.get(str(self.given.get("toObjectType") or ""))
        if ours == "to_object_type" and other is None:
            return f"there is no object type {value!s:.40} to be associated with."
        if ours in form.label_fields:
            known = {str(d.type_id) for d in self.around.types if not d.type.is_unlabeled and d.other_type == other}
            given = value if isinstance(value, list) else [value]
            if other and (unknown := [each for each in given if each not in known]):
                return f"{unknown[0]!s:.40} is no label from {record.label.lower()} to {other.label.lower()}."
        return ""


# Writing ----------------------------------------------------------------------------------------


def write_fields(type_: ActionType, fields: Mapping[str, Any], around: Surroundings) -> Json:
    """HubSpot's fields of ours, which may be incomplete."""
    if not fields:
        return {}
    apply_to = fields.get("apply_to") or ALL
    names, other = names_of(type_, apply_to), str(fields.get("to_object_type") or "")
    written: Json = {FROM: around.object_type.type_id}
    for ours, theirs in names.items():
        value = fields.get(ours)
        if value in (None, "", []):
            continue
        if ours in type_.form.enrolled_property_fields:
            value = f"{around.object_type.type_id}/{value}"
        elif ours in type_.form.associated_property_fields:
            value = f"{other}/{value}"
        written[theirs] = _written(ours, value, type_.form)
    if type_ is CREATE:
        written |= {ONLY: "false" if fields.get("label") else "true", MATCH_BY: _BOTH}
    elif type_ is APPLY:
        written["applyTo"] = apply_to.upper()
    elif type_ is UPDATE:
        written.setdefault("updateMode", "APPEND")
    elif type_ is REMOVE:
        written.setdefault("removeAssociations", "false")
    return written


def _written(ours: str, value: Any, form: type[ActionForm]) -> Any:
    kind = form.base_fields[ours]
    properties = (*form.enrolled_property_fields, *form.associated_property_fields)
    if isinstance(kind, forms.MultipleChoiceField):
        return [str(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    free = ours == "to_object_type" or ours in form.label_fields or ours in properties
    if isinstance(kind, forms.ChoiceField) and not free:
        return str(value).upper()
    return str(value)
