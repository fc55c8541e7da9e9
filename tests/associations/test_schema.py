"""Defining object types and properties."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from associations.errors import InUse, Refused
from associations.models import AssociationType, ObjectType, Property
from associations.services import archiving, schema
from tests.factories import (
    ORIGIN,
    associate,
    disassociate,
    make_label,
    make_object_type,
    make_property,
    make_record,
    make_records,
    object_type,
    unlabeled,
)

pytestmark = pytest.mark.django_db


# Object types -----------------------------------------------------------------------------------


def test_a_custom_object_type_has_all_it_needs_from_the_start() -> None:
    pet = make_object_type("pet", primary_property="nickname")
    assert pet.type_id == "2-1"
    assert not pet.is_builtin
    assert [group.name for group in pet.property_groups.all()] == ["pet_information"]
    assert [prop.name for prop in pet.properties.all()] == ["nickname"]
    assert str(make_record("pet", nickname="Rex")) == "Rex"


def test_a_custom_object_type_can_be_associated_with_every_type_itself_included() -> None:
    make_object_type("pet")
    make_object_type("house")
    for other in ObjectType.objects.values_list("name", flat=True):
        there, back = unlabeled("pet", other), unlabeled(other, "pet")
        assert there.type == back.type
        assert there.type_id > 1000
    assert unlabeled("pet", "pet").type.is_symmetric


def test_records_of_a_custom_type_are_associated_and_labeled_like_any_other() -> None:
    make_object_type("pet")
    owner = make_label("pet", "contact", "Owner", "Pet")
    [rex], [ann] = make_records("pet", [{"name": "Rex"}]), make_records("contact", 1)
    assert associate(rex, ann, owner).labels == 1
    assert disassociate(ann, rex).associations == 1


def test_custom_types_are_numbered_from_2_1() -> None:
    assert [make_object_type(name).type_id for name in ("pet", "house", "car")] == ["2-1", "2-2", "2-3"]


def test_the_id_of_a_deleted_object_type_is_never_given_again() -> None:
    make_object_type("pet")
    house = make_object_type("house")
    schema.delete_object_type(house)
    assert make_object_type("car").type_id == "2-3"


@pytest.mark.parametrize("name", ["", "Pet", "my pet", "1pet", "contact", "pet\n"])
def test_an_object_type_of_a_bad_or_taken_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        make_object_type(name)
    assert not ObjectType.objects.filter(is_builtin=False).exists()


@pytest.mark.parametrize("primary_property", ["", "Name", "a name"])
def test_an_object_type_needs_a_primary_property_that_can_be(primary_property: str) -> None:
    with pytest.raises(ValidationError):
        make_object_type("pet", primary_property=primary_property)
    assert not ObjectType.objects.filter(name="pet").exists()


def test_a_custom_object_type_without_records_can_be_deleted() -> None:
    pet = make_object_type("pet")
    make_label("pet", "contact", "Owner", "Pet")
    schema.delete_object_type(pet)
    assert not ObjectType.objects.filter(name="pet").exists()
    assert not Property.objects.filter(object_type__name="pet").exists()
    assert not AssociationType.objects.filter(label="Owner").exists()


def test_a_built_in_object_type_cannot_be_deleted() -> None:
    with pytest.raises(Refused, match="Course is built in and cannot be deleted"):
        schema.delete_object_type(object_type("course"))


def test_an_object_type_with_records_is_in_use_also_with_archived_ones() -> None:
    pet = make_object_type("pet")
    [rex] = make_records("pet", [{"name": "Rex"}])
    archiving.archive_records(pet, [rex.pk], origin=ORIGIN)
    with pytest.raises(InUse, match="1 record"):
        schema.delete_object_type(pet)
    archiving.delete_records(pet, [rex.pk], origin=ORIGIN)
    schema.delete_object_type(pet)


# Properties -------------------------------------------------------------------------------------

OPTION = {"value": "a", "label": "A"}


def test_a_new_property_comes_last_in_the_group_of_its_type() -> None:
    prop = make_property("contact", "nickname")
    assert prop.group.name == "contactinformation"
    assert object_type("contact").properties.last() == prop


@pytest.mark.parametrize("name", ["", "Nick", "nick name", "1st", "_nick", "email", "nick\n"])
def test_a_property_of_a_bad_or_taken_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        make_property("contact", name)


def test_two_object_types_may_have_properties_of_one_name() -> None:
    assert make_property("deal", "email").name == "email"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"type": "enumeration", "field_type": "select"}, "options"),
        ({"type": "enumeration", "field_type": "select", "options": "a;b"}, "options"),
        ({"type": "enumeration", "field_type": "select", "options": ["a"]}, "options"),
        ({"type": "enumeration", "field_type": "select", "options": [{"value": "a"}]}, "options"),
        ({"type": "enumeration", "field_type": "select", "options": [{"value": "", "label": "A"}]}, "options"),
        ({"type": "enumeration", "field_type": "select", "options": [{"value": " a", "label": "A"}]}, "options"),
        ({"type": "enumeration", "field_type": "select", "options": [{"value": "a;b", "label": "A"}]}, "options"),
        ({"type": "enumeration", "field_type": "select", "options": [{"value": 1, "label": "A"}]}, "options"),
        ({"type": "enumeration", "field_type": "select", "options": [{"value": "a\x00", "label": "A"}]}, "options"),
        ({"type": "enumeration", "field_type": "select", "options": [OPTION, OPTION]}, "options"),
        (
            {"type": "enumeration", "field_type": "select", "options": [OPTION], "has_unique_value": True},
            "has_unique_value",
        ),
        ({"options": [OPTION]}, "options"),
        ({"type": "colour"}, "type"),
        ({"field_type": "slider"}, "field_type"),
        ({"type": "number"}, "__all__"),
    ],
)
def test_a_property_that_cannot_be_is_refused_by_field(fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        make_property("contact", "thing", **fields)
    assert wrong in refusal.value.message_dict


@pytest.mark.parametrize(
    ("fields", "raw", "kept"),
    [
        ({"type": "number", "field_type": "number"}, "7", 7),
        ({"type": "date", "field_type": "date"}, "2026-11-23", "2026-11-23"),
        ({"type": "bool", "field_type": "booleancheckbox"}, "yes", True),
        ({"type": "enumeration", "field_type": "radio", "options": [OPTION]}, "a", "a"),
        ({"field_type": "html"}, "<b>x</b>", "<b>x</b>"),
    ],
)
def test_a_record_keeps_values_of_a_property_of_ones_own(fields: dict[str, Any], raw: str, kept: object) -> None:
    make_property("contact", "thing", **fields)
    assert make_record("contact", thing=raw).properties == {"thing": kept}


# Changing and deleting properties --------------------------------------------------------------


def select_property(*values: str, **more: Any) -> Property:
    options = [{"value": value, "label": value.upper()} for value in values]
    return make_property("contact", "thing", type="enumeration", options=options, **{"field_type": "select"} | more)


def test_the_words_of_a_property_can_change_and_its_identity_cannot() -> None:
    prop = make_property("contact", "nickname")
    assert schema.update_property(prop, label="Called", description="By friends").label == "Called"
    for fixed in ({"name": "other"}, {"type": "number"}, {"has_unique_value": True}, {"object_type": None}):
        with pytest.raises(Refused, match="cannot be changed once it is created"):
            schema.update_property(prop, **fixed)


@pytest.mark.parametrize(("old", "new"), [("text", "textarea"), ("textarea", "phonenumber"), ("phonenumber", "text")])
def test_a_field_type_can_become_one_that_shows_the_same_values(old: str, new: str) -> None:
    prop = make_property("contact", "thing", field_type=old)
    assert schema.update_property(prop, field_type=new).field_type == new
    with pytest.raises(ValidationError, match="would not fit"):
        schema.update_property(prop, field_type="number")


def test_a_built_in_property_keeps_its_field_type() -> None:
    with pytest.raises(ValidationError, match="would not fit"):
        schema.update_property(object_type("contact").properties.get(name="city"), field_type="textarea")


@pytest.mark.parametrize("field_type", ["select", "checkbox"])
def test_an_option_goes_only_when_no_record_has_it(field_type: str) -> None:
    prop = select_property("a", "b", "ab", field_type=field_type)
    contact = make_record("contact", thing="ab")
    without = [{"value": "b", "label": "B"}]
    with pytest.raises(ValidationError, match=f"The option 'ab' is the value of records, such as {contact.pk}"):
        schema.update_property(prop, options=without)
    kept = schema.update_property(prop, options=[*without, {"value": "ab", "label": "Both"}])
    assert kept.option_values == ["b", "ab"]
    archiving.archive_records(object_type("contact"), [contact.pk], origin=ORIGIN)
    with pytest.raises(ValidationError, match="'ab'"):
        schema.update_property(prop, options=without)
    archiving.delete_records(object_type("contact"), [contact.pk], origin=ORIGIN)
    assert schema.update_property(prop, options=without).option_values == ["b"]


def test_a_property_without_values_can_be_deleted() -> None:
    prop = make_property("contact", "nickname")
    contact = make_record("contact", nickname="Annie")
    archiving.archive_records(object_type("contact"), [contact.pk], origin=ORIGIN)
    with pytest.raises(InUse, match=f"contact {contact.pk} is one of them"):
        schema.delete_property(prop)
    archiving.delete_records(object_type("contact"), [contact.pk], origin=ORIGIN)
    schema.delete_property(prop)
    assert not Property.objects.filter(name="nickname").exists()


def test_built_in_and_primary_properties_cannot_be_deleted() -> None:
    with pytest.raises(Refused, match="built in"):
        schema.delete_property(object_type("contact").properties.get(name="city"))
    pet = make_object_type("pet")
    with pytest.raises(Refused, match="pets are shown by it"):
        schema.delete_property(pet.properties.get(name="name"))


def test_the_words_of_an_object_type_can_change() -> None:
    pet = make_object_type("pet")
    changed = schema.update_object_type(pet, label="Animal", plural_label="Animals", description="All of them")
    assert (changed.label, changed.name, changed.type_id) == ("Animal", "pet", "2-1")
    with pytest.raises(ValidationError):
        schema.update_object_type(pet, label="", plural_label="Animals", description="")
