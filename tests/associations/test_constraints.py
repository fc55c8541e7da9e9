"""The database itself refuses what must never be, whichever code writes: rows here go round the services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from associations.models import (
    Association,
    AssociationType,
    MatchIndex,
    MatchKey,
    ObjectType,
    Property,
    PropertyGroup,
    Record,
    UniqueValue,
)
from associations.models.schema import FIELD_TYPES, MAX_LIMIT
from tests.factories import associate, make_label, make_records, object_type, primary, unlabeled

pytestmark = pytest.mark.django_db


@contextmanager
def refused_by(constraint: str) -> Iterator[None]:
    """The database refuses what is inside, by this constraint (SQLite names a check, but not a unique index)."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        yield
    if connection.vendor == "postgresql" or "CHECK" in str(refusal.value):
        assert constraint in str(refusal.value)
    else:
        assert "UNIQUE constraint failed" in str(refusal.value)


def raw_association(source: Record, type_id: int, target: Record) -> Association:
    return Association.objects.create(source=source, type_id=type_id, target=target, change_set_id=1)


def raw_type(first: str = "contact", second: str = "company", **fields: Any) -> AssociationType:
    given: dict[str, Any] = {"id": 5001, "inverse_id": 5002, "name": "x", "label": "X", "inverse_label": "X"} | fields
    return AssociationType.objects.create(
        from_object_type=object_type(first), to_object_type=object_type(second), **given
    )


# Object types and properties --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Pet", "1pet", "_pet", "my pet", "pét", "pet-", "pet\n"])
def test_the_name_of_an_object_type_is_internal(name: str) -> None:
    with refused_by("object_type_name_is_internal"):
        ObjectType.objects.create(type_id="2-1", name=name, label="Pet", plural_label="Pets", primary_property="name")


@pytest.mark.parametrize("type_id", ["", "1-1", "2-", "2-x", "2", "02-1", "2-1-1", "x2-1", "2-1\n"])
def test_the_id_of_an_object_type_is_of_hubspots_form(type_id: str) -> None:
    with refused_by("object_type_id_form"):
        ObjectType.objects.create(
            type_id=type_id, name="pet", label="Pet", plural_label="Pets", primary_property="name"
        )


@pytest.mark.parametrize(("type_id", "name"), [("0-1", "pet"), ("2-1", "contact")])
def test_no_two_object_types_have_one_id_or_name(type_id: str, name: str) -> None:
    with refused_by("associations_objecttype_"):
        ObjectType.objects.create(type_id=type_id, name=name, label="Pet", plural_label="Pets", primary_property="name")


def raw_property(**fields: Any) -> Property:
    contact = object_type("contact")
    given: dict[str, Any] = {"name": "nickname", "label": "Nickname"} | fields
    return Property.objects.create(object_type=contact, group=contact.property_groups.get(), **given)


@pytest.mark.parametrize("name", ["", "Nick", "1nick", "_nick", "nick name", "nick.name", 'nick"', "nick\n"])
def test_the_name_of_a_property_is_internal(name: str) -> None:
    with refused_by("property_name_is_internal"):
        raw_property(name=name)


def test_no_two_properties_of_an_object_type_have_one_name() -> None:
    with refused_by("property_name_is_unique"):
        raw_property(name="email")


def test_no_two_property_groups_of_an_object_type_have_one_name() -> None:
    with refused_by("property_group_name_is_unique"):
        PropertyGroup.objects.create(object_type=object_type("contact"), name="contactinformation", label="Again")


WRONG = [
    (type_, field_type)
    for type_ in [*FIELD_TYPES, "colour"]
    for field_type in Property.FieldType.values
    if field_type not in FIELD_TYPES.get(type_, ())
]


@pytest.mark.parametrize(("type_", "field_type"), WRONG)
def test_a_field_type_shows_only_its_own_type_of_value(type_: str, field_type: str) -> None:
    with refused_by("property_field_type_fits_type"):
        raw_property(type=type_, field_type=field_type)


# Association types ------------------------------------------------------------------------------


def test_a_pair_has_one_unlabeled_type() -> None:
    with refused_by("one_unlabeled_type_per_pair"):
        raw_type(name="", label="", inverse_label="")


def test_no_two_labels_of_a_pair_have_one_name() -> None:
    raw_type()
    with refused_by("label_name_is_unique_per_pair"):
        raw_type(id=5003, inverse_id=5004)


def test_all_types_of_a_pair_lie_the_same_way_round() -> None:
    with refused_by("types_of_a_pair_lie_the_same_way"):
        raw_type("company", "contact")


@pytest.mark.parametrize(
    "fields",
    [
        {"label": ""},
        {"inverse_label": ""},
        {"label": "", "inverse_label": ""},
        {"name": ""},
        {"name": "", "label": ""},
        {"name": "", "inverse_label": ""},
    ],
)
def test_a_label_has_a_name_and_words_for_both_sides(fields: dict[str, str]) -> None:
    with refused_by("label_has_words_for_both_sides"):
        raw_type(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"label": "Manager", "inverse_label": "Employee"},
        {"max_to": 3},
        {"inverse_max_to": 3},
        {"max_to": 3, "inverse_max_to": 4},
        {"second": "company"},
    ],
)
def test_a_type_with_one_id_is_alike_both_ways(fields: dict[str, Any]) -> None:
    second = fields.pop("second", "contact")
    with refused_by("symmetric_type_is_alike_both_ways"):
        raw_type("contact", second, inverse_id=5001, **fields)


@pytest.mark.parametrize("side", ["max_to", "inverse_max_to"])
@pytest.mark.parametrize("limit", [0, MAX_LIMIT + 1])
def test_a_limit_is_from_1_to_10000_or_many(side: str, limit: int) -> None:
    ends: dict[str, Any] = {side: MAX_LIMIT if limit else 1}
    raw_type(**ends)  # the ends themselves are allowed
    with refused_by("limit_is_1_to_10000_or_many"):
        AssociationType.objects.filter(id=5001).update(**{side: limit})


def test_no_two_types_have_one_id_either_way() -> None:
    with refused_by("associations_associationtype_pkey"):
        raw_type(id=279)
    with refused_by("associations_associationtype_inverse_id"):
        raw_type(inverse_id=280)


def test_a_type_in_use_cannot_be_pulled_from_under_an_association() -> None:
    [contact], [company] = make_records("contact", 1), make_records("company", 1)
    label = make_label("contact", "company", "Consultant")
    associate(contact, company, label)
    with pytest.raises(ProtectedError):
        label.type.delete()


# Records ----------------------------------------------------------------------------------------


def test_a_record_that_was_merged_away_is_archived() -> None:
    survivor, merged = make_records("contact", 2)
    with refused_by("merged_record_is_archived"):
        Record.objects.filter(pk=merged.pk).update(merged_into=survivor)


def test_a_unique_value_belongs_to_one_record() -> None:
    holder, other = make_records("contact", 2)
    held = UniqueValue.objects.get(record=holder)
    with refused_by("unique_value_belongs_to_one_record"):
        UniqueValue.objects.filter(record=other).update(key=held.key)


def test_a_record_holds_one_value_of_a_unique_property() -> None:
    [contact] = make_records("contact", 1)
    held = UniqueValue.objects.get(record=contact)
    with refused_by("associations_uniquevalue_pkey"):
        UniqueValue.objects.create(property=held.property, record=contact, key=b"another")


def test_a_property_has_one_match_index_for_each_comparison() -> None:
    city = Property.objects.get(object_type__name="contact", name="city")
    MatchIndex.objects.create(property=city, comparison="normalized")
    MatchIndex.objects.create(property=city, comparison="exact")
    with refused_by("one_match_index_each"):
        MatchIndex.objects.create(property=city, comparison="exact")


def test_a_record_has_one_key_in_each_match_index() -> None:
    city = Property.objects.get(object_type__name="contact", name="city")
    index = MatchIndex.objects.create(property=city, comparison="normalized", built_at=timezone.now())
    [contact] = make_records("contact", 1)
    MatchKey.objects.create(index=index, record=contact, key=b"one")
    with refused_by("associations_matchkey_pkey"):
        MatchKey.objects.create(index=index, record=contact, key=b"other")


# Associations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["contact", "company", "deal", "ticket"])
def test_a_record_is_never_associated_with_itself(name: str) -> None:
    [record] = make_records(name, 1)
    with refused_by("never_with_itself"):
        raw_association(record, unlabeled(name, name).type_id, record)


def test_two_records_are_associated_under_a_type_once() -> None:
    [contact], [company] = make_records("contact", 1), make_records("company", 1)
    raw_association(contact, 279, company)
    with refused_by("associations_association_pkey"):
        raw_association(contact, 279, company)


@pytest.mark.parametrize("name", ["contact", "deal", "ticket"])
def test_a_record_has_at_most_one_primary_company(name: str) -> None:
    [record], [one, other] = make_records(name, 1), make_records("company", 2)
    raw_association(record, primary(name, "company").type_id, one)
    with refused_by("one_primary_company"):
        raw_association(record, primary(name, "company").type_id, other)


def test_a_company_is_primary_for_any_number_of_records() -> None:
    contacts, [company] = make_records("contact", 3), make_records("company", 1)
    for contact in contacts:
        raw_association(contact, primary("contact", "company").type_id, company)
    assert Association.objects.filter(target=company).count() == 3
