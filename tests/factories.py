"""What tests start with, made through the services as a person would make it, so that tests read as sentences.

Records are named by their type's name ("contact"), association types by the two names. Nothing here writes to a
table on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import factory

from associations import querysets
from associations.models import AssociationEnd, AssociationType, ObjectType, Property, Record
from associations.services import labels, linking, records, schema
from associations.services.origin import Origin
from associations.services.records import RecordInput, Saved
from associations.types import DirectedType

ORIGIN = Origin.system("a test")


class ContactValues(factory.DictFactory):
    """Values of a contact that no other one has."""

    email = factory.Sequence(lambda number: f"contact{number}@example.com")
    firstname = factory.Sequence(lambda number: f"Contact {number}")


class CompanyValues(factory.DictFactory):
    domain = factory.Sequence(lambda number: f"company{number}.example")
    name = factory.Sequence(lambda number: f"Company {number}")


VALUES: dict[str, type[factory.DictFactory]] = {"contact": ContactValues, "company": CompanyValues}


def object_type(name: str) -> ObjectType:
    return ObjectType.objects.get(name=name)


def make_object_type(name: str = "pet", *, primary_property: str = "name") -> ObjectType:
    return schema.create_object_type(
        name=name, label=name.capitalize(), plural_label=f"{name.capitalize()}s", primary_property=primary_property
    )


def make_property(type_name: str, name: str, **more: Any) -> Property:
    """A property of a type; single-line text, and called by its name, unless `more` says otherwise."""
    return schema.create_property(object_type(type_name), **{"name": name, "label": name.capitalize(), **more})


def save(type_name: str, inputs: Iterable[RecordInput | Mapping[str, object]], **more: Any) -> Saved:
    """Save records; a mapping is a new one."""
    given = [each if isinstance(each, RecordInput) else RecordInput(each) for each in inputs]
    return records.save_records(object_type(type_name), given, origin=ORIGIN, **more)


def make_records(type_name: str, values: int | Sequence[Mapping[str, object]]) -> list[Record]:
    """New records with these values, or that many with values of their own."""
    if isinstance(values, int):
        own = VALUES.get(type_name)
        values = own.build_batch(values) if own else [{} for _ in range(values)]
    return save(type_name, values).records


def make_record(type_name: str, **values: object) -> Record:
    return make_records(type_name, [values])[0]


def change(record: Record, **values: object) -> Record:
    """Set values of a record that is there."""
    saved = records.save_records(record.object_type, [RecordInput(values, id=record.pk)], origin=ORIGIN)
    return saved.records[0]


def unlabeled(type_name: str, other_name: str) -> DirectedType:
    return querysets.unlabeled_type(object_type(type_name), object_type(other_name))


def primary(type_name: str, other_name: str) -> DirectedType:
    pair = unlabeled(type_name, other_name)
    return DirectedType(querysets.association_types().get(pk=AssociationType.PRIMARY_OF[pair.type.pk]), pair.outgoing)


def make_label(type_name: str, other_name: str, label: str, inverse_label: str = "") -> DirectedType:
    """A label as `type_name` sees it."""
    return labels.create_label(
        object_type(type_name), object_type(other_name), label=label, inverse_label=inverse_label
    )


def limit(directed: DirectedType, *, to: int | None, inverse: int | None = None) -> DirectedType:
    """Set the limits of both directions; a symmetric type has one. Returns the type as it is then."""
    labels.set_limits(directed, max_to=to, inverse_max_to=to if directed.type.is_symmetric else inverse)
    return querysets.directed_type(directed.type_id)


def between(record: Record, other: Record) -> DirectedType:
    return querysets.unlabeled_type(record.object_type, other.object_type)


def associate(record: Record, other: Record, *given_labels: DirectedType) -> linking.LinkCounts:
    return linking.associate(between(record, other), [(record.pk, other.pk)], origin=ORIGIN, labels=given_labels)


def associate_pairs(pairs: Iterable[tuple[Record, Record]], *given_labels: DirectedType) -> linking.LinkCounts:
    """Associate pairs of one record type and one other type in one request."""
    pairs = list(pairs)
    ids = [(record.pk, other.pk) for record, other in pairs]
    return linking.associate(between(*pairs[0]), ids, origin=ORIGIN, labels=given_labels)


def disassociate(record: Record, other: Record) -> linking.LinkCounts:
    return linking.disassociate(between(record, other), [(record.pk, other.pk)], origin=ORIGIN)


def remove_label(record: Record, other: Record, *given_labels: DirectedType) -> linking.LinkCounts:
    return linking.remove_labels(list(given_labels), [(record.pk, other.pk)], origin=ORIGIN)


def words(record: Record, other: Record) -> set[str]:
    """What `other` is to `record`: its labels and "unlabeled", or nothing if they are not associated."""
    ends = AssociationEnd.objects.filter(record=record, other=other).values_list("type_id", flat=True)
    return {str(querysets.directed_type(type_id)) for type_id in ends}


def associated(record: Record, directed: DirectedType) -> set[int]:
    """The ids of the records that `record` is associated with under a type."""
    ends = AssociationEnd.objects.filter(record=record, type_id=directed.type_id)
    return set(ends.values_list("other_id", flat=True))
