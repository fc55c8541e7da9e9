"""What an empty installation has: object types, properties and association types with HubSpot's ids."""

from __future__ import annotations

import itertools

import pytest

from associations import querysets
from associations.models import AssociationType, ObjectType, Property, PropertyGroup
from tests.factories import make_object_type, object_type, primary, unlabeled

pytestmark = pytest.mark.django_db

TYPE_IDS = {
    "contact": "0-1",
    "company": "0-2",
    "deal": "0-3",
    "ticket": "0-5",
    "appointment": "0-421",
    "course": "0-410",
    "listing": "0-420",
    "service": "0-162",
}
PROPERTIES = {
    "contact": (
        "email firstname lastname phone mobilephone company jobtitle city state country website lifecyclestage"
        " hubspot_owner_id"
    ),
    "company": (
        "name domain phone address city state zip country industry numberofemployees annualrevenue description"
        " website lifecyclestage"
        " hubspot_owner_id"
    ),
    "deal": "dealname dealstage pipeline amount closedate description hubspot_owner_id",
    "ticket": "subject content hs_pipeline hs_pipeline_stage hs_ticket_priority hs_ticket_category hubspot_owner_id",
}
UNLABELED = [
    ("contact", "company", 279),
    ("company", "contact", 280),
    ("deal", "contact", 3),
    ("contact", "deal", 4),
    ("deal", "company", 341),
    ("company", "deal", 342),
    ("ticket", "contact", 16),
    ("contact", "ticket", 15),
    ("ticket", "company", 339),
    ("company", "ticket", 340),
    ("deal", "ticket", 27),
    ("ticket", "deal", 28),
    ("contact", "contact", 449),
    ("company", "company", 450),
    ("deal", "deal", 451),
    ("ticket", "ticket", 452),
]
PRIMARY = [
    ("contact", "company", 1),
    ("company", "contact", 2),
    ("deal", "company", 5),
    ("company", "deal", 6),
    ("ticket", "company", 26),
    ("company", "ticket", 25),
]


def test_these_object_types_are_built_in_and_no_others() -> None:
    assert dict(ObjectType.objects.values_list("name", "type_id")) == TYPE_IDS
    assert not ObjectType.objects.filter(is_builtin=False).exists()


@pytest.mark.parametrize("name", PROPERTIES)
def test_an_object_type_has_the_properties_people_expect(name: str) -> None:
    properties = Property.objects.filter(object_type__name=name)
    assert sorted(properties.values_list("name", flat=True)) == sorted(PROPERTIES[name].split())
    assert properties.filter(is_builtin=True).count() == properties.count()


@pytest.mark.parametrize("name", TYPE_IDS)
def test_a_record_is_shown_by_a_property_that_exists(name: str) -> None:
    shown_by = object_type(name).primary_property
    assert Property.objects.filter(object_type__name=name, name=shown_by).exists()


def test_email_and_domain_are_the_unique_ones() -> None:
    unique = Property.objects.filter(has_unique_value=True).values_list("object_type__name", "name")
    assert set(unique) == {("contact", "email"), ("company", "domain")}


@pytest.mark.parametrize("name", TYPE_IDS)
def test_a_property_group_is_named_as_hubspot_names_it(name: str) -> None:
    groups = PropertyGroup.objects.filter(object_type__name=name)
    assert list(groups.values_list("name", flat=True)) == [f"{name}information"]


def test_exactly_text_and_phone_numbers_may_be_matched_on() -> None:
    matchable = {each.name for each in Property.objects.filter(object_type__name="company") if each.is_matchable}
    assert matchable == set(PROPERTIES["company"].split()) - {"numberofemployees", "annualrevenue", "lifecyclestage"}


@pytest.mark.parametrize(("name", "other", "type_id"), UNLABELED)
def test_the_unlabeled_type_of_a_pair_has_hubspots_id(name: str, other: str, type_id: int) -> None:
    directed = unlabeled(name, other)
    assert directed.type_id == type_id
    assert directed.label == ""
    assert (directed.record_type.name, directed.other_type.name) == (name, other)


@pytest.mark.parametrize(("name", "other", "type_id"), PRIMARY)
def test_primary_has_hubspots_id(name: str, other: str, type_id: int) -> None:
    directed = primary(name, other)
    assert directed.type_id == type_id
    assert directed.label == "Primary"
    assert (directed.record_type.name, directed.other_type.name) == (name, other)


def test_a_parent_company_sees_its_child_by_13_and_the_child_its_parent_by_14() -> None:
    child_of_parent, parent_of_child = querysets.directed_type(13), querysets.directed_type(14)
    assert (child_of_parent.label, parent_of_child.label) == ("Child company", "Parent company")
    assert child_of_parent.type == parent_of_child.type
    assert child_of_parent.reverse == parent_of_child


@pytest.mark.parametrize("pair", list(itertools.combinations_with_replacement(TYPE_IDS, 2)))
def test_any_two_object_types_can_be_associated(pair: tuple[str, str]) -> None:
    there, back = unlabeled(*pair), unlabeled(*reversed(pair))
    assert there.type == back.type
    assert there.type_id == back.reverse.type_id
    assert (there.type_id == back.type_id) == (pair[0] == pair[1])
    known = {type_id for *_, type_id in UNLABELED}
    assert there.type_id in known or there.type_id > 1000


def test_a_directed_id_names_one_type_and_one_direction() -> None:
    ids = []
    for each in AssociationType.objects.all():
        ids += [each.id] if each.is_symmetric else [each.id, each.inverse_id]
    assert len(ids) == len(set(ids))


def test_every_type_is_built_in_and_none_has_a_limit() -> None:
    assert not AssociationType.objects.exclude(category="HUBSPOT_DEFINED").exists()
    assert not AssociationType.objects.exclude(max_to=None, inverse_max_to=None).exists()


def test_an_object_type_made_after_the_migration_gets_an_id_of_its_own() -> None:
    assert make_object_type("pet").pk not in ObjectType.objects.filter(is_builtin=True).values_list("pk", flat=True)
