"""Named reads that services, admin and API share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from django.db.models import IntegerField, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.lookups import Exact, Regex

from . import sql
from .comparison import match_key, name_key
from .errors import Refused
from .models import AssociationType, MatchIndex, ObjectType, Property, Record, UniqueValue
from .types import DirectedType


class CountOf(Subquery):
    """How many rows a subquery has. With a slice, counting stops at its end."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def counted(count: int, most: int) -> str:
    """A count that ended one beyond `most`, in words: "10,000+" where there are more than that."""
    return f"{most:,}+" if count > most else f"{count:,}"


def object_type_named(word: str) -> ObjectType:
    """The object type that a person means: by its name, one of its labels, or its objectTypeId. Refused if none."""
    found = ObjectType.objects.filter(
        Q(name__iexact=word) | Q(label__iexact=word) | Q(plural_label__iexact=word) | Q(type_id=word)
    ).first()
    if found is None:
        names = ", ".join(ObjectType.objects.values_list("name", flat=True))
        raise Refused(f"There is no object type {word!r}; there are: {names}.")
    return found


def live_records(object_type: ObjectType, ids: Iterable[int] | None = None) -> QuerySet[Record]:
    """The records of a type that are not archived, of all or of some ids."""
    records = Record.objects.filter(object_type=object_type, archived_at=None)
    if ids is None:
        return records
    ids = list(ids)
    return records.filter(id__in=sql.these(ids)) if ids else records.none()


def with_value(records: QuerySet[Record], prop: Property, *, known: bool = True) -> QuerySet[Record]:
    """Those of some records that have a value of a property, or that have none."""
    return records.alias(value=KeyTextTransform(prop.name, "properties")).filter(value__isnull=not known)


def with_choice(records: QuerySet[Record], prop: Property, choice: str | bool) -> QuerySet[Record]:
    """Those of some records whose value of an enumeration is or contains an option, or whose yes or no is this."""
    if prop.field_type != Property.FieldType.CHECKBOX:
        return _equal(records, prop.name, choice)
    return records.filter(Regex(KeyTextTransform(prop.name, "properties"), rf"(^|;){re.escape(str(choice))}(;|$)"))


def with_equal(records: QuerySet[Record], prop: Property, value: Any) -> QuerySet[Record]:
    """Those of some records whose property holds exactly this value, in the form in which it is kept."""
    if (folded := sql.holds_folded(prop.name, [value])) is not None:
        return records.filter(folded, properties__contains={prop.name: value})
    return records.alias(value=KeyTransform(prop.name, "properties")).filter(value=value)


def search(records: QuerySet[Record], object_type: ObjectType, text: str) -> QuerySet[Record]:
    """Those of some records of a type whose name begins so, or who have this as a unique value or as their id.

    Each of the three by an index of its own (record_by_name, the unique values' constraint, record pkey).
    """
    name = name_key(text)
    found = Q(object_type=object_type, name_key__gte=name, name_key__lt=name + b"\xff")
    holders = UniqueValue.objects.filter(
        property__object_type=object_type, key=match_key(text, MatchIndex.Comparison.NORMALIZED) or b""
    )
    ids = set(holders.values_list("record_id", flat=True))
    word = text.strip()
    if word.isascii() and word.isdecimal() and len(word) < 19:
        ids.add(int(word))
    return records.filter(found | Q(pk__in=ids))


def records_known_as(object_type: ObjectType, text: str) -> list[Record]:
    """The live records that a person may mean (two stand for many): the one with this id, else those with this
    unique value, else those of this name."""
    live = live_records(object_type)
    key = match_key(text, MatchIndex.Comparison.NORMALIZED) or b""
    holders = UniqueValue.objects.filter(property__object_type=object_type, key=key)
    for meant in (
        live.filter(pk=int(text)) if text.isascii() and text.isdecimal() else live.none(),
        live.filter(pk__in=holders.values("record")),
        live.filter(name_key=name) if (name := name_key(text)) else live.none(),
    ):
        if found := list(meant.select_related("object_type").order_by("id")[:2]):
            return found
    return []


def _equal(records: QuerySet[Record], name: str, value: str | bool) -> QuerySet[Record]:
    """The records whose property holds exactly this; PostgreSQL has an index that finds it in any letter case first."""
    folded = sql.holds_folded(name, [value])
    if folded is not None:
        return records.filter(folded, properties__contains={name: value})
    text = str(value).lower() if isinstance(value, bool) else value
    return records.filter(Exact(KeyTextTransform(name, "properties"), text))


def association_types() -> QuerySet[AssociationType]:
    return AssociationType.objects.select_related("from_object_type", "to_object_type")


def types_of_pair(object_type: ObjectType, other: ObjectType) -> list[DirectedType]:
    """The unlabeled type and the labels of a pair, as `object_type` sees them; a paired label within one
    object type twice, once for each of its directions."""
    first, second = sorted((object_type, other), key=lambda each: each.pk)
    types = association_types().filter(from_object_type=first, to_object_type=second)
    return [directed for type_ in types for directed in _directions(type_, object_type)]


def unlabeled_type(object_type: ObjectType, other: ObjectType) -> DirectedType:
    """The type that every association of the pair has."""
    first, second = sorted((object_type, other), key=lambda each: each.pk)
    type_ = association_types().get(from_object_type=first, to_object_type=second, name="")
    return DirectedType(type_, outgoing=object_type == first)


def directed_type(type_id: int) -> DirectedType:
    """The type that a numeric type id names, in that id's direction. Refused if there is none."""
    type_ = association_types().filter(Q(id=type_id) | Q(inverse_id=type_id)).first()
    if type_ is None:
        raise Refused(f"There is no association type {type_id}.")
    return DirectedType(type_, outgoing=type_.id == type_id)


def types_seen_from(object_type: ObjectType) -> list[DirectedType]:
    """Every association type that records of a type can have, in all its directions from there: by the other object
    type, the unlabeled one first."""
    types = association_types().filter(Q(from_object_type=object_type) | Q(to_object_type=object_type))
    directed = [directed for type_ in types for directed in _directions(type_, object_type)]
    return sorted(directed, key=lambda each: (each.other_type.place, not each.type.is_unlabeled))


def _directions(type_: AssociationType, object_type: ObjectType) -> Iterator[DirectedType]:
    if type_.from_object_type_id == object_type.pk:
        yield DirectedType(type_, outgoing=True)
    if type_.to_object_type_id == object_type.pk and not type_.is_symmetric:
        yield DirectedType(type_, outgoing=False)


def told_apart(properties: Iterable[Property]) -> list[Property]:
    """Properties to be shown side by side: where two of an object type have the same label, their names behind it."""
    properties = list(properties)
    times = Counter((prop.object_type_id, prop.label) for prop in properties)
    for prop in properties:
        if times[prop.object_type_id, prop.label] > 1:
            prop.label = f"{prop.label} ({prop.name})"
    return properties


class Surroundings:
    """What filters and actions of an object type can refer to: its association types, and the properties of both
    sides. Read once, however many filters and actions ask."""

    def __init__(self, object_type: ObjectType) -> None:
        self.object_type = object_type
        self._properties: dict[int, list[Property]] = {}

    @cached_property
    def types(self) -> list[DirectedType]:
        return types_seen_from(self.object_type)

    @cached_property
    def other_types(self) -> dict[str, ObjectType]:
        """The object types on the other side, by type id."""
        return {directed.other_type.type_id: directed.other_type for directed in self.types}

    def properties(self, *object_types: ObjectType) -> list[Property]:
        """The properties of these types, in the order of the types."""
        if missing := [each for each in object_types if each.pk not in self._properties]:
            self._properties |= {each.pk: [] for each in missing}
            for prop in told_apart(Property.objects.filter(object_type__in=missing).select_related("object_type")):
                self._properties[prop.object_type_id].append(prop)
        return [prop for each in object_types for prop in self._properties[each.pk]]
